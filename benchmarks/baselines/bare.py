"""What the work itself costs: the benchmark's clips spoken and scored in one process on one thread, nothing around it.

``python -m benchmarks.baselines.bare --models DIR``: prints the CPU seconds as JSON. The share of a machine that a
system reaches is these seconds by cores and wall time: what it adds by itself does not count as work done.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from benchmarks.harness.clips import ONE, SpokenLine, lines_of
from demo.__main__ import PINS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of fetched weights; may be empty")
    parser.add_argument("--suite", help="a suite that ships (default: the demo's sentences)")
    arguments = parser.parse_args()
    models = arguments.models
    # Libraries read these when they are loaded: before anything below imports one.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    from services.scorer.metrics.base import MeasuredClip
    from services.scorer.metrics.instruments import Instruments
    from services.scorer.metrics.panel import Panel
    from services.worker.engines.families import family_of
    from shared.metrics import METRICS

    engines = {pin: family_of(pin).build(pin) for pin in PINS}
    for engine in engines.values():
        engine.load()
    panel = Panel(METRICS, Instruments(models))

    def clip(line: SpokenLine) -> None:
        audio = engines[line.pin].speak(line.spoken_alone)
        spoken = MeasuredClip.of(audio, text=line.text, language=line.language)
        for info in METRICS.values():
            if info.default:
                panel.measure(info.family, spoken)

    clip(ONE)
    began, cpu = time.monotonic(), time.process_time()
    for line in lines_of(arguments.suite):
        clip(line)
    print(json.dumps({"cpu_s": time.process_time() - cpu, "wall_s": time.monotonic() - began}))


if __name__ == "__main__":
    main()
