"""The summary of an evaluation: the figures in its outcome.

Owns the mean of a quantity: first over the seeds of an item, then over the items, as everywhere (docs/statistics.md).
Unscored clips are counted by their reason and are in no mean.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from services.scorer.analysis.comparison.comparability import scorer_locks
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.floors import measured_floors
from services.scorer.analysis.comparison.quantities import Quantities, known_quantities
from shared.scores import Score, Scored

_Clips = list[tuple[str, Scored]]
"""Item id and the value, or its absence, of one of the item's clips."""


def summary(evaluated: Evaluated) -> dict[str, Any]:
    """Return ``metrics``, ``noise`` (with two or more seeds), ``scorer_locks`` and ``environments``, as JSON."""
    by_quantity: dict[str, _Clips] = defaultdict(list)
    for clip in evaluated.clips:
        for name, scored in clip.scores.items():
            by_quantity[name].append((clip.item, scored))
    known, locks = known_quantities(), scorer_locks(evaluated)
    names = known.ordered(by_quantity)
    return {
        "metrics": {name: _figures(known, name, by_quantity[name]) for name in names},
        "noise": {name: floor.to_json() for name, floor in measured_floors(evaluated).items()},
        # a quantity that several scorers measured has all their locks here: such an evaluation is comparable with none
        "scorer_locks": {name: locks[name] for name in names if name in locks},
        "environments": sorted({clip.environment for clip in evaluated.clips if clip.environment is not None}),
    }


def _figures(known: Quantities, name: str, clips: _Clips) -> Mapping[str, Any]:
    by_item: dict[str, list[float]] = defaultdict(list)
    for item, scored in clips:
        if isinstance(scored, Score):
            by_item[item].append(scored.value)
    reasons = Counter(scored.reason.value for _, scored in clips if not isinstance(scored, Score))
    return {
        "unit": known.unit(name, (scored for _, scored in clips)),
        "direction": known.direction(name).value,
        "mean": fmean(map(fmean, by_item.values())) if by_item else None,
        "n": len(by_item),
        "scored": sum(map(len, by_item.values())),
        "unscored": dict(sorted(reasons.items())),
    }
