"""What the pin option ``compile`` brings: the same text by a compiled voice and by one as it is, in turns.

On a GPU where there is one, else on the CPU. Compiling itself is not counted: a host does it once per range of lengths.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.harness import untrained
from benchmarks.harness.progress import say
from services.worker.engines.base import EngineError
from services.worker.engines.transformers.compiling import require_compiler

_ROUNDS = 12


def measure() -> dict[str, float]:
    """Texts per second of both, and seconds until the compiled one had spoken first; nothing without a compiler."""
    try:
        require_compiler(gpu=untrained.gpu())
    except EngineError as error:
        say(f"compiled: {error}")
        return {}
    with TemporaryDirectory() as folder:
        checkpoint = untrained.checkpoint(Path(folder) / "voice")
        eager = untrained.engine(checkpoint)
        began = time.perf_counter()
        compiled = untrained.engine(checkpoint, compile="inductor")
    request = untrained.request(7)
    compiled.speak(request)
    compiling_s = time.perf_counter() - began
    eager.speak(request)
    eager_s, compiled_s = [], []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        eager.speak(request)
        between = time.perf_counter()
        compiled.speak(request)
        eager_s.append(between - began)
        compiled_s.append(time.perf_counter() - between)
    ours, baseline = 1 / median(compiled_s), 1 / median(eager_s)
    device = "GPU" if untrained.gpu() else "CPU"
    say(f"compiled: {ours:.2f}/s, as it is {baseline:.2f}/s, on a {device}; compiled within {compiling_s:.0f} s")
    return {"compiled_per_s": ours, "eager_per_s": baseline, "compiling_s": compiling_s}
