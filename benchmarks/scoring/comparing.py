"""A comparison from stored scores: 2 pins x 35 items x 5 seeds, every metric, every plot, on one core.

``python -m benchmarks.scoring.comparing`` prints the seconds as JSON. The clips are espeak's, spoken before the clock
starts; the scores are made up, one of every quantity for every clip. The clock includes encoding the clips that are
embedded in the report and finding their pitch.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping

import numpy as np

from benchmarks.harness.processes import environment
from benchmarks.harness.progress import say
from demo.__main__ import PINS
from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.quantities import known_quantities
from services.scorer.report.document import report
from services.worker.engines.base import SpeakRequest
from services.worker.engines.families import family_of
from shared.audio import Audio
from shared.controls import Emotion
from shared.gating.toml_notation import default_rules
from shared.scores import Score
from shared.suites.reading import golden_suite

SUITE = golden_suite("golden-en-emotion")
SEEDS = (0, 1, 2, 3, 4)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measure() -> dict[str, float]:
    """Seconds of the whole and of its parts, in a process that has one core."""
    argv = [sys.executable, "-m", "benchmarks.scoring.comparing"]
    done = subprocess.run(argv, env={**environment(), **_ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sounds: dict[str, Audio] = {}
    baseline, candidate = (_evaluated(pin, shift, sounds) for pin, shift in zip(PINS, (0.0, 0.1), strict=True))
    began = time.monotonic()
    comparison = compare("cmp_benchmark", baseline, candidate)
    gate = decide("gate_benchmark", comparison, baseline, candidate, default_rules())
    compared = time.monotonic()
    made = report(comparison, baseline, candidate, lambda sha256, _: sounds.get(sha256), gate)
    ended = time.monotonic()
    say(f"comparing: {len(comparison.rows)} rows, {len(made.plots)} plots, a page of {len(made.html) / 1e6:.1f} MB")
    print(json.dumps({"statistics_s": compared - began, "report_s": ended - compared, "whole_s": ended - began}))


def _evaluated(pin: str, shift: float, sounds: dict[str, Audio]) -> Evaluated:
    """``shift``: what every score is raised by, of its spread."""
    random = np.random.default_rng(7)
    spoken = _spoken(pin)
    sounds |= {audio.sha256: audio for audio in spoken.values()}
    names = [(quantity.name, quantity.unit) for info in known_quantities().families for quantity in info.quantities]
    clips = []
    for item in SUITE.items:
        audio = spoken[item.id]
        for seed in SEEDS:
            values = random.uniform(1, 2, len(names)) + shift
            scores = {n: Score(float(v), unit, n) for (n, unit), v in zip(names, values, strict=True)}
            scores["emotion/correct"] = Score(float(random.integers(0, 2)), "1", "emotion/correct")
            made = (audio.sha256, audio.sample_rate, audio.duration_s)
            clips.append(SpokenClip(item.id, seed, f"job-{item.id}-{seed}", False, scores, *made))
    return Evaluated(pin, pin, "espeak", pin, SUITE, SEEDS, True, {}, "none", tuple(clips))


def _spoken(pin: str) -> Mapping[str, Audio]:
    engine = family_of(pin).build(pin)
    engine.load()
    return {
        item.id: engine.speak(SpeakRequest(item.text, item.language, emotion=Emotion(item.emotion)))
        for item in SUITE.items
    }


if __name__ == "__main__":
    main()
