"""What can be wrong with a suite.

RingtrueError
├── SuiteInvalid    a file is not a suite; every fault has its line
└── SuiteUnknown    no suite of that name ships
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.errors import RingtrueError
from shared.values.faults import AND_MORE


class Fault(NamedTuple):
    """One thing that is wrong with a file."""

    line: int
    """Line number, from 1."""
    what: str


class SuiteInvalid(RingtrueError):
    """A file that is not a suite. The message has one line ``FILE:LINE: what`` per fault, in the order of the file."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.what == AND_MORE, fault.what)))
        super().__init__("\n".join(f"{file}:{fault.line}: {fault.what}" for fault in self.faults))


class SuiteUnknown(RingtrueError):
    """No suite of that name ships. The message names those that do."""
