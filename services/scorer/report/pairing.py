"""The clips of two evaluations laid side by side: by item, by seed, by metric; and which item lost most.

Seeds are averaged within an item, over those that both sides have scored, as the comparison does. Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.scorer.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.comparison.result import Row
from shared.scores import Direction, Reason, Score, Scored, Unscored
from shared.suites.suite import Item


@dataclass(frozen=True, slots=True)
class Pair:
    """Both clips of an item at one seed; a side that was never spoken is None."""

    seed: int
    baseline: SpokenClip | None
    candidate: SpokenClip | None

    def scored(self, metric: str) -> tuple[Scored | None, Scored | None]:
        """Baseline's and candidate's; None where a clip was spoken and nothing is known of the metric."""
        return _scored(self.baseline, metric), _scored(self.candidate, metric)

    def values(self, metric: str) -> tuple[float, float] | None:
        """Where both sides are scored."""
        baseline, candidate = self.scored(metric)
        if isinstance(baseline, Score) and isinstance(candidate, Score):
            return baseline.value, candidate.value
        return None


def _scored(clip: SpokenClip | None, metric: str) -> Scored | None:
    if clip is None or clip.pcm_sha256 is None:
        return Unscored(Reason.NOT_SPOKEN)
    return clip.scores.get(metric)


@dataclass(frozen=True)
class PairedItem:
    """One item of the suite, and what both pins made of it. ``number``: its place in the suite, from 1."""

    number: int
    item: Item
    pairs: tuple[Pair, ...]

    @cached_property
    def heard(self) -> Pair | None:
        """The pair to listen to: the first seed at which both sides have sound, or else either."""

        def sounds(pair: Pair) -> int:
            return sum(side is not None and side.pcm_sha256 is not None for side in (pair.baseline, pair.candidate))

        return max((pair for pair in self.pairs if sounds(pair)), key=sounds, default=None)

    def means(self, metric: str) -> tuple[float, float] | None:
        """Of baseline and candidate, over the seeds that both have scored."""
        values = [both for pair in self.pairs if (both := pair.values(metric)) is not None]
        if not values:
            return None
        baseline, candidate = zip(*values, strict=True)
        return sum(baseline) / len(values), sum(candidate) / len(values)

    def has_lost(self, metric: str) -> bool:
        """Whether the baseline has scores, and the candidate none at all: worse than any difference."""
        scored = [pair.scored(metric) for pair in self.pairs]
        return any(isinstance(b, Score) for b, _ in scored) and not any(isinstance(c, Score) for _, c in scored)


def paired(baseline: Evaluated, candidate: Evaluated) -> tuple[PairedItem, ...]:
    """Every item of either suite, in the order of the baseline's, then the candidate's."""
    clips = [{(clip.item, clip.seed): clip for clip in side.clips} for side in (baseline, candidate)]
    seeds: dict[str, dict[int, None]] = {}
    for item, seed in (*clips[0], *clips[1]):
        seeds.setdefault(item, {})[seed] = None
    items = {**candidate.items, **baseline.items}
    order = dict.fromkeys((*baseline.items, *candidate.items))
    return tuple(
        PairedItem(number, items[name], tuple(_pair(name, seed, clips) for seed in sorted(seeds.get(name, ()))))
        for number, name in enumerate(order, 1)
    )


def _pair(item: str, seed: int, clips: Sequence[Mapping[tuple[str, int], SpokenClip]]) -> Pair:
    baseline, candidate = (side.get((item, seed)) for side in clips)
    return Pair(seed, baseline, candidate)


def by_loss(items: Sequence[PairedItem], row: Row) -> tuple[PairedItem, ...]:
    """Largest loss of the candidate first, unscored ones before all; what neither side can be judged by comes last.

    A metric that only describes has no loss: there the largest difference comes first.
    """

    def place(one: PairedItem) -> tuple[int, float, int]:
        means = one.means(row.metric)
        if means is None:
            return (0 if one.has_lost(row.metric) else 2), 0.0, one.number
        return 1, _gain(row, means[1] - means[0]), one.number

    return tuple(sorted(items, key=place))


def _gain(row: Row, difference: float) -> float:
    if row.direction == Direction.NEUTRAL:
        return -abs(difference)
    return difference if row.direction == Direction.HIGHER else -difference
