"""A gate: rules, applied to the scores of a comparison.

Owns how a rule of a file becomes questions to the statistics: its scopes, its direction, the items that it does not
apply to, and when it cannot be asked at all. The sentence for each answer is in reasons.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.scorer.analysis.comparison.alignment import Alignment, aligned
from services.scorer.analysis.comparison.compute import noise
from services.scorer.analysis.comparison.coverage import lacks, reasons_by_item
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.quantities import Quantities, covered, is_binary, known_quantities
from services.scorer.analysis.comparison.reasons import gate_headline, why
from services.scorer.analysis.comparison.result import ComparisonResult, Estimate, GateResult, RuleResult
from services.scorer.analysis.comparison.scopes import expanded, scopes
from services.scorer.analysis.statistics.gates import corrected, overall
from services.scorer.analysis.statistics.noise import SeedNoise
from services.scorer.analysis.statistics.pairing import Pairs
from services.scorer.analysis.statistics.rules import Demand, Doubt, Rule, RuleOutcome, Scale, Verdict, judge
from shared.gating.rules import Rules, RuleSpec
from shared.scores import Direction

NOT_APPLICABLE = "not_applicable"
METHOD = "paired by item, seeds averaged within items; fails hold after Holm's correction over the rules"


class Unaskable(StrEnum):
    """Why a rule cannot be applied to these evaluations. The statistics have their own `Doubt`."""

    METRIC_UNKNOWN = "metric_unknown"  # neither side has it, and no metric declares it
    DIRECTION_MISSING = "direction_missing"  # the metric only describes, and the rule does not say which way is better
    SCOPE_EMPTY = "scope_empty"  # the scope has no items


@dataclass(frozen=True, slots=True)
class _Question:
    """One rule in one scope. ``rule`` is None if the statistics are not asked."""

    spec: RuleSpec
    scope: str
    direction: Direction
    pairs: Pairs
    floor: SeedNoise | None
    rule: Rule | None = None
    unaskable: Unaskable | None = None
    applies: bool = True


def decide(
    gate_id: str,
    comparison: ComparisonResult,
    baseline: Evaluated,
    candidate: Evaluated,
    rules: Rules,
) -> GateResult:
    """Return the result of the rules for a comparison, given the two evaluations that it compares.

    The noise floors are those of the comparison. Raises `ValueError` for other evaluations.
    """
    if (baseline.id, candidate.id) != (comparison.baseline.evaluation, comparison.candidate.evaluation):
        raise ValueError(f"{comparison.id} was not made of {baseline.id} and {candidate.id}")
    quantities, alignment = known_quantities(), aligned(baseline, candidate)
    found = scopes(alignment.items)
    questions = [
        _question(replace(spec, scope=scope), rules.confidence, alignment, found, comparison, quantities)
        for spec in rules.rules
        for scope in expanded(spec.scope, found) or [spec.scope]
    ]
    judged, verdict = _answered(questions, rules.confidence, quantities)
    return GateResult(
        id=gate_id,
        comparison=comparison.id,
        baseline=baseline.pin,
        candidate=candidate.pin,
        suite=comparison.suite,
        verdict=verdict.value,
        headline=gate_headline(verdict.value, candidate.pin, baseline.pin, judged),
        judged=judged,
        disagreements_allowed=tuple(one.what for one in comparison.allowed),
        method=METHOD,
        resamples=comparison.resamples,
        resampling_seed=comparison.resampling_seed,
    )


def _question(
    spec: RuleSpec,
    confidence: float,
    alignment: Alignment,
    found: Mapping[str, frozenset[str]],
    comparison: ComparisonResult,
    quantities: Quantities,
) -> _Question:
    of = covered(spec.metric) or spec.metric
    scope = found.get(spec.scope, frozenset())
    reasons = reasons_by_item(alignment, of, scope)
    items = scope - {item for item, told in reasons.items() if lacks(told)} if spec.if_covered else scope
    direction = spec.direction or quantities.direction(spec.metric)
    asked = _Question(spec, spec.scope, direction, alignment.pairs(spec.metric, items), _floor(comparison, spec))
    if of not in alignment.quantities and quantities.get(spec.metric) is None:
        return replace(asked, unaskable=Unaskable.METRIC_UNKNOWN)
    if not scope:
        return replace(asked, unaskable=Unaskable.SCOPE_EMPTY)
    if spec.if_covered and (not reasons or lacks(frozenset().union(*reasons.values()))):
        return replace(asked, pairs=alignment.pairs(spec.metric, scope), applies=False)
    if direction is Direction.NEUTRAL:
        return replace(asked, unaskable=Unaskable.DIRECTION_MISSING)
    rule = Rule(
        direction,
        Demand(spec.demand),
        spec.amount.value,
        Scale(spec.amount.scale),
        spec.fewest_items,
        spec.unscored_at_most,
        confidence,
    )
    return replace(asked, rule=rule)


def _threshold(question: _Question, verdict: Verdict) -> float | None:
    """Return an absolute threshold as the rule states it: the mean over items is that number only up to rounding."""
    if verdict.threshold is not None and question.rule is not None and question.rule.scale is Scale.ABSOLUTE:
        return question.rule.signed_amount
    return verdict.threshold


def _floor(comparison: ComparisonResult, spec: RuleSpec) -> SeedNoise | None:
    """Return the floor of the row in this scope. Only a single language has no row: it is the same as overall."""
    row = comparison.row(spec.metric, spec.scope) or comparison.row(spec.metric)
    return noise(row.floor) if row is not None else None


def _answered(
    questions: Sequence[_Question], confidence: float, quantities: Quantities
) -> tuple[tuple[RuleResult, ...], RuleOutcome]:
    applying = [one for one in questions if one.applies]
    asked = [one for one in applying if one.rule is not None]
    rules = [one.rule for one in asked if one.rule is not None]
    verdicts = corrected(
        rules,
        [
            judge(rule, one.pairs, binary=is_binary(one.spec.metric), floor=one.floor)
            for rule, one in zip(rules, asked, strict=True)
        ],
    )
    answers = {id(one): verdict for one, verdict in zip(asked, verdicts, strict=True)}
    unasked = Verdict(RuleOutcome.INCONCLUSIVE)
    judged = tuple(_judged(one, answers.get(id(one), unasked), confidence, quantities) for one in questions)
    return judged, overall([answers.get(id(one), unasked) for one in applying])


def _judged(question: _Question, verdict: Verdict, confidence: float, quantities: Quantities) -> RuleResult:
    spec, pairs, gain = question.spec, question.pairs, verdict.gain
    doubt: Doubt | Unaskable | None = question.unaskable or verdict.doubt
    known = quantities.get(spec.metric)
    judged = RuleResult(
        metric=spec.metric,
        scope=question.scope,
        demand=spec.demand,
        amount=spec.amount.value,
        scale=spec.amount.scale,
        direction=question.direction.value,
        outcome=verdict.outcome.value if question.applies else NOT_APPLICABLE,
        why="",
        doubt=doubt.value if doubt and question.applies else None,
        gain=None if gain is None else Estimate(gain.estimate, gain.low, gain.high),
        threshold=_threshold(question, verdict),
        n=len(pairs.items),
        n_needed=verdict.items_needed,
        seeds=pairs.seeds,
        baseline_mean=float(pairs.baseline.mean()) if pairs.items else None,
        candidate_mean=float(pairs.candidate.mean()) if pairs.items else None,
        unscored_share=pairs.unscored_share,
        noise_floor=None if question.floor is None else question.floor.run_to_run,
        unit="" if known is None else known.unit,
        confidence=confidence,
        method=None if gain is None else gain.method.value,
    )
    return replace(judged, why=why(judged, spec, {*pairs.baseline_unscored, *pairs.candidate_unscored}))
