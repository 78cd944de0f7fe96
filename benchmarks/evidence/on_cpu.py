"""Why a pin of VITS has one thread and no batches on a CPU: ``python -m benchmarks.evidence.on_cpu``.

By number of threads: how many samples of a text come out otherwise than with one thread, and by how much. By size of
the batch: how much speech a second of CPU time makes, to that of one text at a time. No row of ``make bench``: it is
how the defaults of the pin options ``threads`` and ``max_batch`` were chosen. Takes two minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.harness import untrained
from services.worker.engines.base import SpeakRequest
from services.worker.engines.transformers.engine import TransformersEngine
from shared.audio import Audio

THREADS = (2, 3, 4, 8)
BATCHES = (2, 4)
_ROUNDS = 3


def main() -> None:
    with TemporaryDirectory() as folder:
        checkpoint = untrained.checkpoint(Path(folder) / "voice")
        _threads(checkpoint)
        _batches(checkpoint)


def _threads(checkpoint: Path) -> None:
    request = untrained.request(7)
    alone = _samples(checkpoint, 1, request)
    for threads in THREADS:
        samples = _samples(checkpoint, threads, request)
        if len(samples) == len(alone):
            apart = np.abs(samples - alone)
            print(f"{threads} threads: {(apart > 0).sum()} of {len(alone):,} samples differ, by {apart.max()} at most")
        else:
            print(f"{threads} threads: {len(samples):,} samples instead of {len(alone):,}")


def _samples(checkpoint: Path, threads: int, request: SpeakRequest) -> np.ndarray:
    engine = untrained.engine(checkpoint, device="cpu", threads=threads)
    return np.frombuffer(engine.speak(request).pcm, "<i2").astype(int)


def _batches(checkpoint: Path) -> None:
    engine = untrained.engine(checkpoint, device="cpu", max_batch=max(BATCHES))
    for size in BATCHES:
        requests = [untrained.request(seed) for seed in range(size)]
        together = _per_s(partial(engine.speak_batch, requests))
        alone = _per_s(partial(_one_by_one, engine, requests))
        print(f"batch of {size}: {together / alone:.2f} x")


def _one_by_one(engine: TransformersEngine, requests: Sequence[SpeakRequest]) -> Sequence[Audio]:
    return [engine.speak(request) for request in requests]


def _per_s(speak: Callable[[], Sequence[Audio]]) -> float:
    """Seconds of speech in a second of CPU time."""
    made = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        spoken = speak()
        made.append(sum(audio.duration_s for audio in spoken) / (time.process_time() - began))
    return median(made)


if __name__ == "__main__":
    main()
