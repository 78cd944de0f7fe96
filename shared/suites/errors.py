"""What can be wrong with a suite.

RingtrueError
├── SuiteInvalid    a file is not a suite; every fault has its line
└── SuiteUnknown    no suite of that name ships
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shared.errors import RingtrueError
from shared.values.faults import AND_MORE, MOST_FAULTS


class Fault(NamedTuple):
    """One thing that is wrong with a file."""

    line: int
    """Line number, from 1."""
    what: str


class SuiteInvalid(RingtrueError):
    """A file that is not a suite. The message has one line ``FILE:LINE: what`` per fault, in the order of the file."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        told = sorted(faults[:MOST_FAULTS])
        more = [Fault(told[-1].line, AND_MORE)] if len(faults) > MOST_FAULTS else []
        self.faults = (*told, *more)
        super().__init__("\n".join(f"{file}:{fault.line}: {fault.what}" for fault in self.faults))


class SuiteUnknown(RingtrueError):
    """No suite of that name ships. The message names those that do."""
