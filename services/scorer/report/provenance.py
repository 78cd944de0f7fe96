"""What was compared: all facts that distinguish the two sides or make them alike, as lines for the page.

Owns their order. Knows no markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.result import ComparisonResult, Side


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: ``what``, and its value for each side. ``is_code``: hashes and JSON."""

    what: str
    baseline: str
    candidate: str
    is_code: bool = False

    @property
    def same(self) -> bool:
        return self.baseline == self.candidate


@dataclass(frozen=True, slots=True)
class Scorer:
    """A lock, and the metrics that were measured with it."""

    lock: str
    metrics: str


@dataclass(frozen=True, slots=True)
class SideEnvironments:
    """A complete environment, and which side spoke in it."""

    name: str
    sides: str
    described: str


def facts(comparison: ComparisonResult, baseline: Evaluated, candidate: Evaluated) -> tuple[Fact, ...]:
    """Return the facts of both sides."""
    sides = ((comparison.baseline, baseline), (comparison.candidate, candidate))
    told = [_facts(side, evaluated) for side, evaluated in sides]
    code = {"lock", "params", "controls", "suite hash"}
    return tuple(Fact(what, told[0][what], told[1][what], what in code) for what in told[0])


def _facts(side: Side, evaluated: Evaluated) -> dict[str, str]:
    return {
        "pin": side.pin,
        "engine": side.engine,
        "lock": side.lock_sha256,
        "licence": side.licence or "not stated",
        "evaluation": side.evaluation,
        "seeds": ", ".join(str(seed) for seed in side.seeds),
        "clips": f"{side.clips}, of which {side.failed} failed",
        "suite": f"{evaluated.suite.name} {evaluated.suite.version}",
        "suite hash": evaluated.suite.sha256,
        "preprocessing": evaluated.preprocessing,
        "lexicon": evaluated.lexicon,
        "params": _json(evaluated.params),
        "controls": _json(evaluated.controls),
        "environments": ", ".join(side.environments) or "not recorded",
        "run in MLflow": side.run_url or side.run_id or "not tracked yet",
    }


def scorers(comparison: ComparisonResult) -> tuple[Scorer, ...]:
    """Return the locks with their metrics: most locks belong to several metrics."""
    metrics: dict[str, list[str]] = {}
    for metric, lock in sorted(comparison.scorer_locks.items()):
        metrics.setdefault(lock, []).append(metric)
    return tuple(Scorer(lock, ", ".join(named)) for lock, named in metrics.items())


def environments(sides: Iterable[tuple[str, Evaluated]]) -> tuple[SideEnvironments, ...]:
    """Return every environment once, with the sides that spoke in it."""
    spoke: dict[str, list[str]] = {}
    described: dict[str, Mapping[str, Any]] = {}
    for side, evaluated in sides:
        for name, description in sorted(evaluated.environments.items()):
            spoke.setdefault(name, []).append(side)
            described[name] = description
    return tuple(
        SideEnvironments(
            name, " and ".join(who), json.dumps(described[name], ensure_ascii=False, indent=1, sort_keys=True)
        )
        for name, who in spoke.items()
    )


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), ensure_ascii=False, sort_keys=True) if values else "none"
