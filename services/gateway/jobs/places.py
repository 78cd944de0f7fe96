"""Places in the queue, exact as long as counting is cheap.

A place is counted from the rows ahead of it, so its cost grows with the backlog. Polls must not pay that cost over and
over. If counting takes long, places may get old enough to keep it to a tenth of the time, and new ones are counted a
few at once.

Owns that limit. Knows no rules of the queue: the store has those.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from shared.errors import StoreTooSlow

_CHEAP_S = 0.005
_TURN_S = 0.02
"""Seconds that one turn of counting may take, as far as that can be estimated."""
_SHARE = 0.1
_TOO_SLOW_S = 10.0
"""Seconds to pause after a count that the store gave up."""
_MOST_KNOWN = 50_000


class Places:
    """A cache of places. ``count`` blocks. For use from several threads: one counts, and the others do not wait for
    it."""

    def __init__(self, count: Callable[[Sequence[str]], Mapping[str, int]]) -> None:
        self._count = count
        self._known: dict[str, int] = {}
        self._price_s = 0.0
        self._not_before = float("-inf")
        self._counting = threading.Lock()

    def of(self, queued: Sequence[str]) -> Mapping[str, int]:
        """Return the places of these queued jobs. A job that is not counted yet is absent."""
        started = time.monotonic()
        if queued and started >= self._not_before and self._counting.acquire(blocking=False):
            try:
                self._count_some(queued, started)
            except StoreTooSlow:
                self._not_before = time.monotonic() + _TOO_SLOW_S
            finally:
                self._counting.release()
        known = self._known
        return {job_id: known[job_id] for job_id in queued if job_id in known}

    def _count_some(self, queued: Sequence[str], started: float) -> None:
        affordable = max(1, int(_TURN_S / self._price_s)) if self._price_s else len(queued)
        # Count jobs without any place first: an old place is better than none.
        chosen = sorted(queued, key=self._known.__contains__)[:affordable]
        if len(self._known) > _MOST_KNOWN:
            self._known = {}
        self._known.update(self._count(chosen))
        took_s = time.monotonic() - started
        self._price_s = took_s / len(chosen)
        self._not_before = started + took_s / _SHARE if took_s > _CHEAP_S else started
