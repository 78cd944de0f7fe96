"""Several rules together: one verdict.

A gate passes when every rule does; asking for all of them needs no correction, more rules only make it harder. It fails
when a rule fails, and the more rules there are, the likelier one of them fails by chance: what fails alone is held to
Holm's correction over all rules of the gate, and is inconclusive if it does not stand. Otherwise it is inconclusive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.scorer.statistics.families import holm
from services.scorer.statistics.intervals import tail
from services.scorer.statistics.rules import Doubt, Outcome, Rule, Verdict


def corrected(rules: Sequence[Rule], verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts, in order, with those fails made inconclusive that do not stand among so many rules."""
    tested = [(i, v.p_fail) for i, v in enumerate(verdicts) if v.p_fail is not None]
    adjusted = dict(zip((i for i, _ in tested), holm([p for _, p in tested]), strict=True))
    return tuple(_held_to(rule, v, adjusted.get(i)) for i, (rule, v) in enumerate(zip(rules, verdicts, strict=True)))


def _held_to(rule: Rule, verdict: Verdict, adjusted: float | None) -> Verdict:
    if verdict.outcome is not Outcome.FAIL or adjusted is None or adjusted <= tail(rule.confidence):
        return verdict
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, doubt=Doubt.NOT_AFTER_CORRECTION)


def overall(verdicts: Sequence[Verdict]) -> Outcome:
    """Of verdicts as `corrected` gives them; a gate without a rule has nothing to pass and is inconclusive."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.INCONCLUSIVE
