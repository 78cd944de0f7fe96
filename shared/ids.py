"""Ids that sort in the order of their creation: a prefix and a ULID.

Owns their form. Knows nothing of what has the ids.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from functools import lru_cache

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
ULID_PATTERN = "[0-9A-HJKMNP-TV-Z]{26}"


class Ids:
    """Creates ids with one prefix, in order even within one millisecond. Safe to use from several threads.

    ``clock``: epoch seconds. Ids of several processes are in order as far as their clocks agree.
    """

    def __init__(self, prefix: str, clock: Callable[[], float] = time.time) -> None:
        self._prefix = prefix
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            earliest = int(self._clock() * 1000) << 80
            self._last = self._last + 1 if self._last >= earliest else earliest | secrets.randbits(80)
            return self._prefix + _ulid(self._last)


def _ulid(number: int) -> str:
    """Return the 26 characters of a 128-bit ULID: base 32 in Crockford's alphabet, two digits at a time."""
    low = number & 0xFFFFFFFFFF
    last = _PAIRS[low >> 30] + _PAIRS[low >> 20 & 1023] + _PAIRS[low >> 10 & 1023] + _PAIRS[low & 1023]
    return _first_digits(number >> 40) + last


@lru_cache(maxsize=8)
def _first_digits(number: int) -> str:
    """Return the first 18 of the 26 characters. Ids created within a millisecond share them, hence the cache."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(80, -1, -10)])
