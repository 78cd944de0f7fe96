"""What an evaluation came to, as the figures that stand in its outcome.

Owns the mean of a quantity: seeds are averaged within an item, then items, as everywhere (docs/statistics.md). What was
not scored is counted by its reason and is in no mean.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from services.scorer.comparison.evaluated import Evaluated
from services.scorer.comparison.floors import measured_floors
from services.scorer.comparison.quantities import SHIPPED
from shared.scores import Score, Scored

_Clips = list[tuple[str, Scored]]
"""Item and what one of its clips has of a quantity."""


def summary(evaluated: Evaluated) -> dict[str, Any]:
    """``metrics``, ``noise`` (of two seeds and more), ``scorer_locks``, ``environments``, as JSON."""
    by_quantity: dict[str, _Clips] = defaultdict(list)
    for clip in evaluated.clips:
        for name, scored in clip.scores.items():
            by_quantity[name].append((clip.item, scored))
    names = SHIPPED.ordered(by_quantity)
    return {
        "metrics": {name: _figures(name, by_quantity[name]) for name in names},
        "noise": {name: floor.to_json() for name, floor in measured_floors(evaluated).items()},
        "scorer_locks": {name: lock for name in names if (lock := _locks(by_quantity[name]))},
        "environments": sorted({clip.environment for clip in evaluated.clips if clip.environment is not None}),
    }


def _figures(name: str, clips: _Clips) -> Mapping[str, Any]:
    by_item: dict[str, list[float]] = defaultdict(list)
    for item, scored in clips:
        if isinstance(scored, Score):
            by_item[item].append(scored.value)
    reasons = Counter(scored.reason.value for _, scored in clips if not isinstance(scored, Score))
    return {
        "unit": _unit(name, (scored for _, scored in clips)),
        "direction": SHIPPED.direction(name).value,
        "mean": fmean(map(fmean, by_item.values())) if by_item else None,
        "n": len(by_item),
        "scored": sum(map(len, by_item.values())),
        "unscored": dict(sorted(reasons.items())),
    }


def _unit(name: str, found: Iterable[Scored]) -> str:
    known = SHIPPED.get(name)
    return known.unit if known else next((one.unit for one in found if isinstance(one, Score)), "")


def _locks(clips: _Clips) -> str:
    """Of a quantity that several scorers measured, every lock: such an evaluation is comparable to none."""
    return ", ".join(sorted({scored.scorer_lock for _, scored in clips if isinstance(scored, Score)}))
