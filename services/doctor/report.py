"""The report of findings: a line each for people, one document for programs. Owns their form and the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from services.doctor.findings import Check, Finding, FindingStatus
from shared.values.printable import printable

_COLOURS = {FindingStatus.OK: "32", FindingStatus.NOT_TRIED: "36", FindingStatus.WARN: "33", FindingStatus.FAIL: "31"}
_NAME_WIDTH = 12


def line(check: Check, finding: Finding, *, colour: bool) -> str:
    """Return a line such as ``fail  redis        127.0.0.1:6379 refuses the connection; start it``."""
    word = f"{finding.status.replace('_', ' '):<4}"
    if colour:
        word = f"\x1b[{_COLOURS[finding.status]}m{word}\x1b[0m"
    told = f"{finding.says}; {finding.do}" if finding.do else finding.says
    return f"{word}  {check.name:<{_NAME_WIDTH}} {printable(' '.join(told.split()))}"


def document(found: Sequence[tuple[Check, Finding]]) -> dict[str, Any]:
    """Return all lines, with the worst of them as the verdict."""
    lines = [
        {"name": check.name, "status": finding.status.value, "says": finding.says, "do": finding.do}
        for check, finding in found
    ]
    return {"status": worst(finding.status for _, finding in found).value, "checks": lines}


def worst(statuses: Iterable[FindingStatus]) -> FindingStatus:
    return max(statuses, key=list(FindingStatus).index, default=FindingStatus.OK)
