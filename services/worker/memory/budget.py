"""What one worker may take, of the machine and of its GPU, and what its hosts hold of it.

Owns the caps of this worker and the pair of reservations that a host has. Expects of a pin what was measured; of one
that was never loaded, something in proportion to its files. Knows no host.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.worker.memory import devices
from services.worker.memory.amounts import NOTHING, Amount
from services.worker.memory.footprints import UNMEASURED_EXTRA, Footprint, Footprints
from services.worker.memory.ledger import Ledger, Reservation

OF_MACHINE, OF_CONTAINER, OF_GPU = 0.8, 0.9, 0.95
"""Shares that engines may take: scorers, the system and a GPU's own bookkeeping need the rest."""
BARE_HOST = Amount(100.0, 0.0)
"""To expect of a host without weights, before anything is measured."""
CUDA_CONTEXT_MB = 500.0
WEIGHTS_GROW = 1.2
"""Weights in memory against weights on disk, before anything is measured."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What one worker may take at most, in MB (1e6 bytes); infinite: whatever the ledgers have."""

    memory_mb: float = math.inf
    gpu_memory_mb: float = math.inf

    @property
    def amount(self) -> Amount:
        return Amount(self.memory_mb, self.gpu_memory_mb)


class Hold:
    """What one host has reserved. Its files (`fds`) go to the host and keep it reserved for as long as that lives."""

    def __init__(self, budget: Budget, amount: Amount, parts: Sequence[Reservation]) -> None:
        self._budget = budget
        self._parts = parts
        self.amount = amount

    @property
    def fds(self) -> Sequence[int]:
        return [part.fd for part in self._parts]

    def resize(self, amount: Amount) -> bool:
        """False, and nothing changes, where there is no room."""
        return self._budget.resize(self, amount)

    def release(self) -> None:
        """May be called again."""
        self._budget.forget(self)
        for part in self._parts:
            part.release()

    def resized(self, amount: Amount) -> bool:
        """In the ledgers, both or neither. Those that grow come first: giving room back never fails, taking it may."""
        wanted = list(zip(self._parts, _parts(amount), _parts(self.amount), strict=False))
        for part, mb, _ in sorted(wanted, key=lambda one: one[1] <= one[2]):
            if not part.resize(mb):
                for grown, _, before in wanted:
                    grown.resize(min(grown.mb, before))
                return False
        self.amount = amount
        return True


class Budget:
    """Shared by the slots of a worker; any thread may ask."""

    def __init__(self, ledgers: Sequence[Ledger], footprints: Footprints, caps: Caps) -> None:
        """``ledgers``: the machine's, and the GPU's where there is one."""
        self._ledgers = ledgers
        self._footprints = footprints
        self._caps = caps.amount
        self._holds: set[Hold] = set()
        self._lock = threading.Lock()

    @classmethod
    def here(cls, folder: Path, environ: Mapping[str, str], caps: Caps) -> Budget:
        """Of this machine. ``folder``: one for all workers on it; ``environ``: the hosts'."""
        machine, gpu = devices.machine(), devices.gpu(environ)
        ledgers = [Ledger(folder, machine, OF_MACHINE), *([Ledger(folder, gpu, OF_GPU)] if gpu else [])]
        limit = devices.container_limit_mb()
        within = math.inf if limit is None else OF_CONTAINER * limit
        caps = Caps(min(caps.memory_mb, within), caps.gpu_memory_mb)
        return cls(ledgers, Footprints(folder / "footprints", (gpu or machine).kind), caps)

    @property
    def room(self) -> Amount:
        """The most that a host could ever get here: alone, with nobody else on the machine."""
        capacities = [ledger.capacity_mb for ledger in self._ledgers]
        vram_mb = capacities[1] if len(capacities) > 1 else 0.0
        return Amount(capacities[0], vram_mb).at_most(self._caps)

    @property
    def has_gpu(self) -> bool:
        return len(self._ledgers) > 1

    def footprint(self, lock_sha256: str) -> Footprint | None:
        """What was measured of a lock."""
        return self._footprints.of(lock_sha256)

    def expected(self, lock_sha256: str, weights_mb: float, chars: int) -> Amount:
        """What a host of that lock will need for speaking ``chars`` characters. What was never measured is tried with
        all the room there is, if it seems to need more."""
        if (known := self._footprints.of(lock_sha256)) is not None:
            return known.speaking(chars)
        weights = Amount(weights_mb, weights_mb + CUDA_CONTEXT_MB if weights_mb and self.has_gpu else 0.0)
        guessed = (BARE_HOST + weights * WEIGHTS_GROW) * (1 + UNMEASURED_EXTRA)
        return guessed.at_most(self.room)

    def loaded(self, lock_sha256: str, amount: Amount) -> None:
        """Measured: a host of that lock holds so much at rest."""
        self._footprints.loaded(lock_sha256, amount)

    def spoke(self, lock_sha256: str, chars: int, extra: Amount) -> None:
        """Measured: speaking so much text took ``extra`` besides."""
        self._footprints.spoke(lock_sha256, chars, extra)

    def reserve(self, amount: Amount) -> Hold | None:
        """Room for a host; `None` where there is none now."""
        with self._lock:
            if not (self._taken() + amount).fits(self._caps):
                return None
            parts: list[Reservation] = []
            for ledger, mb in zip(self._ledgers, _parts(amount), strict=False):
                if (part := ledger.reserve(mb)) is None:
                    for reserved in parts:
                        reserved.release()
                    return None
                parts.append(part)
            hold = Hold(self, amount, parts)
            self._holds.add(hold)
            return hold

    def would_fit(self, amount: Amount, without: Sequence[Hold]) -> bool:
        """There would be room if those were gone, as far as can be said: other workers come and go."""
        freed = sum((hold.amount for hold in without), NOTHING)
        with self._lock:
            if not (self._taken().beyond(freed) + amount).fits(self._caps):
                return False
            parts = zip(self._ledgers, _parts(freed), _parts(amount), strict=False)
            return all(ledger.taken_mb() - gone + mb <= ledger.capacity_mb for ledger, gone, mb in parts)

    def resize(self, hold: Hold, amount: Amount) -> bool:
        """See `Hold.resize`."""
        with self._lock:
            within = (self._taken(but=hold) + amount).fits(self._caps) or amount.fits(hold.amount)
            return within and hold.resized(amount)

    def forget(self, hold: Hold) -> None:
        """It is no longer this worker's."""
        with self._lock:
            self._holds.discard(hold)

    def left_for(self, hold: Hold) -> Amount:
        """What the host of ``hold`` may take without touching what this worker's others have reserved."""
        with self._lock:
            return self.room.beyond(self._taken(but=hold))

    @contextlib.contextmanager
    def wanting(self, amount: Amount) -> Iterator[None]:
        """Ask the other workers of the machine for room, for the length of the block."""
        with contextlib.ExitStack() as asking:
            for ledger, mb in zip(self._ledgers, _parts(amount), strict=False):
                if mb:
                    asking.enter_context(ledger.wanting(mb))
            yield

    def wanted_by_others(self, waiting_s: float) -> bool:
        """Another worker of the machine has waited for room for that long."""
        return any(ledger.wanted_by_others(waiting_s) for ledger in self._ledgers)

    def _taken(self, but: Hold | None = None) -> Amount:
        return sum((hold.amount for hold in self._holds if hold is not but), NOTHING)


def _parts(amount: Amount) -> tuple[float, float]:
    return amount.rss_mb, amount.vram_mb
