"""Two engine hosts side by side against one: how much more is spoken in the same time, on a GPU or on the CPU's cores.

A host works with one thread unless its pin says otherwise. Besides, what it would come to if each of the two took a
thread for every core, as torch does by itself.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.harness import untrained
from benchmarks.harness.cores import cores
from benchmarks.harness.progress import say
from services.worker.engine_host import HOST, EngineHost, never_mind

_ROUNDS = 3
_TEXTS = 2
_FAMILY = "services.worker.engines.transformers.family:Transformers"


def measure() -> dict[str, float]:
    """Texts per second: of one host, of two, and of two with a thread per core each; in turns."""
    one, two, crowded = [], [], []
    with TemporaryDirectory() as folder:
        checkpoint = untrained.checkpoint(Path(folder) / "voice")
        hosts = [_host(checkpoint, threads) for threads in (1, 1, max(1, int(cores())), max(1, int(cores())))]
    try:
        _per_s(hosts)  # warms up
        for _ in range(_ROUNDS):
            one.append(_per_s(hosts[:1]))
            two.append(_per_s(hosts[:2]))
            crowded.append(_per_s(hosts[2:]))
    finally:
        for host in hosts:
            host.close()
    say(f"two hosts: {median(one):.2f}/s by one, {median(two):.2f}/s by two, {median(crowded):.2f}/s crowded")
    return {"one_per_s": median(one), "two_per_s": median(two), "two_crowded_per_s": median(crowded)}


def _host(checkpoint: Path, threads: int) -> EngineHost:
    snapshot = untrained.snapshot(checkpoint, threads=threads)
    host = EngineHost("untrained", (*HOST, "--family", _FAMILY), snapshot=snapshot)
    host.load(never_mind, 120)
    return host


def _per_s(hosts: Sequence[EngineHost]) -> float:
    with ThreadPoolExecutor(len(hosts)) as slots:
        began = time.perf_counter()
        list(slots.map(_speak, hosts))
        return len(hosts) * _TEXTS / (time.perf_counter() - began)


def _speak(host: EngineHost) -> None:
    for seed in range(_TEXTS):
        host.speak(untrained.request(seed), sample_rate=None, deadline_s=300, tick=never_mind)
