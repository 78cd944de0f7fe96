"""What a check is and what it finds. Owns the three words ok, warn and fail; knows no check."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How it stands with what was looked at."""

    OK = "ok"
    WARN = "warn"  # it runs, and something will be worse than it could be
    FAIL = "fail"  # something that was asked for does not run


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. ``do``: what to do about it, empty where there is nothing to do."""

    status: Status
    says: str
    do: str = ""


def ok(says: str) -> Finding:
    return Finding(Status.OK, says)


def warn(says: str, do: str) -> Finding:
    return Finding(Status.WARN, says, do)


def fail(says: str, do: str) -> Finding:
    return Finding(Status.FAIL, says, do)


Look = Callable[[], Iterable[Finding]]
"""Looks at one thing; at least one finding. Whatever it raises is a fail of its own."""


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at. ``limit_s``: a look that takes longer is given up, and that is a fail."""

    name: str
    look: Look
    limit_s: float = 10.0
