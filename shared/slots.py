"""A fixed number of places to work in, and bells that find them all taken.

Owns one promise: work that was announced before a place became free is looked for before that place rests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Place = TypeVar("Place")


class Slots(Generic[Place]):
    """Places that threads share, one thread in each at a time."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._free = list(places)
        self._lock = threading.Lock()
        self._missed = False

    def work(self, look: Callable[[Place], None]) -> None:
        """Call ``look`` in a free place, again while calls came that found none; return at once if all are taken."""
        with self._lock:
            if not self._free:
                self._missed = True
                return
            place = self._free.pop()
        try:
            while self._worked(look, place):
                pass
        except BaseException:
            with self._lock:
                self._free.append(place)
            raise

    def _worked(self, look: Callable[[Place], None], place: Place) -> bool:
        with self._lock:
            self._missed = False
        look(place)
        with self._lock:
            if self._missed:
                return True
            self._free.append(place)
            return False
