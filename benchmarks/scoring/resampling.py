"""The studentised bootstrap of one mean: a loop that draws resample after resample, against ours."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from statistics import fmean, median, stdev

import numpy as np

from benchmarks.harness.progress import say
from services.scorer.analysis.statistics.resampling import RESAMPLES, studentised_roots

ITEMS = 35
_ROUNDS = 5
_AGREE_WITHIN = 0.15
"""Of t: what the quantiles of two draws of 10,000 differ by at most, with some room."""


class Disagrees(Exception):
    """The loop and ours do not find the same distribution; their times are not comparable."""


def measure() -> dict[str, float]:
    """Milliseconds for 10,000 resamples of 35 differences (median of rounds, one after the other)."""
    source = random.Random(5)
    sample = [source.gauss(0.1, 0.3) for _ in range(ITEMS)]
    found = studentised_roots(np.array(sample))
    for share in (0.025, 0.975):
        loop, ours = (float(np.quantile(roots, share)) for roots in (_loop(sample, source), found))
        if abs(loop - ours) > _AGREE_WITHIN:
            raise Disagrees(f"quantile {share}: {loop:.3f} by the loop, {ours:.3f} by ours")
    figures = {
        "loop_ms": _median_ms(lambda: _loop(sample, source)),
        "ours_ms": _median_ms(lambda: studentised_roots(np.array(sample))),
    }
    say(f"resampling: loop {figures['loop_ms']:.0f} ms, ours {figures['ours_ms']:.1f} ms")
    return figures


def _loop(sample: Sequence[float], source: random.Random) -> list[float]:
    mean, roots = fmean(sample), []
    for _ in range(RESAMPLES):
        drawn = source.choices(sample, k=len(sample))
        roots.append((fmean(drawn) - mean) / (stdev(drawn) / math.sqrt(len(drawn))))
    return roots


def _median_ms(call: Callable[[], object]) -> float:
    took = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - began))
    return median(took)
