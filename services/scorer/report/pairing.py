"""Pairs the clips of two evaluations: by item, by seed, by metric; and finds the items that lost most.

The comparison decides which items and seeds are paired (`alignment`), and that seeds are averaged within an item, over
those that both sides have scored. Knows no page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.scorer.analysis.comparison.alignment import common_items, paired_seeds
from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.analysis.comparison.result import MetricRow
from shared.scores import Direction, Reason, Score, Scored, Unscored
from shared.suites.suite import Item


@dataclass(frozen=True, slots=True)
class ClipPair:
    """Both clips of an item at one seed, or at two seeds that are paired.

    ``seeds``: the baseline's and the candidate's. A side that was never spoken is None.
    """

    seeds: tuple[int, int]
    baseline: SpokenClip | None
    candidate: SpokenClip | None

    @property
    def seed(self) -> str:
        """The seed as text: ``3``, or ``3 against 8`` if the two sides spoke different ones."""
        ours, theirs = self.seeds
        return str(ours) if ours == theirs else f"{ours} against {theirs}"

    def scored(self, metric: str) -> tuple[Scored | None, Scored | None]:
        """Return the baseline's and the candidate's score. None if a clip was spoken but has no entry for the
        metric."""
        return _scored(self.baseline, metric), _scored(self.candidate, metric)

    def values(self, metric: str) -> tuple[float, float] | None:
        """Return both values, or None unless both sides are scored."""
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
    """One item of the suite, with the clips of both pins. ``number``: its place in the suite, from 1."""

    number: int
    item: Item
    pairs: tuple[ClipPair, ...]

    @cached_property
    def heard(self) -> ClipPair | None:
        """The pair to listen to: the first seed at which both sides have sound, else one at which either has."""

        def sounds(pair: ClipPair) -> int:
            return sum(side is not None and side.pcm_sha256 is not None for side in (pair.baseline, pair.candidate))

        return max((pair for pair in self.pairs if sounds(pair)), key=sounds, default=None)

    def means(self, metric: str) -> tuple[float, float] | None:
        """Return the means of baseline and candidate over the seeds that both have scored, or None."""
        values = [both for pair in self.pairs if (both := pair.values(metric)) is not None]
        if not values:
            return None
        baseline, candidate = zip(*values, strict=True)
        return sum(baseline) / len(values), sum(candidate) / len(values)

    def can_be_judged(self, metric: str) -> bool:
        """Return whether there is a difference, or only one side has scores, which counts as worse or better than
        any."""
        baseline, candidate = self._has_scores(metric)
        return self.means(metric) is not None or baseline != candidate

    def has_lost(self, metric: str) -> bool:
        """Return whether the baseline has scores and the candidate has none."""
        return self._has_scores(metric) == (True, False)

    def _has_scores(self, metric: str) -> tuple[bool, bool]:
        scored = [pair.scored(metric) for pair in self.pairs]
        return any(isinstance(b, Score) for b, _ in scored), any(isinstance(c, Score) for _, c in scored)


def paired(baseline: Evaluated, candidate: Evaluated) -> tuple[PairedItem, ...]:
    """Return the items that are compared, in the order of the baseline's suite."""
    ours, theirs = ({(clip.item, clip.seed): clip for clip in side.clips} for side in (baseline, candidate))
    seeds = paired_seeds(baseline, candidate)

    def pairs(item: str) -> Iterator[ClipPair]:
        for one, other in seeds:
            clips = ours.get((item, one)), theirs.get((item, other))
            if clips != (None, None):
                yield ClipPair((one, other), *clips)

    items = common_items(baseline, candidate)
    return tuple(PairedItem(number, item, tuple(pairs(item.id))) for number, item in enumerate(items, 1))


def by_loss(items: Sequence[PairedItem], row: MetricRow) -> tuple[PairedItem, ...]:
    """Return the items, the largest loss of the candidate first.

    Items that only the candidate has no score for come first of all. Items that only the candidate has a score for come
    after the measured ones, and then those that cannot be judged. A metric that only describes has no loss: there the
    largest difference comes first.
    """

    def place(one: PairedItem) -> tuple[int, float, int]:
        means = one.means(row.metric)
        if means is None:
            group = 0 if one.has_lost(row.metric) else 2 if one.can_be_judged(row.metric) else 3
            return group, 0.0, one.number
        return 1, _gain(row, means[1] - means[0]), one.number

    return tuple(sorted(items, key=place))


def _gain(row: MetricRow, difference: float) -> float:
    if row.direction == Direction.NEUTRAL:
        return -abs(difference)
    return difference if row.direction == Direction.HIGHER else -difference
