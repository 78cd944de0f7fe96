"""How much memory of the machine and of its GPU one worker may take, and what its hosts have reserved.

Owns the worker's caps and each host's reservations (machine and GPU). A pin is expected to need what was measured; one
that was never loaded, an amount in proportion to its files. Knows no host.
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
"""The shares that engines may take. Scorers, the system and a GPU's own bookkeeping need the rest."""
BARE_HOST = Amount(100.0, 0.0)
"""The expected memory of a host without weights, before anything is measured."""
CUDA_CONTEXT_MB = 500.0
WEIGHTS_GROW = 1.2
"""The expected ratio of weights in memory to weights on disk, before anything is measured."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What one worker may take at most, in MB (1e6 bytes). Infinite means: as much as the ledgers have."""

    memory_mb: float = math.inf
    gpu_memory_mb: float = math.inf

    @property
    def amount(self) -> Amount:
        return Amount(self.memory_mb, self.gpu_memory_mb)


class Hold:
    """What one host has reserved. Its files (`fds`) are passed to the host and keep the reservation as long as the host
    lives."""

    def __init__(self, budget: Budget, amount: Amount, parts: Sequence[Reservation]) -> None:
        self._budget = budget
        self._parts = parts
        self.amount = amount

    @property
    def fds(self) -> Sequence[int]:
        return [part.fd for part in self._parts]

    def resize(self, amount: Amount) -> bool:
        """Change the reservation. Returns False, and changes nothing, if there is no room."""
        return self._budget.resize(self, amount)

    def release(self) -> None:
        """Release the reservation. May be called again."""
        self._budget.forget(self)
        for part in self._parts:
            part.release()

    def resized(self, amount: Amount) -> bool:
        """Change the reservation in both ledgers or in neither. Parts that grow go first, because only growing can
        fail."""
        wanted = list(zip(self._parts, _parts(amount), _parts(self.amount), strict=False))
        for part, mb, _ in sorted(wanted, key=lambda one: one[1] <= one[2]):
            if not part.resize(mb):
                for grown, _, before in wanted:
                    grown.resize(min(grown.mb, before))
                return False
        self.amount = amount
        return True


class Budget:
    """The memory budget of a worker, shared by its slots. Any thread may call it."""

    def __init__(self, ledgers: Sequence[Ledger], footprints: Footprints, caps: Caps) -> None:
        """``ledgers``: the machine's, and the GPU's if there is one."""
        self._ledgers = ledgers
        self._footprints = footprints
        self._caps = caps.amount
        self._holds: set[Hold] = set()
        self._lock = threading.Lock()

    @classmethod
    def here(cls, folder: Path, environ: Mapping[str, str], caps: Caps) -> Budget:
        """Return the budget for this machine. ``folder`` is shared by all workers on it; ``environ`` is the hosts'
        environment."""
        machine, gpu = devices.machine(), devices.gpu(environ)
        ledgers = [Ledger(folder, machine, OF_MACHINE), *([Ledger(folder, gpu, OF_GPU)] if gpu else [])]
        limit = devices.container_limit_mb()
        within = math.inf if limit is None else OF_CONTAINER * limit
        caps = Caps(min(caps.memory_mb, within), caps.gpu_memory_mb)
        return cls(ledgers, Footprints(folder / "footprints", (gpu or machine).kind), caps)

    @property
    def room(self) -> Amount:
        """The most that a host could ever get here: alone, with no other worker on the machine."""
        capacities = [ledger.capacity_mb for ledger in self._ledgers]
        vram_mb = capacities[1] if len(capacities) > 1 else 0.0
        return Amount(capacities[0], vram_mb).at_most(self._caps)

    @property
    def has_gpu(self) -> bool:
        return len(self._ledgers) > 1

    def footprint(self, lock_sha256: str) -> Footprint | None:
        """Return what was measured for a lock, or `None`."""
        return self._footprints.of(lock_sha256)

    def expected(self, lock_sha256: str, weights_mb: float, chars: int) -> Amount:
        """Return what a host of that lock will need to speak ``chars`` characters. For a lock that was never measured
        it is an estimate, at most all the room there is."""
        if (known := self._footprints.of(lock_sha256)) is not None:
            return known.speaking(chars)
        weights = Amount(weights_mb, weights_mb + CUDA_CONTEXT_MB if weights_mb and self.has_gpu else 0.0)
        guessed = (BARE_HOST + weights * WEIGHTS_GROW) * (1 + UNMEASURED_EXTRA)
        return guessed.at_most(self.room)

    def loaded(self, lock_sha256: str, amount: Amount) -> None:
        """Record that a host of that lock holds ``amount`` when idle."""
        self._footprints.loaded(lock_sha256, amount)

    def spoke(self, lock_sha256: str, chars: int, extra: Amount) -> None:
        """Record that speaking ``chars`` characters took ``extra`` in addition."""
        self._footprints.spoke(lock_sha256, chars, extra)

    def reserve(self, amount: Amount) -> Hold | None:
        """Reserve room for a host. Returns `None` if there is no room now."""
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
        """Return whether ``amount`` would fit if the holds in ``without`` were released. Other workers may change this
        at any time."""
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
        """Stop counting ``hold`` as this worker's."""
        with self._lock:
            self._holds.discard(hold)

    def left_for(self, hold: Hold) -> Amount:
        """Return what the host of ``hold`` may take without touching what this worker's other hosts have reserved."""
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
        """Return whether another worker of the machine has waited for room for at least ``waiting_s`` seconds."""
        return any(ledger.wanted_by_others(waiting_s) for ledger in self._ledgers)

    def _taken(self, but: Hold | None = None) -> Amount:
        return sum((hold.amount for hold in self._holds if hold is not but), NOTHING)


def _parts(amount: Amount) -> tuple[float, float]:
    return amount.rss_mb, amount.vram_mb
