"""How findings are told: a line each for people, one document for programs. Owns the looks and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.doctor.findings import Check, Finding, Status

_COLOURS = {Status.OK: "32", Status.WARN: "33", Status.FAIL: "31"}
_NAME_WIDTH = 12


def line(check: Check, finding: Finding, *, colour: bool) -> str:
    """``fail  redis        127.0.0.1:6379 refuses the connection; start it``"""
    word = f"{finding.status:<4}"
    if colour:
        word = f"\x1b[{_COLOURS[finding.status]}m{word}\x1b[0m"
    told = f"{finding.says}; {finding.do}" if finding.do else finding.says
    return f"{word}  {check.name:<{_NAME_WIDTH}} {' '.join(told.split())}"


def document(found: Sequence[tuple[Check, Finding]]) -> dict[str, Any]:
    """All lines, and the worst of them as the verdict."""
    lines = [
        {"name": check.name, "status": finding.status.value, "says": finding.says, "do": finding.do}
        for check, finding in found
    ]
    return {"status": worst(finding.status for _, finding in found).value, "checks": lines}


def worst(statuses: Iterable[Status]) -> Status:
    return max(statuses, key=list(Status).index, default=Status.OK)
