"""The hosts that have pins in memory, shared by all slots of a worker.

Owns the choice of what stays in memory. To make room, the least recently used idle host leaves first. Which pins there
are and how a host is started is known to `ServedPins`; how much memory there is and how much a pin needs, to `Budget`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from services.worker.engine_host import EngineHost, Tick
from services.worker.memory.amounts import Amount
from services.worker.memory.budget import Budget, Hold
from services.worker.pins.served_pins import ServedPins
from shared.errors import FailureCode, JobFailure

LOAD_S = 900.0
WAIT_S = 0.2
SLACK = Amount(16.0, 64.0)
LEAKED, LEAKED_MB = 1.5, 256.0
"""An idle host leaks if it holds more than `LEAKED` times what it held after its first text, plus `LEAKED_MB`."""

YIELD_EVERY_S = 1.0
RESTED_S = 2.0
"""Seconds. A host unused for this long may leave at once to make room for another worker."""
PATIENCE_S = 10.0
"""Seconds. A host in use leaves between two texts once another worker has waited for this long."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class KeptHost:
    """A host, its reservation, and what it held when it was idle for the first time."""

    host: EngineHost
    hold: Hold
    rest: Amount | None = None
    rests_since: float = 0.0

    @property
    def leaks(self) -> bool:
        return self.rest is not None and self.host.held.rss_mb > self.rest.rss_mb * LEAKED + LEAKED_MB

    def settle(self) -> None:
        """Resize the reservation to what the idle host holds. Small differences are ignored, so that the ledger is not
        written for every text."""
        held = self.host.held
        if not held.fits(self.hold.amount) or not self.hold.amount.beyond(held).fits(SLACK):
            self.hold.resize(held)

    def close(self) -> None:
        self.host.close()
        self.hold.release()


