"""The address of Redis in the form of each library that connects to it.

Owns the difference: redis-py and Celery's transport name a Unix socket differently. ``RINGTRUE_REDIS_URL`` has
redis-py's form, ``unix:///PATH?db=N``. Connects to nothing.
"""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlsplit

_UNIX = "unix"


def unix_url(path: str, database: int = 0) -> str:
    """Return the URL of a server on a Unix socket."""
    return f"unix://{quote(path)}?db={database}"


def socket_path(url: str) -> str | None:
    """Return the Unix socket that ``url`` names; ``None`` if it names a server on the network."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == _UNIX else None


def broker_url(url: str) -> str:
    """Return the URL of the same server for Celery's transport. A network address stays as it is."""
    parts = urlsplit(url)
    if parts.scheme != _UNIX:
        return url
    database = parse_qs(parts.query).get("db", ["0"])[-1]
    # Quoted, because Celery splits a list of addresses at semicolons.
    path = quote(unquote(parts.path))
    return f"redis+socket://{parts.netloc}{path}?virtual_host={database}"
