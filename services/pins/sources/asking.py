"""Asks a source again after a temporary failure, with a longer pause each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from services.pins.sources.base import SourceFailed, SourcePatience

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that may change at the next attempt."""
_PROGRESS_BYTES = 1 << 20
"""An attempt that brought this many bytes made progress: the count of attempts starts again."""
_LONGEST_PAUSE_S = 10.0

T = TypeVar("T")


class Passing(SourceFailed):
    """A temporary failure. The next attempt may succeed."""

    def __init__(self, message: str, *, retry_after: str | None = None, waited: bool = False) -> None:
        super().__init__(message)
        self.wait_s = min(float(retry_after), _LONGEST_PAUSE_S) if retry_after and retry_after.isdecimal() else 0.0
        """Seconds that the source asked to wait (``Retry-After``), at most 10."""
        self.waited = waited
        """True if it failed by a timeout. Then it is not asked again, unless the attempt brought enough bytes."""
        self.brought = 0
        """Bytes that came with the attempt."""


def patiently(patience: SourcePatience, attempt: Callable[[], T]) -> T:
    """Return what ``attempt`` returns. If it raises `Passing`, it is repeated until ``patience`` is exhausted."""
    failures = 0
    while True:
        try:
            return attempt()
        except Passing as error:
            worth_it = error.brought >= _PROGRESS_BYTES
            failures = 1 if worth_it else failures + 1
            if failures >= patience.attempts or (error.waited and not worth_it):
                raise
            time.sleep(max(error.wait_s, patience.pause_s * 2 ** (failures - 1)))
