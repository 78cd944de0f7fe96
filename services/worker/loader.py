"""The hosts that have pins in memory, of one slot. Owns the choice of what stays: the least recently used host leaves
first. Which pins there are and how a host is started is the offer's."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence

from services.worker.engine_host import EngineHost, Tick
from services.worker.offer import Offer

LOAD_S = 900.0

log = logging.getLogger(__name__)


class Loader:
    """Used by one thread at a time: there is no lock in here. A worker with several slots has a loader for each."""

    def __init__(self, offer: Offer, *, capacity: int = 4) -> None:
        """``capacity``: so many hosts stay loaded."""
        self.offer = offer
        self._capacity = capacity
        self._hosts: OrderedDict[str, EngineHost] = OrderedDict()  # least recently used first

    def loaded(self) -> Sequence[str]:
        """Pins in memory, the most recently used first."""
        return [pin for pin, host in reversed(self._hosts.items()) if host.alive]

    def acquire(self, pin: str, tick: Tick) -> EngineHost:
        """The loaded host of ``pin``: as it stands, or started anew. Raises `JobFailure`, and what ``tick`` raises."""
        host = self._hosts.pop(pin, None)
        if host is not None and not (host.alive and host.lock_sha256 == self.offer.lock_sha256(pin)):
            host.close()
            host = None
        if host is None:
            self._make_room()
            host = self.offer.start(pin)
            try:
                host.load(tick, LOAD_S)
            except BaseException:
                host.close()
                raise
        self._hosts[pin] = host
        return host

    def close(self) -> None:
        """End every host."""
        while self._hosts:
            self._hosts.popitem()[1].close()

    def _make_room(self) -> None:
        while len(self._hosts) >= self._capacity:
            pin, host = self._hosts.popitem(last=False)
            log.info("%s leaves memory", pin)
            host.close()
