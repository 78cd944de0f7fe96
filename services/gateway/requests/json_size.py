"""Counts the values of a JSON body before any is made: each takes many times the bytes of its text.

Owns the two limits, and where a string ends. Knows no request.
"""

from __future__ import annotations

import re

from shared.errors import RefusalCode, Refused

MAX_CONTAINERS = 250_000
"""Most objects and lists of one body. The largest evaluation has 30,000. In memory, each takes up to 50 times the bytes
of its text."""
MAX_VALUES = 500_000
"""Most members and elements of one body. The largest evaluation has 250,000, a batch of common jobs 20,000."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""A string without an end runs to the end of the body. Searching for an end from each quotation mark anew would take
quadratic time."""


def check_size(body: bytes) -> None:
    """Raise `Refused` for a body with too many values. A body that is not JSON passes or is refused."""
    if len(body) <= MAX_CONTAINERS or _is_within(*_counted(body, 0, len(body))):
        return
    # strings have commas and brackets too; leaving them out takes longer, so it is done only if it matters
    containers = commas = at = 0
    for string in _STRING.finditer(body):
        more = _counted(body, at, string.start())
        containers, commas, at = containers + more[0], commas + more[1], string.end()
        if not _is_within(containers, commas):
            break
    else:
        more = _counted(body, at, len(body))
        if _is_within(containers + more[0], commas + more[1]):
            return
    detail = f"a body may have at most {MAX_CONTAINERS} objects and lists, and {MAX_VALUES} values in total"
    raise Refused(RefusalCode.BODY_TOO_LARGE, detail)


def without_strings(body: bytes) -> bytes:
    """Return JSON without its strings: brackets, colons, commas, numbers and literals."""
    return _STRING.sub(b"", body)


def _is_within(containers: int, commas: int) -> bool:
    return containers <= MAX_CONTAINERS and containers + commas <= MAX_VALUES


def _counted(body: bytes, start: int, end: int) -> tuple[int, int]:
    """Return the number of objects and lists that begin between ``start`` and ``end``, and of commas."""
    return body.count(b"{", start, end) + body.count(b"[", start, end), body.count(b",", start, end)
