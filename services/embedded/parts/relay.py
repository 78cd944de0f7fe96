"""``python -P -m services.embedded.parts.relay``: relays a port of loopback to a Unix socket, for one user only.

Owns whose connections are accepted: those of this user's own processes, as the kernel reports the peer. Bytes are
passed on unchanged. Knows nothing of their meaning, except that a client that is refused speaks HTTP.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Sequence
from http import HTTPStatus

from shared.network.socket_peers import PeerUnknown, can_tell, uid_of_peer
from shared.processes import logs

_CHUNK = 1 << 16
_LINGER_S = 1.0
"""Seconds for a refused client to read the reason."""

log = logging.getLogger("ringtrue.relay")


def main(argv: Sequence[str] | None = None) -> int:
    """Relay until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m services.embedded.parts.relay", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="file descriptor of a listening socket")
    parser.add_argument("--to", required=True, help="path of the Unix socket to connect to")
    given = parser.parse_args(argv)
    logs.set_up("relay")
    asyncio.run(_serve(socket.socket(fileno=given.fd), given.to))
    return 0


async def _serve(listening: socket.socket, to: str) -> None:
    if not can_tell():
        log.warning("this system does not report the owners of connections; every local user is let through")
        allowed = None
    else:
        allowed = os.getuid()
    stopped = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)
    relay = Relay(to, allowed)
    server = await asyncio.start_server(relay.take, sock=listening)
    log.info("ready")
    await stopped.wait()
    server.close()


class Relay:
    """Accepts connections for the server on the Unix socket ``to``. ``allowed``: the only user who may connect;
    None: any."""

    def __init__(self, to: str, allowed: int | None) -> None:
        self._to = to
        self._allowed = allowed

    async def take(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        """Pass one connection on, until both sides have ended."""
        try:
            if not self._is_allowed(near_out):
                await _turn_away(near_out, HTTPStatus.FORBIDDEN, "this server accepts only the user who started it")
                return
            try:
                far_in, far_out = await asyncio.open_unix_connection(self._to)
            except OSError:
                await _turn_away(near_out, HTTPStatus.SERVICE_UNAVAILABLE, "not ready yet; try again in a moment")
                return
            with contextlib.suppress(OSError):
                await asyncio.gather(_pass_on(near_in, far_out), _pass_on(far_in, near_out))
            far_out.close()
        finally:
            near_out.close()

    def _is_allowed(self, near: asyncio.StreamWriter) -> bool:
        if self._allowed is None:
            return True
        try:
            return uid_of_peer(near.get_extra_info("socket")) == self._allowed
        except PeerUnknown:
            return False


async def _pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(_CHUNK):
            to.write(chunk)
            await to.drain()
        if to.can_write_eof():
            to.write_eof()
    except OSError:  # one side is gone, so the other is of no use
        to.close()
        raise


async def _turn_away(out: asyncio.StreamWriter, status: HTTPStatus, why: str) -> None:
    body = f"{why}\n".encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        "Retry-After: 5\r\nConnection: close\r\n\r\n"
    )
    with contextlib.suppress(OSError):
        out.write(head.encode() + body)
        await out.drain()
        out.write_eof()
        await asyncio.sleep(_LINGER_S)  # a close with a request unread would reset it, and lose the answer


if __name__ == "__main__":
    raise SystemExit(main())
