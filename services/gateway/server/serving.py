"""Runs the server in a process: uvicorn's settings, and the checks made once a second."""

from __future__ import annotations

import asyncio
import functools
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from services.gateway.server.connections import Connections
from services.gateway.server.limits import KEEP_ALIVE_S, ConnectionLimits, raise_open_files
from services.gateway.server.listener import TcpListener
from services.gateway.server.protocol import BoundedProtocol

CHECK_S = 1.0
_GRACE_S = 10
"""Seconds for requests that are being answered when the process is told to stop."""


def serve(
    app: Any, listening: socket.socket, let_go: Callable[[], None], limits: ConnectionLimits | None = None
) -> None:
    """Serve until told to stop. ``let_go``: ends what requests wait for, so that they can be answered."""
    connections = Connections((limits or ConnectionLimits()).within(raise_open_files()))
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    _Server(config, connections, let_go).run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that, when told to stop, lets waiting requests go and then ends without being killed by the signal."""

    def __init__(self, config: uvicorn.Config, connections: Connections, let_go: Callable[[], None]) -> None:
        super().__init__(config)
        self._connections = connections
        self._let_go = let_go
        self._checked_at = time.monotonic()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._connections.now = asyncio.get_running_loop().time()
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        make = functools.partial(
            BoundedProtocol, self.config, self.server_state, self.lifespan.state, connections=self._connections
        )
        self.servers = [cast(Any, TcpListener(listening, make)) for listening in sockets or ()]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        now = time.monotonic()
        self._connections.now = asyncio.get_running_loop().time()
        if now - self._checked_at >= CHECK_S:
            self._check(now - self._checked_at)
            self._checked_at = now
        return await super().on_tick(counter)

    def _check(self, passed_s: float) -> None:
        now = self._connections.now
        for connection in list(self.server_state.connections):
            cast(BoundedProtocol, connection).check(now, passed_s)
        self._connections.tell(now)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._let_go()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (the signature of a handler)
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
