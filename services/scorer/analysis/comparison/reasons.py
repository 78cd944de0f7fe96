"""The sentences of a gate: one per rule, and one for the whole.

Owns the words. Figures are in the metric's unit. A gain is told as "better by", a loss as "worse by".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from services.scorer.analysis.comparison.figures import amount, counted, ranged, turned, with_unit, within
from services.scorer.analysis.comparison.result import OVERALL, RuleResult
from shared.gating.rules import RuleSpec

_DOUBTS: Mapping[str, str] = {
    "floor_missing": "the margin is in noise floors, and none was measured: run `ringtrue noise` for the baseline",
    "floor_is_zero": "the margin is in noise floors, and the floor is exactly zero: every seed gave the same score",
    "baseline_not_positive": "the margin is a share of the baseline's mean, which is not above zero",
    "relative_proportion": "each score is yes or no: state the margin as a number, 0.05 for five points in a hundred",
    "metric_unknown": "there is no metric of this name",
    "direction_missing": "the metric only describes; the rule must say whether higher or lower is better",
    "scope_empty": "no item of the suite is in this scope",
}


def why(judged: RuleResult, spec: RuleSpec, unscored: Collection[str] = ()) -> str:
    """Return the sentence for one rule in one scope. ``unscored``: the reasons why clips have no score."""
    name = f"{judged.metric}{_in(judged.scope)}"
    if judged.outcome == "not_applicable":
        reasons = ", ".join(sorted(map(reason_in_words, unscored)))
        return f"{name} does not apply: no clip is scored ({reasons or 'not asked for, or not pulled'})"
    if (doubt := _DOUBTS.get(judged.doubt or "")) is not None:
        return f"{name}: {doubt}"
    if judged.doubt == "too_few_items":
        return f"{name}: {_too_few(judged, spec)}"
    seen = f"{name} {_moved(judged)}, {_demanded(judged, spec)} ({counted(judged.n, 'item')})"
    if judged.doubt == "too_many_unscored":
        share, most = judged.unscored_share, spec.unscored_at_most
        return f"{seen}; {share:.0%} of the pairs of clips have no score; at most {most:.0%} may be missing"
    if judged.doubt == "not_after_correction":
        return f"{seen}; that alone would fail, but not among as many rules as there are"
    if judged.doubt == "interval_straddles":
        return f"{seen}; {_settled(judged)}"
    return seen


def reason_in_words(code: str) -> str:
    """Return a reason as people write it: ``no speech`` for ``no_speech``."""
    return code.replace("_", " ")


def gate_headline(verdict: str, candidate: str, baseline: str, judged: Sequence[RuleResult]) -> str:
    """Return ``fail: asr/wer is worse by 0.31 [0.22, 0.40], at most 0.05 was allowed (35 items)``."""
    telling = [one for one in judged if one.outcome == verdict]
    aside = [one for one in judged if one.outcome == "not_applicable"]
    if verdict == "pass":
        rules = counted(len(telling), "rule")
        return f"pass: {candidate} against {baseline} meets {_all(rules, telling)}{_apart(aside)}"
    if not telling:
        return f"{verdict}: no rule applies{_apart(aside)}"
    more = f"; {counted(len(telling) - 1, 'more rule')} likewise" if len(telling) > 1 else ""
    return f"{verdict}: {telling[0].why}{more}"


def rule_in_words(judged: RuleResult) -> str:
    """Return the rule as text: ``not worse by more than 0.1 MOS``."""
    value = {"relative": f"{amount(judged.amount * 100)} %", "noise_floors": counted_floors(judged.amount)}
    said = value.get(judged.scale, with_unit(amount(judged.amount), judged.unit))
    return f"better by {said} at least" if judged.demand == "better" else f"not worse by more than {said}"


def counted_floors(floors: float) -> str:
    return "1 noise floor" if floors == 1 else f"{amount(floors)} noise floors"


def _moved(judged: RuleResult) -> str:
    """Return ``is worse by 0.31 [0.22, 0.40]``."""
    gain = judged.gain
    assert gain is not None  # there are items
    if gain.estimate == gain.low == gain.high == 0:
        return "is the same for every item"
    if gain.estimate == 0:
        return f"is the same on average, within {with_unit(within(gain), judged.unit)}"
    told, word = (gain, "better") if gain.estimate >= 0 else (turned(gain), "worse")
    return f"is {word} by {with_unit(ranged(told), judged.unit)}"


def _demanded(judged: RuleResult, spec: RuleSpec) -> str:
    assert judged.threshold is not None  # likewise
    limit = with_unit(amount(abs(judged.threshold)), judged.unit)
    if judged.scale != "absolute":
        limit = f"{spec.amount.to_json()} ({limit})"
    return f"at least {limit} was required" if judged.demand == "better" else f"at most {limit} was allowed"


def _too_few(judged: RuleResult, spec: RuleSpec) -> str:
    if judged.n == 0:
        return "no item is scored on both sides"
    needed = f"; about {judged.n_needed} would settle it" if (judged.n_needed or 0) > spec.fewest_items else ""
    return f"{counted(judged.n, 'item')} on both sides; the rule requires at least {spec.fewest_items}{needed}"


def _settled(judged: RuleResult) -> str:
    if judged.n_needed is None and judged.scale == "noise_floors":
        return "more items also narrow the noise floor; more seeds may settle it"
    if judged.n_needed is None:
        return "no number of items that can be spoken would settle it"
    return f"about {judged.n_needed} items would settle it"


def _all(rules: str, telling: Sequence[RuleResult]) -> str:
    fewest = min(one.n for one in telling)
    return f"{rules} ({counted(fewest, 'item')}{'' if len({one.n for one in telling}) == 1 else ' at least'})"


def _apart(aside: Sequence[RuleResult]) -> str:
    return f"; {counted(len(aside), 'rule')} did not apply: {', '.join(one.metric for one in aside)}" if aside else ""


def _in(scope: str) -> str:
    return "" if scope == OVERALL else f" in {scope}"
