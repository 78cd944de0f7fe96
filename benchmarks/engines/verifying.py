"""How fast a pin is checked: all bytes against ``sha256sum``, and quickly inside a process.

All bytes: the same files on both sides, read whole from the page cache, in turns; ours with as many threads as
``xargs -P`` starts processes. (A ``sha256sum`` that makes no use of the CPU's own SHA instructions is left far behind.)
Quickly: a pin of 40 files and 10 GB. Those files are holes, so that the disk need not hold them, and they are not read:
as of zeros their hashes are known, and what a full check would write down of them is written down by the store's own
`record`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.harness.processes import Processes
from benchmarks.harness.progress import say
from services.worker.pins.catalog_pins import CatalogPins
from shared.weights.lock import Component, LockedFile, PinLock, Source
from shared.weights.store import WeightStore, settled
from shared.weights.verification import THREADS, verify

_ROUNDS = 5
_FILES = 8
_FILE_BYTES = 128 << 20
_QUICK_ROUNDS = 30
_QUICK_FILES = 40
_QUICK_BYTES = 10_000_000_000
_PIECE_BYTES = 1 << 20
_SOURCE = Source(folder="/nowhere")


def measure() -> dict[str, float]:
    """Bytes per second of both sides, and milliseconds of a quick check."""
    with Processes() as processes:
        store = WeightStore(processes.folder / "models")
        whole = _pin("whole", [_written(store, number) for number in range(_FILES)])
        store.link(whole)
        ours_s, theirs_s = [], []
        for _ in range(1 + _ROUNDS):
            theirs_s.append(_seconds(lambda: _sha256sum(store, whole)))
            ours_s.append(_seconds(lambda: verify(store, whole, whole=True)))
        quick = _quick(store)
    ours, theirs = (whole.size / median(taken[1:]) for taken in (ours_s, theirs_s))
    say(f"verifying: {ours / 1e6:.0f} MB/s, sha256sum {theirs / 1e6:.0f}, {THREADS} at a time; quick {quick}")
    return {"ours_mb_per_s": ours / 1e6, "baseline_mb_per_s": theirs / 1e6, **quick}


def _quick(store: WeightStore) -> dict[str, float]:
    """Milliseconds of a quick check, and of all that a worker does before it starts the host of such a pin."""
    sizes = [_QUICK_BYTES // _QUICK_FILES + number for number in range(_QUICK_FILES)]
    pin = _pin(
        "quick", [_hole(store, size, sha256) for size, sha256 in zip(sizes, _hashes_of_zeros(sizes), strict=True)]
    )
    store.link(pin)
    assert verify(store, pin).hashed_bytes == 0
    catalog_pins = CatalogPins(store, store.root / "no catalog")
    asked = {
        "quick_ms": lambda: verify(store, pin),
        "host_start_ms": lambda: json.dumps(catalog_pins.snapshot(pin).to_json()),
    }
    return {name: 1000 * median(_seconds(call) for _ in range(_QUICK_ROUNDS)) for name, call in asked.items()}


def _pin(name: str, files: Sequence[LockedFile]) -> PinLock:
    return PinLock(name, "none", (Component("model", (_SOURCE,), tuple(files)),))


def _written(store: WeightStore, number: int) -> LockedFile:
    """A file of bytes that differ from file to file, in the store."""
    content = random.Random(number).randbytes(_PIECE_BYTES) * (_FILE_BYTES // _PIECE_BYTES)
    file = LockedFile(f"weights-{number}.bin", len(content), hashlib.sha256(content).hexdigest())
    brought = _brought(store, file)
    brought.write_bytes(content)
    store.adopt(brought, file, source_name="a benchmark")
    return file


def _hole(store: WeightStore, size: int, sha256: str) -> LockedFile:
    """A file of zeros that takes no room, where the store has its files, recorded as if it had been hashed there."""
    file = LockedFile(f"shards/{size}.bin", size, sha256)
    blob = store.blob(sha256)
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.touch()
    os.truncate(blob, size)
    store.record(sha256, settled(blob))
    return file


def _hashes_of_zeros(sizes: Sequence[int]) -> list[str]:
    """Of so many zero bytes each; sizes rise by less than a piece from first to last."""
    digest, pieces = hashlib.sha256(), bytes(_PIECE_BYTES)
    for _ in range(sizes[0] // _PIECE_BYTES):
        digest.update(pieces)
    found = []
    for size in sizes:
        of_all = digest.copy()
        of_all.update(bytes(size - sizes[0] // _PIECE_BYTES * _PIECE_BYTES))
        found.append(of_all.hexdigest())
    return found


def _brought(store: WeightStore, file: LockedFile) -> Path:
    path = store.partial(file.sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _sha256sum(store: WeightStore, pin: PinLock) -> None:
    paths = "\0".join(str(store.blob(file.sha256)) for file in pin.files)
    command = ["xargs", "-0", "-n", "1", "-P", str(THREADS), "sha256sum"]
    subprocess.run(command, input=paths.encode(), stdout=subprocess.DEVNULL, check=True)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
