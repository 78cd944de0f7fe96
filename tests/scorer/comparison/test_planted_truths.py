"""A worse pin fails the gate, for the reason that it is worse; the same pin does not; too few items settle nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.result import GateResult
from services.scorer.scoring.metric_host import MetricHost
from shared.gating.toml_notation import rules_from_toml
from shared.metrics import EMOTION, METRICS
from shared.suites.reading import golden_suite
from tests.scorer.comparison.planted import Ear, PinOf, Stage, only_first

RULES = rules_from_toml("""
schema = 1

[[rule]]
metric = "mos/dnsmos_ovrl"
not_worse_by = 0.1

[[rule]]
metric = "signal/clipping_ratio"
not_worse_by = 0.001

[[rule]]
metric = "asr/wer"
not_worse_by = 0.1

[[rule]]
metric = "emotion/target_probability"
not_worse_by = 0.1

[[rule]]
metric = "coverage/mos/dnsmos_ovrl"
not_worse_by = 0
""")
FAMILIES = ("signal", "prosody", "dnsmos", "asr")
FITTED_WITH = (100, 101)
SILENT_NOW_AND_THEN = "one in five is silent"


@pytest.fixture(scope="module")
def stage(wobble_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    metrics = MetricHost(models=tmp_path_factory.mktemp("models"))
    stage = Stage(golden_suite("golden-en-emotion"), wobble_path, metrics)
    yield stage
    stage.close()


@pytest.fixture(scope="module")
def ear(stage: Stage) -> Ear:
    return Ear.of(stage, FITTED_WITH)


@pytest.fixture(scope="module")
def baseline(stage: Stage, ear: Ear) -> Evaluated:
    return stage.evaluated("wobble", lambda item: "wobble", FAMILIES, ear=ear)


def judged(baseline: Evaluated, candidate: Evaluated, families: Collection[str]) -> GateResult:
    """By the rules on what these families measure, and on emotion."""
    measured = {name for family in families for name in METRICS[family].names} | {*EMOTION.names}
    rules = [rule for rule in RULES.rules if rule.metric.removeprefix("coverage/") in measured]
    comparison = compare("cmp-1", baseline, candidate, allow=["seeds"])
    return decide("gate-1", comparison, baseline, candidate, replace(RULES, rules=tuple(rules)))


def outcomes(result: GateResult, outcome: str) -> set[str]:
    return {one.metric for one in result.judged if one.outcome == outcome}


def pin_of(stage: Stage, pin: str) -> PinOf:
    silent = {item.id for item in stage.suite.items[::5]} if pin == SILENT_NOW_AND_THEN else set()
    sound = "wobble" if silent else pin
    return lambda item: "wobble-silent" if item.id in silent else sound


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("pin", "family", "reason"),
    [
        ("wobble-noisy", "dnsmos", "mos/dnsmos_ovrl"),
        ("wobble-clipped", "signal", "signal/clipping_ratio"),
        ("wobble-wrong-words", "asr", "asr/wer"),
        ("wobble-swapped-emotion", "prosody", "emotion/target_probability"),
        (SILENT_NOW_AND_THEN, "dnsmos", "coverage/mos/dnsmos_ovrl"),
    ],
)
def test_what_was_planted_is_why_the_gate_fails(
    stage: Stage, ear: Ear, baseline: Evaluated, pin: str, family: str, reason: str
) -> None:
    families = tuple(dict.fromkeys(("signal", "prosody", family)))
    candidate = stage.evaluated(pin, pin_of(stage, pin), families, ear=ear)
    result = judged(baseline, candidate, families)
    assert result.verdict == "fail"
    assert reason in outcomes(result, "fail")

    few = judged(only_first(baseline, 9), only_first(candidate, 9), families)
    assert few.verdict == "inconclusive"
    assert {one.doubt for one in few.judged} == {"too_few_items"}


@pytest.mark.timeout(900)
def test_the_same_pin_with_other_seeds_does_not_fail(stage: Stage, ear: Ear, baseline: Evaluated) -> None:
    families = ("signal", "prosody", "dnsmos")
    again = stage.evaluated("wobble again", lambda item: "wobble", families, seeds=(1,), ear=ear)
    result = judged(baseline, again, families)
    assert not outcomes(result, "fail")
    assert {"mos/dnsmos_ovrl", "signal/clipping_ratio"} <= outcomes(result, "pass")
