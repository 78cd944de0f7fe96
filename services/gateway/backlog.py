"""How many jobs wait, roughly: enough to refuse more of them before the store is swamped.

Owns the limit. The count is read every few seconds by the sweeper and kept up in between by what was accepted here.
"""

from __future__ import annotations

from shared.errors import RefusalCode, Refused

MAX_QUEUED_JOBS = 100_000
_RETRY_AFTER_S = 30


class Backlog:
    """For use from one event loop."""

    def __init__(self, limit: int = MAX_QUEUED_JOBS) -> None:
        self._limit = limit
        self._queued = 0

    def check(self, more: int) -> None:
        """``backlog_full`` where ``more`` jobs are too many."""
        if self._queued + more > self._limit:
            raise Refused(
                RefusalCode.BACKLOG_FULL,
                f"{self._queued} jobs are waiting, at most {self._limit} may",
                retry_after_s=_RETRY_AFTER_S,
            )

    def grew(self, by: int) -> None:
        self._queued += by

    def counted(self, queued: int) -> None:
        self._queued = queued
