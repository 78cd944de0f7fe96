"""Clips of 4 s scored in one process on one thread: ``python -m benchmarks.baselines.one_clip_alone --models DIR``.

Prints the mean CPU seconds per clip as JSON. With ``--lock FILE``, by the families that real weights were pulled for
and those beside them; else by the default families.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

from benchmarks.harness.clips import lines_of
from demo.__main__ import PINS
from services.worker.engines.families import family_of
from shared.audio import Audio

WITH_WEIGHTS = ("dnsmos", "distillmos", "whisper", "speaker", "prosody")
SUITE = "golden-en-emotion"
CLIP_S = 4.0
_MOST_SILENCE_S = 0.6
_CLIPS = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of fetched weights; may be missing")
    parser.add_argument("--lock", type=Path, help="the catalog's lock of those weights")
    arguments = parser.parse_args()
    # Libraries read these when they are loaded: before anything below imports one.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    from services.scorer.metrics.base import MeasuredClip
    from services.scorer.metrics.instruments import Instruments
    from services.scorer.metrics.panel import Panel
    from shared.metrics import METRICS
    from shared.scores import Score

    panel = Panel(METRICS, Instruments(arguments.models, lock_file=arguments.lock))
    default = [name for name, info in METRICS.items() if info.default and not info.where_pulled]
    families = default if arguments.lock is None else WITH_WEIGHTS

    def score(text: str, audio: Audio) -> None:
        clip = MeasuredClip.of(audio, text=text, language="en", reference=audio)
        for family in families:
            scores = panel.measure(family, clip)
            if arguments.lock is not None and not any(isinstance(one, Score) for one in scores.values()):
                raise SystemExit(f"{family} gives no value: {scores}")

    first, *others = _clips()
    score(*first)  # loads the models
    began = time.process_time()
    for text, audio in others:
        score(text, audio)
    print(json.dumps({"cpu_s": (time.process_time() - began) / len(others)}))


def _clips() -> list[tuple[str, Audio]]:
    """Return sentences of a suite whose speech is nearly as long, with silence after it."""
    engines = {pin: family_of(pin).build(pin) for pin in PINS}
    for engine in engines.values():
        engine.load()
    found = []
    for line in lines_of(SUITE):
        spoken = engines[line.pin].speak(line.spoken_alone)
        missing = round(CLIP_S * spoken.sample_rate) - len(spoken.pcm) // 2
        if 0 <= missing < _MOST_SILENCE_S * spoken.sample_rate:
            found.append((line.text, Audio(spoken.pcm + bytes(2 * missing), spoken.sample_rate)))
    return found[: _CLIPS + 1]


if __name__ == "__main__":
    main()
