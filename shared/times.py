"""Points in time as people and programs read them; inside they are epoch seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=1024)
def rfc3339(epoch_s: float, timespec: str = "milliseconds") -> str:
    """RFC 3339 in UTC with a Z, to the millisecond or as ``timespec`` says (`datetime.isoformat`)."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
