"""All connections of this process: how many there may be, and which one is ended when there are too many.

Owns the counting, by address and in all. A new connection takes the place of the one that has kept us waiting longest:
of its own address if that has too many, otherwise of the address with the most. So a stranger who opens thousands of
connections and sends nothing takes none from others. A connection that is being answered is never ended. Requests that
come and go are not recorded here: how long each client has kept us waiting is asked only when there are too many
connections.
"""

from __future__ import annotations

import ipaddress
import logging
from collections import Counter, OrderedDict
from typing import Protocol

from services.gateway.server.limits import ConnectionLimits

TELL_EVERY_S = 60.0
log = logging.getLogger("ringtrue.gateway")


class Connection(Protocol):
    """A connection, as far as it is known here."""

    peer: str
    waits_since: float | None
    """Time on the loop's clock at which its client last made progress. None while we answer."""

    def give_way(self) -> None:
        """End the connection now. If a request is pending, answer it first."""


class Connections:
    """The connections of one process. For use from one event loop."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._count = 0
        self._of: dict[str, OrderedDict[Connection, float]] = {}
        """By peer, in the order in which they came or were last looked at. The value is since when each was waiting
        then."""
        self.now = 0.0
        """Time of the loop, exact to a tenth of a second."""
        self._ended: Counter[str] = Counter()
        self._told_at = float("-inf")

    def add(self, one: Connection) -> bool:
        """Add a connection. Return whether there is room for it, made by ending another if need be.

        It is added in either case: call `remove` when it is over."""
        of_peer = self._of.setdefault(one.peer, OrderedDict())
        room = True
        if len(of_peer) >= self.limits.of_one_peer:
            room = self._make_room(of_peer)
        elif self._count >= self.limits.connections:
            room = self._make_room(max(self._of.values(), key=len))
        of_peer[one] = self.now
        self._count += 1
        return room

    def remove(self, one: Connection) -> None:
        """Remove a connection that is over."""
        of_peer = self._of[one.peer]
        del of_peer[one]
        self._count -= 1
        if not of_peer:
            del self._of[one.peer]

    def ended(self, why: str) -> None:
        """Count a connection that we ended. The log tells of them once a minute, however often it happens."""
        self._ended[why] += 1

    def tell(self, now: float) -> None:
        """Log how many connections we ended since the last time, and why."""
        if self._ended and now - self._told_at >= TELL_EVERY_S:
            log.warning("connections ended: %s", ", ".join(f"{why}: {n}" for why, n in self._ended.items()))
            self._ended.clear()
            self._told_at = now

    def _make_room(self, of_peer: OrderedDict[Connection, float]) -> bool:
        # a connection that made progress since its last look goes to the end and is looked at once more
        for _ in range(2 * len(of_peer)):
            oldest, seen = next(iter(of_peer.items()))
            since = oldest.waits_since
            if since is not None and since <= seen:
                self.ended("closed to make room for others")
                of_peer.move_to_end(oldest)
                oldest.give_way()
                return True
            of_peer[oldest] = self.now if since is None else since
            of_peer.move_to_end(oldest)
        return False


def peer_of(client: tuple[str, int] | None) -> str:
    """Return the peer that an address belongs to. An IPv6 network of 64 bits belongs to one customer and is one
    peer."""
    if client is None:
        return ""
    address = ipaddress.ip_address(client[0].partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