class Loader:
    """The hosts of a worker, shared by its slots. Any thread may call it. A host is lent to one slot at a time."""

    def __init__(self, served_pins: ServedPins, budget: Budget) -> None:
        self.served_pins = served_pins
        self._budget = budget
        self._idle: list[KeptHost] = []  # least recently used first
        self._lent = 0
        self._changed = threading.Condition()

    def loaded(self) -> Sequence[str]:
        """Return the idle pins in memory, the most recently used first."""
        with self._changed:
            return list(dict.fromkeys(kept.host.pin for kept in reversed(self._idle) if kept.host.alive))

    @contextmanager
    def lent(self, pin: str, chars: int, tick: Tick, *, alone: bool = False) -> Iterator[EngineHost]:
        """Lend the loaded host of ``pin`` for the length of the block, with room to speak ``chars`` characters. Waits
        until there is room. ``alone``: start a new host, with no other pin in memory. Raises `JobFailure`, and what
        ``tick`` raises."""
        kept = self._taken(pin, chars, tick, alone)
        before = kept.host.held
        try:
            self._bound(kept)
            yield kept.host
            self._measured(kept, chars, before)
        finally:
            self._put_back(kept)

    def yield_room(self) -> None:
        """End an idle host if it has rested for `RESTED_S` and another worker of this machine waits for room."""
        with self._changed:
            if self._idle and time.monotonic() - self._idle[0].rests_since > RESTED_S:
                self._yield_for(0.0)

    def close(self) -> None:
        """End every idle host."""
        with self._changed:
            while self._evict_one():
                pass

    def _taken(self, pin: str, chars: int, tick: Tick, alone: bool) -> KeptHost:
        lock_sha256, weights_mb = self.served_pins.lock_sha256(pin) or "", self.served_pins.weights_mb(pin)
        needed = self._budget.expected(lock_sha256, weights_mb, chars)
        if not needed.fits(room := self._budget.room):
            raise _too_large(pin, needed, room)
        with self._changed:
            if not alone and (kept := self._as_it_stands(pin, lock_sha256, chars)) is not None:
                self._lent += 1
                return kept
        hold = self._room(pin, needed, tick, alone)
        try:
            return self._started(pin, lock_sha256, hold, tick)
        except BaseException:
            hold.release()
            with self._changed:
                self._lent -= 1
                self._changed.notify_all()
            raise

    def _as_it_stands(self, pin: str, lock_sha256: str, chars: int) -> KeptHost | None:
        """Return an idle host of the pin, or `None`. Other hosts leave so that it can grow. One that cannot grow is
        ended: a host must not hold memory while it waits for more."""
        kept = next((kept for kept in reversed(self._idle) if kept.host.pin == pin), None)
        if kept is None:
            return None
        self._idle.remove(kept)
        if not kept.host.alive or kept.host.lock_sha256 != lock_sha256:
            kept.close()
            return None
        footprint = self._budget.footprint(lock_sha256)
        amount = kept.host.held + footprint.besides(chars) if footprint else kept.hold.amount
        while not amount.fits(kept.hold.amount) and not kept.hold.resize(amount.at_most(self._budget.room)):
            if not self._evict_one():
                kept.close()
                return None
        return kept

    def _room(self, pin: str, needed: Amount, tick: Tick, alone: bool) -> Hold:
        with ExitStack() as telling:
            told = False
            while True:
                with self._changed:
                    if (hold := self._reserved(needed, alone)) is not None:
                        self._lent += 1
                        return hold
                    if not told:
                        log.info("%s waits for %s", pin, needed)
                        telling.enter_context(self._budget.wanting(needed))
                        told = True
                    self._changed.wait(WAIT_S)
                tick()

    def _reserved(self, needed: Amount, alone: bool) -> Hold | None:
        """Reserve room for a host; idle hosts leave if needed. They do not leave in vain: if a host in use has to end
        first, return `None`."""
        if alone:
            while self._evict_one():
                pass
            if self._lent:
                return None
        while (hold := self._budget.reserve(needed)) is None:
            if not self._budget.would_fit(needed, [kept.hold for kept in self._idle]) or not self._evict_one():
                return None
        return hold

    def _started(self, pin: str, lock_sha256: str, hold: Hold, tick: Tick) -> KeptHost:
        host = self.served_pins.start(pin, hold.fds)
        try:
            host.most_rss_mb = self._budget.left_for(hold).rss_mb
            host.load(tick, LOAD_S)
            self._budget.loaded(lock_sha256, host.held)
            self._held_by(host, hold)
        except BaseException:
            host.close()
            raise
        return KeptHost(host, hold)

    def _held_by(self, host: EngineHost, hold: Hold) -> None:
        """Adjust the reservation to what the host holds: a pin that was never measured may hold more than was reserved.
        Other hosts leave for it. Raises `JobFailure` ``out_of_memory`` if there is still no room."""
        with self._changed:
            while not host.held.fits(hold.amount) and not hold.resize(host.held):
                if not self._evict_one():
                    left = self._budget.left_for(hold)
                    raise JobFailure(FailureCode.OUT_OF_MEMORY, f"the engine host used {host.held}; it may use {left}")

    def _bound(self, kept: KeptHost) -> None:
        left = self._budget.left_for(kept.hold)
        kept.host.most_rss_mb = left.rss_mb
        if kept.host.held.vram_mb:
            kept.host.limit_gpu(left.vram_mb)

    def _measured(self, kept: KeptHost, chars: int, before: Amount) -> None:
        """Record what a text took. The first text may have brought more into memory for good."""
        host = kept.host
        if kept.rest is None:
            kept.rest = host.held
            self._budget.loaded(host.lock_sha256, host.held)
            before = before.at_least(host.held)
        self._budget.spoke(host.lock_sha256, chars, host.peak.beyond(before))

    def _put_back(self, kept: KeptHost) -> None:
        with self._changed:
            self._lent -= 1
            if kept.host.alive and not kept.leaks:
                kept.settle()
                kept.rests_since = time.monotonic()
                self._idle.append(kept)
                self._yield_for(PATIENCE_S)
            else:
                if kept.host.alive:
                    log.warning(
                        "%s is restarted because its memory grew from %s to %s",
                        kept.host.pin,
                        kept.rest,
                        kept.host.held,
                    )
                kept.close()
            self._changed.notify_all()

    def _yield_for(self, waiting_s: float) -> None:
        if self._budget.wanted_by_others(waiting_s):
            self._evict_one()

    def _evict_one(self) -> bool:
        if not self._idle:
            return False
        kept = self._idle.pop(0)
        log.info("unloading %s", kept.host.pin)
        kept.close()
        return True


def _too_large(pin: str, needed: Amount, room: Amount) -> JobFailure:
    gpu = needed.vram_mb > room.vram_mb
    code = FailureCode.GPU_OUT_OF_MEMORY if gpu else FailureCode.OUT_OF_MEMORY
    return JobFailure(code, f"{pin} needs {needed} for this text; at most {room} are available")
