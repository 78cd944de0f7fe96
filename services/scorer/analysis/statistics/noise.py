"""The noise floor: how much a pin's scores differ when only the seed changes.

A pin speaks a suite with k seeds. For each item the scores of its seeds spread around the item's own mean. Pooled over
items, that gives the standard deviation of one score,

    σ² = Σ (x - mean of its item)² / Σ (k_i - 1),   f = Σ (k_i - 1) degrees of freedom.

From it come the two figures that are used. Both are 95 % half-widths of a difference of the pin from itself, which has
√2 of the noise of either side:

- `run_to_run` = t(f) · σ · √(2 / n): the mean over the n items of the suite, spoken twice, one seed each. This is the
  unit of a margin "in noise floors". It belongs to the suite, not to the number of seeds, so more seeds make a verdict
  surer but never a margin tighter.
- `item_band(k)` = t(f) · σ · √(2 / k): one item, averaged over k seeds. This is the tie band of win, tie, loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.scorer.analysis.statistics.distributions import t_quantile
from services.scorer.analysis.statistics.values import finite, is_constant


@dataclass(frozen=True, slots=True)
class SeedNoise:
    """The spread of one metric of one pin on one suite. ``sigma`` in the unit of the metric."""

    sigma: float
    freedom: int
    items: int

    @property
    def is_zero(self) -> bool:
        """Whether every seed gave the same score.

        Then the engine ignores its seed, or the metric hears no difference, and a margin cannot be stated in noise
        floors.
        """
        return self.sigma == 0

    @property
    def run_to_run(self) -> float:
        return self._half_width(self.items)

    def item_band(self, seeds: float) -> float:
        return self._half_width(seeds)

    def _half_width(self, averaged: float) -> float:
        return t_quantile(0.975, self.freedom) * self.sigma * math.sqrt(2 / averaged)


def noise_floor(scores: Mapping[str, Sequence[float]]) -> SeedNoise | None:
    """Return the floor from the scores of each item's seeds. None if no item has two."""
    repeated = [finite(values) for values in scores.values() if len(values) > 1]
    if not repeated:
        return None
    # Equal scores have no spread, however their mean is rounded.
    squares = sum(0.0 if is_constant(x) else float(np.sum((x - x.mean()) ** 2)) for x in repeated)
    freedom = sum(len(x) - 1 for x in repeated)
    return SeedNoise(math.sqrt(squares / freedom), freedom, len(repeated))
