"""Ids that sort in the order in which they were given: a prefix and a ULID.

Owns their form. Knows nothing of what bears them.
"""

from __future__ import annotations

import secrets
import threading
import time
from functools import lru_cache

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
ULID_PATTERN = "[0-9A-HJKMNP-TV-Z]{26}"


class Ids:
    """Gives ids with one prefix, in order also within one millisecond. For use from several threads."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> str:
        with self._lock:
            earliest = time.time_ns() // 1_000_000 << 80
            self._last = self._last + 1 if self._last >= earliest else earliest | secrets.randbits(80)
            return self._prefix + _ulid(self._last)


def _ulid(number: int) -> str:
    """The 26 characters of a 128-bit ULID: base 32 in Crockford's alphabet, two digits at a time."""
    low = number & 0xFFFFFFFFFF
    last = _PAIRS[low >> 30] + _PAIRS[low >> 20 & 1023] + _PAIRS[low >> 10 & 1023] + _PAIRS[low & 1023]
    return _first_digits(number >> 40) + last


@lru_cache(maxsize=8)
def _first_digits(number: int) -> str:
    """18 of the 26, which ids that are given within a millisecond share."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(80, -1, -10)])
