"""Asking again: a source that fails in passing gets another chance, later each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from services.pins.sources.base import Patience, SourceFailed

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses that may be another the next time."""
_PROGRESS_BYTES = 1 << 20
"""An attempt that brought as much was worth it: the count of attempts starts anew."""
_LONGEST_PAUSE_S = 10.0

T = TypeVar("T")


class Passing(SourceFailed):
    """May go better the next time."""

    def __init__(self, message: str, *, retry_after: str | None = None, waited: bool = False) -> None:
        super().__init__(message)
        self.wait_s = min(float(retry_after), _LONGEST_PAUSE_S) if retry_after and retry_after.isdecimal() else 0.0
        """The source said so (``Retry-After``)."""
        self.waited = waited
        """It failed by being waited for: not again, unless the attempt brought something."""
        self.brought = 0
        """Bytes that came with the attempt."""


def patiently(patience: Patience, attempt: Callable[[], T]) -> T:
    """What ``attempt`` returns; it is made again where it raises `Passing`, until patience is at its end."""
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
