"""Limits in size, number and time on what a connection may take before and while it is served.

Owns the numbers. `protocol.py` and `connections.py` enforce them.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The limits of one process. The server runs with the defaults."""

    url_bytes: int = 32 << 10
    """Address in the request line: 16 filters of the longest kind fit."""
    head_bytes: int = 64 << 10
    """Address and headers of a request together; the trailers may have as much again."""
    head_fields: int = 100
    """Headers of a request; as many again may come as trailers."""
    pipelined: int = 32
    """Requests that may wait on one connection behind the one that is being answered."""
    head_s: float = 10.0
    """Time from the connection, or from the first byte of a later request, to the end of its headers."""
    idle_s: float = 70.0
    """Time that a connection may be idle between two requests. The server itself ends it after `KEEP_ALIVE_S`."""
    body_s: float = 20.0
    """Time for a body of any size, before its rate is checked."""
    body_bytes_per_s: int = 8 << 10
    """Average rate that a body must keep after that."""
    body_most_s: float = 900.0
    """Time for the largest body, at any rate."""
    unread_s: float = 30.0
    """Time for the rest of a body whose request was answered before the body was complete. The rest is discarded."""
    unread_bytes: int = 64 << 20
    """Most bytes of such a rest."""
    answer_s: float = 30.0
    """Time in which a client that reads its answer slowly must take ..."""
    answer_bytes: int = 128 << 10
    """... so many bytes of it, or all."""
    last_s: float = 2.0
    """Time for the client to read an answer that ends the connection."""
    connections: int = 4096
    """Connections at a time, of all clients. Fewer if the system allows fewer open files."""

    @property
    def of_one_peer(self) -> int:
        """Connections of one address: half of all, so that no address takes them all."""
        return self.connections // 2

    def within(self, files: int) -> ConnectionLimits:
        """Return these limits with no more connections than ``files`` open files allow.

        An upload takes a file besides its connection, and the store, child processes and the event loop need some
        too."""
        return replace(self, connections=max(8, min(self.connections, (files - _OTHER_FILES) // 2)))


KEEP_ALIVE_S = 65
"""Seconds. Proxies keep idle connections for 60 s, so that they end them first."""
_OTHER_FILES = 64
CHUNK_OVERHEAD = 64 << 10
"""Bytes around the content of a chunked body that are always taken. A quarter of the content is taken on top."""


def raise_open_files() -> int:
    """Let this process open as many files as the system allows. Return how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 1 << 20 if hard == resource.RLIM_INFINITY else hard
