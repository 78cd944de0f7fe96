"""Points in time as people and programs read them. Inside, they are epoch seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

FIRST_S = datetime(1, 1, 1, tzinfo=UTC).timestamp()
LAST_S = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
"""First and last second that RFC 3339 can write: years of four digits, in UTC. A time from outside is checked against
these before it is stored."""


@lru_cache(maxsize=1024)
def rfc3339(epoch_s: float, timespec: str = "milliseconds") -> str:
    """Return RFC 3339 in UTC with a Z, to the millisecond or as ``timespec`` says (`datetime.isoformat`).

    A time outside of its years, which rows of earlier versions may have, becomes the first or last moment in them: one
    such row must not keep a list from being shown.
    """
    return (
        datetime.fromtimestamp(min(max(epoch_s, FIRST_S), LAST_S), UTC)
        .isoformat(timespec=timespec)
        .replace("+00:00", "Z")
    )
