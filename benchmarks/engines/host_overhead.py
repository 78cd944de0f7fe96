"""What it costs a job that its engine lives in a process of its own.

The same sentences by the same engine, once called here and once asked of an engine host, in turns; of the host also
what a worker asks after each job. The difference of the medians is the pipe.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median

from benchmarks.harness.clips import LINES
from benchmarks.harness.progress import say
from demo.__main__ import PINS
from services.worker.engine_host import EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.engines.families import family_of

_ROUNDS = 4
_PIN = PINS[1]


def measure() -> dict[str, float]:
    """Milliseconds per job of both ways, and their difference."""
    engine = family_of(_PIN).build(_PIN)
    engine.load()
    host = EngineHost(_PIN)
    try:
        host.load(never_mind, 60)
        requests = [line.spoken_alone for line in LINES if line.pin == _PIN]
        called_ms, asked_ms = [], []
        for request in requests * _ROUNDS:
            called_ms.append(_ms(partial(engine.speak, request)))
            asked_ms.append(_ms(partial(_asked, host, request)))
    finally:
        host.close()
    called, asked = median(called_ms), median(asked_ms)
    say(f"engine host: {called:.2f} ms called, {asked:.2f} ms asked")
    return {"called_ms": called, "asked_ms": asked, "overhead_ms": asked - called}


def _asked(host: EngineHost, request: SpeakRequest) -> None:
    host.speak(request, sample_rate=None, deadline_s=30, tick=never_mind)


def _ms(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000
