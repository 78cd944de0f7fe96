"""One byte range of a file (RFC 9110, section 14).

Owns the policy: one range is served. Several ranges, other units and unreadable headers are ignored, as the RFC allows,
and the whole file is sent. Only a range that starts after the end is refused.
"""

from __future__ import annotations

import re

from shared.errors import RefusalCode, Refused

_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE | re.ASCII)


def read_range(header: str | None, total: int) -> tuple[int, int] | None:
    """Return the first byte and the number of bytes; None for the whole file. ``total``: bytes of the file.

    Raises `Refused` (`range_not_satisfiable`) if the range starts after the end."""
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, total - int(found[2])), total
    else:
        start, end = int(found[1]), min(total, int(found[2]) + 1 if found[2] else total)
        if found[2] and int(found[2]) < start:
            return None
    if start >= total:
        raise Refused(RefusalCode.RANGE_NOT_SATISFIABLE, f"the file has {total} bytes")
    return start, end - start
