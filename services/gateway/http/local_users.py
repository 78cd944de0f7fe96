"""The owner of a connection, for a gateway without keys.

Owns that such a gateway serves only the user who started it: loopback is open to every user of the machine. The kernel
is asked once per connection, when its first request needs to know. Knows no route and no key.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.requests import Request

from shared.errors import RefusalCode, Refused
from shared.network.socket_peers import PeerUnknown, can_tell, uid_of_peer

_STATE = "connection_owner"

log = logging.getLogger("ringtrue.gateway")


class ConnectionOwner:
    """The user at the other end of one connection."""

    def __init__(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._is_us: bool | None = None

    def is_us(self) -> bool:
        """Return whether it is the user that this process runs as. True on a system that cannot tell."""
        if self._is_us is None:
            try:
                self._is_us = uid_of_peer(self._transport.get_extra_info("socket")) == os.getuid()
            except PeerUnknown:
                self._is_us = not _system_tells()
        return self._is_us


def with_owner(app_state: Mapping[str, Any], transport: asyncio.BaseTransport) -> dict[str, Any]:
    """Return the state that each request of a connection begins with, including the connection's owner."""
    return {**app_state, _STATE: ConnectionOwner(transport)}


def check_own_user(request: Request) -> None:
    """Raise `Refused` if another user of this machine sent the request."""
    owner: ConnectionOwner | None = getattr(request.state, _STATE, None)
    if owner is not None and not owner.is_us():
        raise Refused(
            RefusalCode.FORBIDDEN,
            "without API keys, this gateway answers only its own user, and this connection is another user's;"
            " to make a key: ringtrue keys create NAME",
        )


@cache
def _system_tells() -> bool:
    tells = can_tell()
    if not tells:
        log.warning(
            "this system does not report the owners of connections; without API keys, every local user is let in"
        )
    return tells
