"""What a check is and what it finds. Owns the four words ok, not tried, warn and fail; knows no check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class FindingStatus(StrEnum):
    """The result for one thing that was checked."""

    OK = "ok"
    NOT_TRIED = "not_tried"  # not known: there was no time, or what the check needs was missing
    WARN = "warn"  # it runs, but something is worse than it could be
    FAIL = "fail"  # something that was asked for does not run


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``do``: what to do about it; empty if there is nothing to do."""

    status: FindingStatus
    says: str
    do: str = ""


def ok(says: str) -> Finding:
    return Finding(FindingStatus.OK, says)


def warn(says: str, do: str) -> Finding:
    return Finding(FindingStatus.WARN, says, do)


def not_tried(says: str, do: str) -> Finding:
    return Finding(FindingStatus.NOT_TRIED, says, do)


def fail(says: str, do: str) -> Finding:
    return Finding(FindingStatus.FAIL, says, do)


Look = Callable[[], Iterable[Finding]]
"""Checks one thing and returns at least one finding. An error that it raises counts as fail, a timeout as not tried."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to check.

    A look that takes longer than ``limit_s`` seconds is given up. On a busy machine that says nothing of the thing that
    was checked, so it counts as not tried.
    """

    name: str
    look: Look
    limit_s: float = 10.0
