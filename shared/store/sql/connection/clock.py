"""The only clock of a deployment: the database's.

Owns how it is read and carried forward between readings. Machine clocks differ by seconds or days, so no stored time
comes from one, and none is compared with one.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

from shared.errors import StoreUnavailable

READ_EVERY_S = 5.0
"""Seconds between readings. In between, the time is carried forward by this machine's count of seconds since boot."""
STEADY_S = 0.02
"""Seconds by which a reading may differ before the carried time is corrected, so that it does not go back and forth."""
STEP_S = 1.0
"""A correction by more seconds than this means that the database's clock was set, or that another server took over."""
SETTLE_S = 30.0
"""Seconds that holders need after such a step to read the clock and renew. Until then no lease counts as run out."""
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

log = logging.getLogger(__name__)


def elapsed_s() -> float:
    """Return the seconds since this machine booted.

    They count on while it or this process is suspended, and cannot be set.
    """
    return time.clock_gettime(_ELAPSED)


class Timed(Protocol):
    """The part of a database that the clock needs."""

    def now(self) -> float:
        """Return epoch seconds. Raises ``StoreUnavailable``."""


class DatabaseClock:
    """A callable that returns epoch seconds by the database's clock. Safe to use from several threads; never waits.

    The constructor reads the clock, and raises ``StoreUnavailable`` if the database does not answer.
    """

    def __init__(self, database: Timed, read_every_s: float = READ_EVERY_S) -> None:
        self._database = database
        self._read_every_s = read_every_s
        self._reading = threading.Lock()
        self._stepped_at = float("-inf")
        earliest, latest = self._bounds()
        self._ahead = (earliest + latest) / 2
        self._read_at = elapsed_s()

    def __call__(self) -> float:
        elapsed = elapsed_s()
        if elapsed - self._read_at > self._read_every_s and self._reading.acquire(blocking=False):
            threading.Thread(target=self._read_again, name="clock", daemon=True).start()
        return self._ahead + elapsed

    def settled(self) -> bool:
        """Return whether the clock has run evenly for long enough that a lapsed lease really was not renewed."""
        return elapsed_s() - self._stepped_at > SETTLE_S

    def read(self) -> None:
        """Correct the carried time by the database's clock. A slow answer is imprecise, so it changes little."""
        earliest, latest = self._bounds()
        ahead = min(max(self._ahead, earliest - STEADY_S), latest + STEADY_S)
        if abs(ahead - self._ahead) > STEP_S:
            self._stepped_at = elapsed_s()
            log.warning("the database's clock was set by %+.1f s", ahead - self._ahead)
        self._ahead = ahead

    def _read_again(self) -> None:
        try:
            self.read()
        except StoreUnavailable as error:
            log.debug("the database's clock cannot be read; continuing with our own: %s", error)
        finally:
            self._read_at = elapsed_s()
            self._reading.release()

    def _bounds(self) -> tuple[float, float]:
        """Return the least and the most seconds by which the database's clock is ahead of `elapsed_s`."""
        asked = elapsed_s()
        now = self._database.now()
        return now - elapsed_s(), now - asked
