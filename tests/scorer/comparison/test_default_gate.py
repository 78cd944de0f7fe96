"""The rules that ship, held against pins that are as good, and against each kind of damage."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.gating import decide
from services.scorer.analysis.comparison.quantities import known_quantities
from services.scorer.analysis.comparison.result import GateResult
from shared.gating.toml_notation import default_rules
from shared.scores import Direction, Reason
from tests.scorer.comparison.drawn import Measure, Reading, evaluated, honest, shifted, spoiled

MOS, FELT = "mos/dnsmos_ovrl", "emotion/target_probability"

Spoil = Callable[[int, dict[str, Reading]], Mapping[str, Reading] | None]


def gate(candidate: Measure, items: int = 35, seeds: tuple[int, ...] = (0,)) -> GateResult:
    baseline = evaluated("v1", honest(1), items, seeds)
    other = evaluated("v2", candidate, items, seeds)
    return decide("gate_1", compare("cmp_1", baseline, other), baseline, other, default_rules())


def failed(result: GateResult) -> set[str]:
    return {one.metric for one in result.judged if one.outcome == "fail"}


def silent_one_in_five(number: int, readings: dict[str, Reading]) -> Mapping[str, Reading]:
    """Silence is not graded; what needs no speech still measures it."""
    heard = ("signal/", "cost/")
    return readings if number % 5 else {n: r if n.startswith(heard) else Reason.NO_SPEECH for n, r in readings.items()}


def swapped_emotions(number: int, readings: dict[str, Reading]) -> Mapping[str, Reading]:
    return readings | {"emotion/correct": 0.0, FELT: 0.1} if number % 7 in (1, 2, 3) else readings


def crashing(number: int, readings: dict[str, Reading]) -> Mapping[str, Reading] | None:
    return readings if number % 3 else None


DAMAGE: Mapping[str, tuple[Spoil, int, set[str]]] = {
    "noise": (shifted(mos__dnsmos_ovrl=-0.4), 35, {MOS}),
    "clipping": (shifted(signal__clipping_ratio=0.02), 35, {"signal/clipping_ratio"}),
    "wrong words": (shifted(asr__wer=0.3), 35, {"asr/wer"}),
    "swapped emotions": (swapped_emotions, 35, {FELT}),
    "silence for one in five": (silent_one_in_five, 70, {f"coverage/{MOS}"}),
    "crashes for one in three": (crashing, 35, {f"coverage/{MOS}"}),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_fails_for_its_own_reason(damage: str) -> None:
    spoil, items, reason = DAMAGE[damage]
    result = gate(spoiled(honest(2), spoil), items)
    assert (result.verdict, failed(result)) == ("fail", reason)


@pytest.mark.parametrize("damage", DAMAGE)
def test_on_too_few_items_no_damage_is_a_verdict(damage: str) -> None:
    assert gate(spoiled(honest(2), DAMAGE[damage][0]), items=9).verdict == "inconclusive"


def test_silence_that_is_too_seldom_to_be_sure_is_never_a_pass() -> None:
    assert gate(spoiled(honest(2), silent_one_in_five), items=35).verdict == "inconclusive"


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_a_pin_that_is_as_good_passes_on_the_35_items_of_a_golden_suite(seeds: tuple[int, ...]) -> None:
    result = gate(honest(2), seeds=seeds)
    assert result.verdict == "pass", result.headline
    assert {one.metric for one in result.judged if one.outcome == "not_applicable"} == {
        "mos/nisqa_tts",
        "mos/utmos",
        "mos/distillmos",
        "asr/cer_whisper",
        "asr/cer_funasr",
        "speaker/similarity",
    }


def half_in_a_language_without_recogniser(number: int, readings: dict[str, Reading]) -> Mapping[str, Reading]:
    """As golden-hard is, half of which is Chinese, to the recogniser that comes with Ringtrue."""
    return readings if number % 2 else readings | {"asr/wer": Reason.LANGUAGE_NOT_COVERED}


def test_a_suite_in_two_languages_can_pass_though_the_recogniser_covers_one() -> None:
    baseline = evaluated("v1", spoiled(honest(1), half_in_a_language_without_recogniser), 46)
    candidate = evaluated("v2", spoiled(honest(2), half_in_a_language_without_recogniser), 46)
    result = decide("gate_1", compare("cmp_1", baseline, candidate), baseline, candidate, default_rules())
    words = next(one for one in result.judged if one.metric == "asr/wer")
    assert (result.verdict, words.outcome, words.n, words.unscored_share) == ("pass", "pass", 23, 0.0), result.headline


def test_every_rule_names_a_metric_that_there_is_and_that_judges() -> None:
    for rule in default_rules().rules:
        assert known_quantities().direction(rule.metric) is not Direction.NEUTRAL
