"""What can be wrong with a suite.

RingtrueError
├── SuiteInvalid    a file is no suite; every fault of it has its line
└── SuiteUnknown    no suite of that name ships
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.errors import RingtrueError


class Fault(NamedTuple):
    """One thing that is wrong with a file."""

    line: int
    """From 1."""
    what: str


class SuiteInvalid(RingtrueError):
    """A file that is no suite. The message has a line ``FILE:LINE: what`` per fault, in the order of the file."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(f"{file}:{fault.line}: {fault.what}" for fault in self.faults))


class SuiteUnknown(RingtrueError):
    """No suite of that name ships; the message names those that do."""
