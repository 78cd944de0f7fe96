"""A fixed number of slots, and wake-ups that find all of them taken.

Owns one promise: a slot looks once more for work before it becomes free, if a wake-up came meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Place = TypeVar("Place")


class Slots(Generic[Place]):
    """Slots that threads share, with one thread in each at a time."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._free = list(places)
        self._lock = threading.Lock()
        self._missed = False

    def work(self, look: Callable[[Place], None]) -> None:
        """Call ``look`` in a free slot, and again if other calls found no slot meanwhile.

        Return at once if all are taken.
        """
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
            # In one critical section with giving the slot back: a call that finds no free slot before this is not
            # missed.
            if self._missed:
                return True
            self._free.append(place)
            return False
