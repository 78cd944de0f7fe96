"""How long it takes until a model is on the disk and its bytes are known to be right, from a hub on loopback.

The baseline is what a careful person types: huggingface_hub's ``snapshot_download`` at the commit, then ``sha256sum``
on what came. Ours is `ringtrue models pull`, which hashes as well and lays out the snapshot. Both are processes that
start cold, take turns, and find the hub's files in the page cache; the first turn is not counted.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.harness.processes import Processes, environment
from benchmarks.harness.progress import say
from benchmarks.harness.weights_hub import COMMIT, REPO
from services.embedded.preflight import free_port
from services.embedded.processes.child import ChildSpec, says
from shared.weights.lock import Component, LockedFile, PinLock, Source, write_locks

_SIZES_MB = (160, 96, 64, 48, 32, 16, 8, 4, 1, 1, 1, 1)
_ROUNDS = 5
_PIN = "bench"
_DOWNLOAD = (
    "import sys; from huggingface_hub import snapshot_download;"
    " snapshot_download(sys.argv[1], revision=sys.argv[2], local_dir=sys.argv[3])"
)


def measure() -> dict[str, float]:
    """Medians in MB/s, from the start of the process to its end."""
    with Processes() as processes:
        served = processes.folder / "served"
        lock = _made(served)
        port = free_port()
        hub = (sys.executable, "-m", "benchmarks.harness.weights_hub", str(served), str(port))
        processes.start(ChildSpec("hub", hub, says("ready")), environment())
        env = {**environment(), "HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HUB_DISABLE_XET": "1"}
        data = _folder(processes.folder / "data")
        env |= {"HF_HOME": str(processes.folder / "home"), "RINGTRUE_DATA": str(data)}
        env |= {"RINGTRUE_MODELS": str(data / "models")}
        write_locks(data / "catalog.lock", {_PIN: lock})
        (processes.folder / "sums").write_text("".join(f"{file.sha256}  {file.path}\n" for file in lock.files))
        seconds: dict[str, list[float]] = {"baseline": [], "ours": []}
        for _ in range(1 + _ROUNDS):
            seconds["baseline"].append(_baseline(processes.folder, env))
            seconds["ours"].append(_ours(processes.folder, env))
    rates = {f"{side}_mb_per_s": lock.size / 1e6 / median(taken[1:]) for side, taken in seconds.items()}
    say("pulling: " + "  ".join(f"{name} {rate:.0f}" for name, rate in rates.items()))
    return rates


def _made(folder: Path) -> PinLock:
    """Files of the sizes that a model has, and the lock of them."""
    files = []
    for number, size_mb in enumerate(_SIZES_MB):
        content = random.Random(number).randbytes(1 << 20) * size_mb
        path = _folder(folder) / f"part-{number}.bin"
        path.write_bytes(content)
        files.append(LockedFile(path.name, len(content), hashlib.sha256(content).hexdigest()))
    source = Source(hub="huggingface", repo=REPO, revision=COMMIT)
    return PinLock(_PIN, "transformers", (Component("model", (source,), tuple(files)),))


def _baseline(folder: Path, env: Mapping[str, str]) -> float:
    target = folder / "downloaded"
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-P", "-c", _DOWNLOAD, REPO, COMMIT, target], env=env, check=True, capture_output=True
    )
    sums = ["sha256sum", "--check", "--quiet", str(folder / "sums")]
    subprocess.run(sums, cwd=target, env=env, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    _gone(target)
    return seconds


def _ours(folder: Path, env: Mapping[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-P", "-m", "ringtrue", "models", "pull", _PIN], env=env, check=True, capture_output=True
    )
    seconds = time.perf_counter() - began
    _gone(folder / "data" / "models")
    return seconds


def _gone(folder: Path) -> None:
    shutil.rmtree(folder)
    os.sync()  # what one side has left to write does not slow down the other


def _folder(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path
