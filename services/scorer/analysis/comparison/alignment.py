"""Aligns the scores of two evaluations.

Owns what is paired if the two differ in suite or seeds and the user allows it: the items that are the same in both,
and seeds in their order. Owns also that a clip without audio is unscored in every quantity, and what coverage is
computed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.analysis.comparison.quantities import covered, is_cost
from services.scorer.analysis.statistics.pairing import ItemSeed, Pairs, pair, whether_scored
from shared.scores import Reason, Scored, Unscored
from shared.suites.suite import Item

Scores = Mapping[ItemSeed, Scored]
_NOT_SPOKEN = Unscored(Reason.NOT_SPOKEN)
_NO_ENTRY = Unscored(Reason.SCORER_ERROR, "nothing was recorded")


@dataclass(frozen=True, slots=True)
class Alignment:
    """The scores of both sides by quantity, over the items and seeds that both have."""

    items: tuple[Item, ...]
    baseline: Mapping[str, Scores]
    candidate: Mapping[str, Scores]

    @property
    def quantities(self) -> frozenset[str]:
        """The quantities that either side has."""
        return frozenset({*self.baseline, *self.candidate})

    def scores(self, metric: str) -> Iterator[Scored]:
        """Yield all scores of a metric, the baseline's first."""
        for side in (self.baseline, self.candidate):
            yield from side.get(metric, {}).values()

    def pairs(self, metric: str, items: frozenset[str]) -> Pairs:
        """Return the pairs of a metric, or of the coverage of one, over some of the items."""
        return pair(_of(self.baseline, metric, items), _of(self.candidate, metric, items))


def common_items(baseline: Evaluated, candidate: Evaluated) -> tuple[Item, ...]:
    """Return the items that ask for the same on both sides, in the order of the baseline's suite."""
    after = candidate.items
    return tuple(
        item
        for item in baseline.suite.items
        if (other := after.get(item.id)) is not None and other.hashed() == item.hashed()
    )


def paired_seeds(baseline: Evaluated, candidate: Evaluated) -> tuple[tuple[int, int], ...]:
    """Return pairs of seeds: the lowest of one side with the lowest of the other, and so on.

    If both sides have the same seeds, each is paired with itself.
    """
    return tuple(zip(sorted(baseline.seeds), sorted(candidate.seeds), strict=False))


def aligned(baseline: Evaluated, candidate: Evaluated) -> Alignment:
    """Return the scores of both sides over `common_items` and `paired_seeds`.

    Items and seeds that only one side has are left out.
    """
    items = common_items(baseline, candidate)
    ids = {item.id for item in items}
    both = paired_seeds(baseline, candidate)
    before = [clip for clip in baseline.clips if clip.item in ids]
    after = [clip for clip in candidate.clips if clip.item in ids]
    return Alignment(
        items,
        _by_quantity(before, {seed: seed for seed, _ in both}, _names(before) or _names(after)),
        _by_quantity(after, {seed: paired for paired, seed in both}, _names(after) or _names(before)),
    )


def _names(clips: list[SpokenClip]) -> set[str]:
    return {name for clip in clips for name in clip.scores}


def _by_quantity(clips: list[SpokenClip], seeds: Mapping[int, int], names: set[str]) -> Mapping[str, Scores]:
    found: dict[str, dict[ItemSeed, Scored]] = {name: {} for name in names}
    for clip in clips:
        if clip.seed not in seeds:
            continue
        key = clip.item, seeds[clip.seed]
        for name in names:
            if (scored := clip.scores.get(name, _absent(clip, name))) is not None:
                found[name][key] = scored
    return found


def _absent(clip: SpokenClip, name: str) -> Unscored | None:
    """Return what replaces a missing score. A cost that nobody could read is left out: it did not fail."""
    if clip.pcm_sha256 is None:
        return _NOT_SPOKEN
    return None if is_cost(name) else _NO_ENTRY


def _of(side: Mapping[str, Scores], metric: str, items: frozenset[str]) -> Scores:
    of = covered(metric)
    scores = {key: scored for key, scored in side.get(of or metric, {}).items() if key[0] in items}
    return whether_scored(scores) if of else scores
