"""The noise floors of an evaluation: measured from its seeds, kept as JSON, and narrowed to a scope.

Owns where a floor comes from and when it fits: a floor that another scorer measured says nothing here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.result import OVERALL, Floor
from services.scorer.analysis.statistics.noise import SeedNoise, noise_floor
from services.scorer.analysis.statistics.pairing import Pairs
from shared.scores import Score


@dataclass(frozen=True, slots=True)
class MeasuredFloor:
    """The floor of one quantity, and what it was measured with."""

    floor: SeedNoise
    seeds: int
    evaluation: str
    scorer_lock: str

    def to_json(self) -> dict[str, Any]:
        """Return the floor as it is kept in ``outcome["noise"]`` of an evaluation."""
        floor = self.floor
        figures = {"sigma": floor.sigma, "freedom": floor.freedom, "items": floor.items}
        derived = {"run_to_run": floor.run_to_run, "is_zero": floor.is_zero}
        return {**figures, **derived, "scorer_lock": self.scorer_lock}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], evaluation: str, seeds: int) -> MeasuredFloor:
        """Return the floor that `to_json` kept, with the evaluation and its number of seeds, which are kept
        elsewhere."""
        return cls(SeedNoise(data["sigma"], data["freedom"], data["items"]), seeds, evaluation, data["scorer_lock"])

    def over(self, pairs: Pairs, scope: str) -> Floor:
        """Return the floor in one scope. In a part of the suite a reading is the mean of fewer items, so it is
        noisier."""
        floor = self.floor if scope == OVERALL else replace(self.floor, items=max(len(pairs.items), 1))
        return Floor(
            run_to_run=floor.run_to_run,
            item_band=floor.item_band(pairs.seeds),
            is_zero=floor.is_zero,
            seeds=self.seeds,
            evaluation=self.evaluation,
            sigma=floor.sigma,
            freedom=floor.freedom,
            items=floor.items,
        )


def measured_floors(evaluation: Evaluated) -> Mapping[str, MeasuredFloor]:
    """Return the floor of each quantity that one scorer measured at two or more seeds. Empty for a single seed."""
    scores: dict[str, dict[str, list[Score]]] = defaultdict(lambda: defaultdict(list))
    for clip in sorted(evaluation.clips, key=lambda clip: (clip.item, clip.seed)):
        for name, scored in clip.scores.items():
            if isinstance(scored, Score):
                scores[name][clip.item].append(scored)
    found = {}
    for name, by_item in scores.items():
        locks = {score.scorer_lock for of_item in by_item.values() for score in of_item}
        floor = noise_floor({item: [score.value for score in of_item] for item, of_item in by_item.items()})
        if floor is not None and len(locks) == 1:
            found[name] = MeasuredFloor(floor, len(evaluation.seeds), evaluation.id, locks.pop())
    return found


def floors_from_json(noise: Mapping[str, Any], evaluation: str, seeds: int) -> Mapping[str, MeasuredFloor]:
    """Return the floors that an evaluation's outcome keeps under ``noise``."""
    return {name: MeasuredFloor.from_json(one, evaluation, seeds) for name, one in noise.items()}
