"""Computes the comparison of two evaluations: every metric in every scope, paired by item.

Owns which rows there are and which of them are corrected together. The statistics compute a row, comparability.py
decides what may be compared. Pure: no store, no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from services.scorer.analysis.comparison.alignment import Alignment, aligned
from services.scorer.analysis.comparison.comparability import disagreements, scorer_locks
from services.scorer.analysis.comparison.coverage import has_gaps
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.floors import MeasuredFloor
from services.scorer.analysis.comparison.headline import headline
from services.scorer.analysis.comparison.quantities import Quantities, is_binary, is_cost, known_quantities
from services.scorer.analysis.comparison.result import ComparisonResult, Estimate, Floor, MetricRow, Side
from services.scorer.analysis.comparison.scopes import kind, scopes, shown
from services.scorer.analysis.statistics.effects import effect
from services.scorer.analysis.statistics.families import holm
from services.scorer.analysis.statistics.intervals import Interval
from services.scorer.analysis.statistics.noise import SeedNoise
from services.scorer.analysis.statistics.pairing import Pairs
from services.scorer.analysis.statistics.resampling import RESAMPLES, SEED
from shared.gating.rules import COVERAGE
from shared.scores import Direction


def compare(
    comparison_id: str,
    baseline: Evaluated,
    candidate: Evaluated,
    floors: Mapping[str, MeasuredFloor] | None = None,
    allow: Collection[str] = (),
) -> ComparisonResult:
    """Return the comparison of two evaluations.

    ``floors``: noise of the baseline's pin, by quantity. ``allow``: words of `comparability.BLOCKING` that the user
    allows. Raises `NotComparable`.
    """
    quantities = known_quantities()
    differ = disagreements(baseline, candidate, allow)
    alignment = aligned(baseline, candidate)
    locks = scorer_locks(baseline, candidate)
    fitting = {name: one for name, one in (floors or {}).items() if locks.get(name) == one.scorer_lock}
    rows = _corrected(list(_rows(alignment, fitting, quantities)))
    suite = baseline.suite
    return ComparisonResult(
        id=comparison_id,
        baseline=_side(baseline),
        candidate=_side(candidate),
        suite=suite.name,
        suite_version=suite.version,
        suite_sha256=suite.sha256,
        preprocessing=baseline.preprocessing,
        items=len(alignment.items),
        rows=rows,
        disagreements=differ,
        headline=headline(candidate.pin, baseline.pin, suite.name, len(alignment.items), rows),
        scorer_locks=locks,
        scorer_licences=quantities.licences(locks),
        resamples=RESAMPLES,
        resampling_seed=SEED,
    )


def _rows(alignment: Alignment, floors: Mapping[str, MeasuredFloor], quantities: Quantities) -> Iterator[MetricRow]:
    names = quantities.ordered(alignment.quantities)
    gaps = [name for name in names if _judges_speech(name, quantities) and has_gaps(alignment, name)]
    for scope, items in shown(scopes(alignment.items)).items():
        for name in (*names, *(COVERAGE + name for name in gaps)):
            pairs = alignment.pairs(name, items)
            if pairs.wanted:
                floor = floors[name].over(pairs, scope) if name in floors else None
                unit = quantities.unit(name, alignment.scores(name))
                yield _row(name, unit, quantities.direction(name), scope, pairs, floor)


def _judges_speech(name: str, quantities: Quantities) -> bool:
    return quantities.direction(name) is not Direction.NEUTRAL and not is_cost(name)


def _row(name: str, unit: str, direction: Direction, scope: str, pairs: Pairs, floor: Floor | None) -> MetricRow:
    found = effect(pairs, direction, binary=is_binary(name), floor=noise(floor))
    tally = found.tally if pairs.items else None
    return MetricRow(
        metric=name,
        unit=unit,
        direction=direction.value,
        scope=scope,
        binary=is_binary(name),
        n=found.n,
        seeds=pairs.seeds,
        scored=pairs.scored,
        wanted=pairs.wanted,
        baseline_unscored=dict(pairs.baseline_unscored),
        candidate_unscored=dict(pairs.candidate_unscored),
        baseline_mean=found.baseline_mean,
        candidate_mean=found.candidate_mean,
        difference=_range(found.difference),
        relative=_range(found.relative),
        p=found.p if pairs.items else None,
        wins=tally.wins if tally else None,
        ties=tally.ties if tally else None,
        losses=tally.losses if tally else None,
        floor=floor,
    )


def _range(interval: Interval | None) -> Estimate | None:
    return None if interval is None else Estimate(interval.estimate, interval.low, interval.high)


def noise(floor: Floor | None) -> SeedNoise | None:
    """Return a row's floor in the form of the statistics."""
    return None if floor is None else SeedNoise(floor.sigma, floor.freedom, floor.items)


def _corrected(rows: Sequence[MetricRow]) -> tuple[MetricRow, ...]:
    """Apply Holm's correction to the rows that judge, for each kind of scope separately, and for costs apart from
    speech."""
    families: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row.p is not None and row.direction != Direction.NEUTRAL:
            families[kind(row.scope), is_cost(row.metric)].append(index)
    corrected = list(rows)
    for family in families.values():
        p_values = [p for index in family if (p := rows[index].p) is not None]
        for index, p in zip(family, holm(p_values), strict=True):
            corrected[index] = replace(rows[index], p_corrected=p)
    return tuple(corrected)


def _side(evaluation: Evaluated) -> Side:
    spoken = [clip for clip in evaluation.clips if clip.pcm_sha256 is not None]
    return Side(
        evaluation=evaluation.id,
        pin=evaluation.pin,
        engine=evaluation.engine,
        lock_sha256=evaluation.lock_sha256,
        licence=evaluation.licence,
        seeds=evaluation.seeds,
        clips=len(evaluation.clips),
        failed=len(evaluation.clips) - len(spoken),
        cached=sum(clip.cached for clip in evaluation.clips),
        environments=tuple(sorted({clip.environment for clip in spoken if clip.environment is not None})),
        run_id=evaluation.run_id,
        run_url=evaluation.run_url,
    )
