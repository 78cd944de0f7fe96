"""Budgets of memory on devices that a test makes up."""

from __future__ import annotations

from pathlib import Path

from services.worker.memory.budget import Budget, Caps
from services.worker.memory.devices import Device
from services.worker.memory.footprints import Footprints
from services.worker.memory.ledger import Ledger


def budget(folder: Path, memory_mb: float = 100_000.0, gpu_mb: float | None = None, caps: Caps | None = None) -> Budget:
    """Of a machine with so much memory that engines may take, and of its GPU."""
    ledgers = [Ledger(folder, Device("machine", "cpu", memory_mb))]
    if gpu_mb is not None:
        ledgers.append(Ledger(folder, Device("GPU-0", "a GPU", gpu_mb)))
    return Budget(ledgers, Footprints(folder / "footprints", "a kind"), caps or Caps())
