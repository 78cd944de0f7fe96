"""What it brings to speak texts together: 16 in one pass against the same 16 one by one, in turns.

On a GPU only. On a CPU a batch takes longer than its texts alone, which is why pins there speak one by one unless they
are told to (docs/engines/transformers.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.harness import untrained
from benchmarks.harness.progress import say
from services.worker.engines.transformers.engine import BATCH
from shared.audio import Audio

_ROUNDS = 5


def measure() -> dict[str, float]:
    """Seconds of speech per second, both ways (a batch draws other lengths); nothing without a GPU."""
    if not untrained.gpu():
        say("batching: no GPU here")
        return {}
    with TemporaryDirectory() as folder:
        engine = untrained.engine(untrained.checkpoint(Path(folder) / "voice"), max_batch=BATCH)
    requests = [untrained.request(seed) for seed in range(BATCH)]
    together, alone = [], []
    for _ in range(1 + _ROUNDS):
        together.append(_per_s(lambda: engine.speak_batch(requests)))
        alone.append(_per_s(lambda: [engine.speak(request) for request in requests]))
    ours, baseline = median(together[1:]), median(alone[1:])  # the first round warms up
    say(f"batching: {ours:.0f} s of speech a second together, {baseline:.0f} s one by one")
    return {"together_per_s": ours, "alone_per_s": baseline}


def _per_s(speak: Callable[[], Sequence[Audio]]) -> float:
    began = time.perf_counter()
    spoken = speak()
    took_s = time.perf_counter() - began
    return sum(audio.duration_s for audio in spoken) / took_s
