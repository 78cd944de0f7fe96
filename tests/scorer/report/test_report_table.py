"""How a row of a comparison reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.scorer.analysis.comparison.result import Estimate, MetricRow
from services.scorer.report.focus import grouped, leading
from services.scorer.report.table import absences, line

MOS = MetricRow(
    metric="mos/nisqa_tts", unit="MOS", direction="higher", scope="overall", binary=False, n=35, seeds=5, scored=175,
    wanted=175, baseline_unscored={}, candidate_unscored={}, baseline_mean=3.618, candidate_mean=3.968,
    difference=Estimate(0.35, 0.21, 0.49), relative=Estimate(0.0967, 0.058, 0.136), p=0.0004, p_corrected=0.003,
    wins=28, ties=4, losses=3,
)  # fmt: skip


def test_a_row_says_what_people_say() -> None:
    said = line(MOS, 0.95)
    assert (said.baseline, said.candidate, said.difference, said.interval) == (
        "3.62",
        "3.97",
        "+0.35 MOS",
        "[+0.21, +0.49]",
    )
    assert (said.relative, said.relative_interval) == ("+9.7 %", "[+5.8 %, +13.6 %]")
    assert (said.p, said.p_corrected, said.tally, said.n, said.says) == ("< 0.001", "0.003", "28 / 4 / 3", 35, "better")


def test_yes_and_no_is_told_in_percent_and_points() -> None:
    row = replace(
        MOS, metric="emotion/correct", unit="1", binary=True, baseline_mean=0.8, candidate_mean=0.9,
        difference=Estimate(0.1, 0.02, 0.18), relative=None,
    )  # fmt: skip
    said = line(row, 0.95)
    assert (said.baseline, said.candidate, said.difference, said.relative) == ("80", "90", "+10 points", "–")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"direction": "lower"}, "worse"),
        ({"difference": Estimate(-0.35, -0.49, -0.21)}, "worse"),
        ({"p_corrected": 0.051}, "no clear difference"),
        ({"p_corrected": None}, "no clear difference"),
        ({"n": 9}, "too few items"),
        ({"scored": 157, "candidate_unscored": {"no_speech": 18}}, "too much left out"),
        ({"scored": 158, "candidate_unscored": {"no_speech": 17}}, "better"),
        ({"scored": 75, "baseline_unscored": {"too_short": 100}, "candidate_unscored": {"too_short": 100}}, "better"),
        ({"direction": "neutral"}, "describes"),
        ({"difference": None, "relative": None}, "not measured"),
    ],
)
def test_one_word_says_how_to_take_it(change: dict[str, object], says: str) -> None:
    assert line(replace(MOS, **change), 0.95).says == says  # type: ignore[arg-type]


def test_a_zero_has_no_sign() -> None:
    row = replace(MOS, baseline_mean=-0.0, candidate_mean=0.0, difference=Estimate(-0.0, -0.0, 0.0))
    said = line(row, 0.95)
    assert (said.baseline, said.difference, said.interval) == ("0.00", "0.00 MOS", "[0.00, 0.00]")


def test_metrics_that_lack_the_same_are_told_together() -> None:
    lacking = [
        replace(MOS, metric=name, scored=173, candidate_unscored={"no_speech": 2}) for name in ("mos/a", "mos/b")
    ]
    (told,) = absences([*lacking, MOS])
    assert (told.metrics, told.counted, told.candidate) == (("mos/a", "mos/b"), "173 of 175", "2 no speech")


def test_the_predictor_for_synthetic_speech_leads() -> None:
    rows = [replace(MOS, metric=name) for name in ("cost/rtf", "asr/wer", "mos/dnsmos_ovrl", "mos/nisqa_tts")]
    assert [row.metric for row in leading(rows)] == ["mos/nisqa_tts", "asr/wer"]


def test_a_metric_that_counts_more_items_leads_its_kind() -> None:
    rows = [replace(MOS, metric="asr/wer", n=5), replace(MOS, metric="asr/cer_whisper", n=35)]
    assert [row.metric for row in leading(rows)] == ["asr/cer_whisper"]


def test_without_any_of_those_kinds_the_first_that_judges_leads() -> None:
    rows = [replace(MOS, metric="signal/peak_dbfs", direction="neutral"), replace(MOS, metric="signal/dc_offset")]
    assert [row.metric for row in leading(rows)] == ["signal/dc_offset"]


def test_what_only_describes_comes_last_whatever_its_family() -> None:
    rows = [replace(MOS, metric="mos/odd", direction="neutral"), replace(MOS, metric="cost/rtf"), MOS]
    assert list(grouped(rows)) == ["Predicted quality", "Cost", "Described, not judged"]
