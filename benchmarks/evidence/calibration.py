"""How often a verdict is wrong: ``python -m benchmarks.evidence.calibration [--comparisons N]``.

Simulates comparisons whose truth is known (benchmarks/evidence/outcomes.py) and prints the tables of
docs/statistics.md; one core, a few minutes. Exit code 1 where a promise does not hold:

- P(fail | no difference), at a margin of zero, the hardest: at most 5 %
- P(pass | the true difference is the margin): at most 5 %
- the 95 % interval covers the true difference: in at least 93 %
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from benchmarks.evidence.outcomes import OUTCOMES, Numbers, Outcome
from benchmarks.harness.progress import say
from services.scorer.analysis.statistics.means import mean_bounds
from services.scorer.analysis.statistics.proportions import proportion_bounds
from services.scorer.analysis.statistics.resampling import studentised_roots
from services.scorer.analysis.statistics.rules import falls_short, reaches

ITEMS = (10, 15, 20, 35, 70)
SEEDS = (1, 3, 5)
FALSE_AT_MOST, COVERED_AT_LEAST = 0.05, 0.93
_COMPARISONS, _PER_METHOD = 4000, 1000
_AT_ONCE = 250
_SEED = 1

Bounds = tuple[Numbers, Numbers]


@dataclass(frozen=True)
class Rates:
    """Shares of simulated comparisons, 0 to 1. ``covered``: the lower of both truths."""

    false_fail: float
    false_pass: float
    covered: float

    @property
    def hold(self) -> bool:
        return max(self.false_fail, self.false_pass) <= FALSE_AT_MOST and self.covered >= COVERED_AT_LEAST


def rates(outcome: Outcome, items: int, seeds: int, comparisons: int, seed: int = _SEED) -> Rates:
    """Judge ``comparisons`` comparisons without a difference and as many with the difference that is the margin."""
    random = np.random.default_rng((seed, items, seeds))

    def bounds(shift: float) -> Bounds:
        sample = outcome.draw(random, (comparisons, items), seeds, shift)
        return _in_parts(partial(proportion_bounds, seeds=seeds) if outcome.binary else mean_bounds, sample)

    same_low, same_high = bounds(0.0)
    low, high = bounds(outcome.shift)
    margin = outcome.truth(outcome.shift)
    return Rates(
        false_fail=float(falls_short(same_high, 0.0).mean()),
        false_pass=float(reaches(low, margin).mean()),
        covered=min(_covered(same_low, same_high, 0.0), _covered(low, high, margin)),
    )


def _covered(low: Numbers, high: Numbers, truth: float) -> float:
    return float(((low <= truth) & (truth <= high)).mean())


def _in_parts(bounds: Callable[[Numbers], Bounds], sample: Numbers) -> Bounds:
    """``bounds`` of some comparisons at a time: all resamples of all of them would not fit into memory."""
    parts = [bounds(sample[start : start + _AT_ONCE]) for start in range(0, len(sample), _AT_ONCE)]
    return np.concatenate([low for low, _ in parts]), np.concatenate([high for _, high in parts])


def _student(sample: Numbers) -> Bounds:
    interval = stats.ttest_1samp(sample, 0.0, axis=-1).confidence_interval(0.95)
    return interval.low, interval.high


def _studentised(sample: Numbers) -> Bounds:
    lowest, highest = np.quantile(studentised_roots(sample, 2000), (0.025, 0.975), axis=-1)
    mean, error = sample.mean(axis=-1), stats.sem(sample, axis=-1)
    return mean - highest * error, mean - lowest * error


def _scipy(method: str) -> Callable[[Numbers], Bounds]:
    def bounds(sample: Numbers) -> Bounds:
        random = np.random.default_rng(_SEED)
        found = stats.bootstrap(
            (sample,), np.mean, axis=-1, n_resamples=1999, batch=100, method=method, rng=random, vectorized=True
        ).confidence_interval
        return found.low, found.high

    return bounds


METHODS: dict[str, Callable[[Numbers], Bounds]] = {
    "percentile": _scipy("percentile"),
    "BCa": _scipy("BCa"),
    "studentised": _studentised,
    "t": _student,
    "ours": mean_bounds,
}


def coverage(method: str, outcome: Outcome, items: int, comparisons: int) -> tuple[float, float]:
    """How often the 95 % interval of ``method`` covers the truth, and how often it lies wholly above it."""
    random = np.random.default_rng((_SEED, items))
    sample = outcome.draw(random, (comparisons, items), 1, outcome.shift)
    low, high = _in_parts(METHODS[method], sample)
    truth = outcome.truth(outcome.shift)
    return _covered(low, high, truth), float((low > truth).mean())


def main() -> int:
    """Print both tables; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence.calibration", description=__doc__)
    parser.add_argument("--comparisons", type=int, default=_COMPARISONS, help="per figure (default: %(default)s)")
    comparisons = parser.parse_args().comparisons
    holds = _print_verdicts(comparisons)
    _print_methods(min(comparisons, _PER_METHOD))
    return int(not holds)


def _print_verdicts(comparisons: int) -> bool:
    print(f"\n{comparisons} comparisons per figure; figures in % for {' / '.join(map(str, SEEDS))} seeds\n")
    print("| outcome | items | fail, no difference | pass, at the margin | interval covers | holds |")
    print("|---|---|---|---|---|---|")
    all_hold = True
    for outcome in OUTCOMES:
        for items in ITEMS:
            say(f"{outcome.name}, {items} items")
            cells = [rates(outcome, items, seeds, comparisons) for seeds in SEEDS]
            holds = all(cell.hold for cell in cells)
            all_hold &= holds
            columns = (
                " / ".join(f"{100 * getattr(cell, name):.1f}" for cell in cells)
                for name in ("false_fail", "false_pass", "covered")
            )
            print(f"| {outcome.name} | {items} | {' | '.join(columns)} | {'yes' if holds else 'NO'} |", flush=True)
    return all_hold


def _print_methods(comparisons: int) -> None:
    print(f"\n{comparisons} comparisons per figure, one seed: interval covers / lies wholly above the truth, in %\n")
    print(f"| outcome | items | {' | '.join(METHODS)} |")
    print("|---|---|" + "---|" * len(METHODS))
    for outcome in (outcome for outcome in OUTCOMES if not outcome.binary):
        for items in (5, *ITEMS):
            say(f"methods: {outcome.name}, {items} items")
            found = (coverage(method, outcome, items, comparisons) for method in METHODS)
            cells = " | ".join(f"{100 * covered:.1f} / {100 * above:.1f}" for covered, above in found)
            print(f"| {outcome.name} | {items} | {cells} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
