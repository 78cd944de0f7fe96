"""Combines several rules into one verdict.

A gate passes when every rule passes; this needs no correction, because more rules only make it harder. It fails when a
rule fails. The more rules there are, the likelier one of them fails by chance, so a rule that fails alone is corrected
by Holm over all rules of the gate, and is inconclusive if it does not hold. Otherwise the gate is inconclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.scorer.analysis.statistics.families import holm
from services.scorer.analysis.statistics.intervals import tail
from services.scorer.analysis.statistics.rules import Doubt, Rule, RuleOutcome, Verdict


def corrected(rules: Sequence[Rule], verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Return the verdicts, in order. Those fails become inconclusive that do not hold after Holm's correction."""
    tested = [(i, v.p_fail) for i, v in enumerate(verdicts) if v.p_fail is not None]
    adjusted = dict(zip((i for i, _ in tested), holm([p for _, p in tested]), strict=True))
    return tuple(_held_to(rule, v, adjusted.get(i)) for i, (rule, v) in enumerate(zip(rules, verdicts, strict=True)))


def _held_to(rule: Rule, verdict: Verdict, adjusted: float | None) -> Verdict:
    if verdict.outcome is not RuleOutcome.FAIL or adjusted is None or adjusted <= tail(rule.confidence):
        return verdict
    return replace(verdict, outcome=RuleOutcome.INCONCLUSIVE, doubt=Doubt.NOT_AFTER_CORRECTION)


def overall(verdicts: Sequence[Verdict]) -> RuleOutcome:
    """Return the verdict of a gate from the verdicts that `corrected` gives. Without rules it is inconclusive."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if RuleOutcome.FAIL in outcomes:
        return RuleOutcome.FAIL
    return RuleOutcome.PASS if outcomes == {RuleOutcome.PASS} else RuleOutcome.INCONCLUSIVE
