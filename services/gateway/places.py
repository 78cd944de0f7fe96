"""Places in the queue: exact as long as counting is cheap.

A place is counted from the rows ahead of it, so its price grows with the backlog. Polls must not pay that price over
and over: where counting takes long, places grow as old as keeps it to a tenth of the time, and new ones come a few at
once.

Owns that bound. Knows no rules of the queue: those are the store's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

_CHEAP_S = 0.005
_TURN_S = 0.02
"""What a turn of counting may take, as far as that can be foreseen."""
_SHARE = 0.1
_MOST_KNOWN = 50_000


class Places:
    """``count`` blocks. For use from one thread."""

    def __init__(self, count: Callable[[Sequence[str]], Mapping[str, int]]) -> None:
        self._count = count
        self._known: dict[str, int] = {}
        self._price_s = 0.0
        self._not_before = float("-inf")

    def of(self, queued: Sequence[str]) -> Mapping[str, int]:
        """Places of these queued jobs; one that is not counted yet is absent."""
        started = time.monotonic()
        if queued and started >= self._not_before:
            self._count_some(queued, started)
        return {job_id: self._known[job_id] for job_id in queued if job_id in self._known}

    def _count_some(self, queued: Sequence[str], started: float) -> None:
        affordable = max(1, int(_TURN_S / self._price_s)) if self._price_s else len(queued)
        # Those without any place first: an old one is better than none.
        chosen = sorted(queued, key=self._known.__contains__)[:affordable]
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.update(self._count(chosen))
        took_s = time.monotonic() - started
        self._price_s = took_s / len(chosen)
        self._not_before = started + took_s / _SHARE if took_s > _CHEAP_S else started
