"""Accepts connections: a few at a time, so that earlier ones are served; later, if the machine is out of files.

Owns the listening socket while it is served. The event loop's own way accepts all waiting connections at once, however
many, and silently drops those that it has no files for.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

_AT_ONCE = 32
_PAUSE_S = 0.5
"""Seconds to wait before accepting again when no more files may be opened."""
_TELL_EVERY_S = 60.0
_OUT_OF_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = logging.getLogger("ringtrue.gateway")


class TcpListener:
    """The part of `asyncio.Server` that uvicorn uses."""

    def __init__(self, listening: socket.socket, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        self._listening = listening
        self._make_protocol = make_protocol
        self._loop = asyncio.get_running_loop()
        self._made: set[asyncio.Task[object]] = set()
        self._resuming: asyncio.TimerHandle | None = None
        self._told_at = float("-inf")
        listening.setblocking(False)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # accepted sockets inherit it
        self._resume()

    def close(self) -> None:
        """Stop accepting."""
        self._loop.remove_reader(self._listening)
        if self._resuming is not None:
            self._resuming.cancel()

    async def wait_closed(self) -> None:
        """Return at once: nothing is left to wait for."""

    def _resume(self) -> None:
        self._resuming = None
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                if error.errno not in _OUT_OF_FILES:
                    raise
                self._pause(error)
                return
            accepted.setblocking(False)
            made: asyncio.Task[object] = self._loop.create_task(self._make(accepted))
            self._made.add(made)
            made.add_done_callback(self._made.discard)

    async def _make(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._make_protocol, accepted)
        except OSError:
            accepted.close()  # the client is gone already

    def _pause(self, error: OSError) -> None:
        self._loop.remove_reader(self._listening)
        self._resuming = self._loop.call_later(_PAUSE_S, self._resume)
        if self._loop.time() - self._told_at >= _TELL_EVERY_S:
            log.error("cannot accept connections until others are closed: %s", error.strerror)
            self._told_at = self._loop.time()
