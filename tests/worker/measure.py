"""Figures of the engine host on this machine: ``python -m tests.worker.measure``

start    from exec to a loaded espeak pin
lock     its manifest: reading and hashing every file, reading every voice
speak    one sentence through the host, against the same engine in this process; the difference is the host's cost
24 kHz   the same with sample rate conversion in the host
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from services.worker.engine_host import HOST, EngineHost, never_mind
from services.worker.engines.base import SpeakRequest
from services.worker.engines.espeak.family import Espeak

SENTENCE = SpeakRequest("The old clock on the wall struck seven, and nobody in the room said a word.", "en")
FAMILY = ("--family", "services.worker.engines.espeak.family:Espeak")


def milliseconds(work: Callable[[], object], repeats: int) -> str:
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return f"median {median(took):6.1f} ms   best {min(took):6.1f} ms   of {repeats}"


def start() -> None:
    host = EngineHost("espeak-v1", (*HOST, *FAMILY))
    host.load(never_mind, 60)
    host.close()


def main() -> None:
    engine = Espeak().build("espeak-v1")
    host = EngineHost("espeak-v1", (*HOST, *FAMILY))
    host.load(never_mind, 60)

    def speak(sample_rate: int | None) -> None:
        host.speak(SENTENCE, sample_rate=sample_rate, deadline_s=60, tick=never_mind)

    speak(24_000)  # numpy and soxr are loaded by the first
    print("start           ", milliseconds(start, 10))
    print("lock            ", milliseconds(lambda: Espeak().build("espeak-v1").manifest(), 10))
    print("speak, engine   ", milliseconds(lambda: engine.speak(SENTENCE), 50))
    print("speak, host     ", milliseconds(lambda: speak(None), 50))
    print("speak at 24 kHz ", milliseconds(lambda: speak(24_000), 50))
    print(f"host's peak RSS   {host.peak.rss_mb:.1f} MB (numpy and soxr included)")
    host.close()


if __name__ == "__main__":
    main()
