"""A gate, asked of evaluations that were drawn: the baseline with three seeds, and another that is as good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.floors import measured_floors
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.result import GateResult, RuleResult
from shared.gating.checking import read_rules
from tests.scorer.comparison.drawn import evaluated, honest

MOS = "mos/dnsmos_ovrl"
BASELINE = evaluated("v1", honest(1), seeds=(0, 1, 2))
SAME = evaluated("v2", honest(2), seeds=(0, 1, 2))


def gate(candidate: Evaluated, *rules: Mapping[str, Any], baseline: Evaluated = BASELINE, **head: Any) -> GateResult:
    comparison = compare("cmp_1", baseline, candidate, measured_floors(baseline))
    return decide("gate_1", comparison, baseline, candidate, read_rules({"schema": 1, "rule": [*rules], **head}))


def only(result: GateResult) -> RuleResult:
    (judged,) = result.judged
    return judged


def not_worse(amount: float | str, metric: str = MOS, **more: Any) -> Mapping[str, Any]:
    return {"metric": metric, "not_worse_by": amount, **more}
