"""Planted outcomes of a comparison, of which the truth is known exactly.

Behind every score lies a normal number: the item's own, the side's way with the item, the seed's noise, and the
candidate's shift. What is scored is a function of it, so that the true difference of the means has a closed form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm  # type: ignore[import-untyped]

Numbers = npt.NDArray[np.float64]

BETWEEN_ITEMS, SIDE, SEED = 0.5, 0.2, 0.3
"""Standard deviations: of items, of what a side makes of an item, of the seeds of one item."""
_ALL = float(np.sqrt(BETWEEN_ITEMS**2 + SIDE**2 + SEED**2))


@dataclass(frozen=True)
class Outcome:
    """``score`` turns a normal number of mean ``centre`` into a score; ``mean`` gives the true mean of such scores."""

    name: str
    centre: float
    shift: float
    score: Callable[[Numbers], Numbers]
    mean: Callable[[float], float]
    binary: bool = False
    relative: bool = False
    """The margin is a share of the baseline: differences are those from the baseline less that share of it."""
    ruin: float = 0.0
    """Sigma of a lognormal loss, 0 on average: the candidate loses much on few items, gains a little on others."""

    def truth(self, shift: float) -> float:
        """True mean of the differences that are drawn for ``shift``."""
        return 0.0 if self.relative else self._change(shift)

    def _change(self, shift: float) -> float:
        return self.mean(self.centre + shift) - self.mean(self.centre)

    def draw(self, random: np.random.Generator, shape: tuple[int, int], seeds: int, shift: float) -> Numbers:
        """Differences by item of ``shape`` (comparisons, items), each averaged over ``seeds``."""
        share = self._change(shift) / self.mean(self.centre) if self.relative else 0.0
        item = random.normal(self.centre, BETWEEN_ITEMS, (*shape, 1))

        def spoken(shifted: float) -> Numbers:
            own = item + shifted + random.normal(0, SIDE, (*shape, 1))
            scores: Numbers = self.score(own + random.normal(0, SEED, (*shape, seeds))).mean(axis=-1)
            return scores

        baseline = spoken(0.0)
        lost = random.lognormal(0, self.ruin, shape) - np.exp(self.ruin**2 / 2) if self.ruin else 0.0
        return spoken(shift) - lost - (1 + share) * baseline


def _mean_of_lognormal(centre: float) -> float:
    return float(np.exp(centre + _ALL**2 / 2))


def _steps(x: Numbers) -> Numbers:
    return np.clip(np.round(x), 1, 5)


def _mean_of_steps(centre: float) -> float:
    return 1 + float(sum(norm.sf((step - centre) / _ALL) for step in (1.5, 2.5, 3.5, 4.5)))


def _yes(x: Numbers) -> Numbers:
    return (x > 0).astype(np.float64)


def _share_of_yes(centre: float) -> float:
    return float(norm.cdf(centre / _ALL))


OUTCOMES = (
    Outcome("Gaussian", 0.0, -0.1, lambda x: x, lambda centre: centre),
    Outcome("few items ruined", 0.0, -0.1, lambda x: x, lambda centre: centre, ruin=0.5),
    Outcome("skewed (lognormal)", 0.0, -0.2, np.exp, _mean_of_lognormal),
    Outcome("skewed, relative margin", 0.0, -0.2, np.exp, _mean_of_lognormal, relative=True),
    Outcome("steps of a MOS, 1 to 5", 3.6, -0.3, _steps, _mean_of_steps),
    Outcome("yes or no, 80 % yes", 0.84 * _ALL, -0.3, _yes, _share_of_yes, binary=True),
    Outcome("yes or no, 95 % yes", 1.64 * _ALL, -0.3, _yes, _share_of_yes, binary=True),
)
