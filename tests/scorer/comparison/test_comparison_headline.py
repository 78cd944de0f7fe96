"""The one sentence of a comparison: what it is sure of, and what keeps it from being so."""

from __future__ import annotations

from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.result import ComparisonResult, MetricRow
from shared.scores import Reason
from tests.scorer.comparison.drawn import Measure, evaluated, honest, shifted, spoiled

MOS = "mos/dnsmos_ovrl"
SILENT = Reason.NO_SPEECH
COMPARISON = compare(
    "cmp_1", evaluated("v1", honest(1)), evaluated("v2", spoiled(honest(2), shifted(mos__dnsmos_ovrl=0.2)))
)


def row_of(comparison: ComparisonResult, metric: str) -> MetricRow:
    row = comparison.row(metric)
    assert row is not None
    return row


def test_the_headline_names_what_is_surely_different() -> None:
    assert COMPARISON.headline.startswith("v2 against v1 on drawn (35 items): better in mos/dnsmos_ovrl (3.")
    assert COMPARISON.headline.endswith(
        "; no clear difference in 4 other metrics; intelligibility judged by pocketsphinx (asr/wer)"
    )


def heard_by(*, whisper: int, pocketsphinx: int, better: bool = False) -> str:
    """The headline of two pins of which the recognisers scored the first items; Whisper alone hears a difference."""

    def measure(side: str) -> Measure:
        lost = 0.3 if side == "v1" and better else 0.0
        return lambda n, _: {
            "asr/wer_whisper": 0.1 + lost + n / 1000 if n < whisper else Reason.LANGUAGE_NOT_COVERED,
            "asr/cer_whisper": 0.05 if whisper else Reason.LANGUAGE_NOT_COVERED,
            "asr/wer": 0.4 if n < pocketsphinx else Reason.LANGUAGE_NOT_COVERED,
        }

    return compare("cmp_1", evaluated("v1", measure("v1")), evaluated("v2", measure("v2"))).headline


def test_whisper_judges_intelligibility_where_both_sides_have_it() -> None:
    told = heard_by(whisper=35, pocketsphinx=35, better=True)
    assert "better in asr/wer_whisper (0.417 to 0.117)" in told
    assert told.endswith("; intelligibility judged by Whisper (asr/wer_whisper)")
    assert "asr/wer (" not in told
    assert "other metric" not in told


def test_pocketsphinx_judges_where_whisper_was_not_pulled() -> None:
    told = heard_by(whisper=0, pocketsphinx=35)
    assert told.endswith("no clear difference in 1 metric; intelligibility judged by pocketsphinx (asr/wer)")


def test_characters_judge_where_words_are_counted_in_a_part_of_the_items() -> None:
    """A suite of two languages: words are counted in one of them."""
    assert heard_by(whisper=17, pocketsphinx=17).endswith("; intelligibility judged by Whisper (asr/cer_whisper)")


def test_the_headline_is_sure_of_nothing_that_few_items_say() -> None:
    """Nine items can be surely different by p alone; what nobody should build on is not told as sure."""
    far = {"v1": 0.1, "v2": 0.9}
    sides = [
        evaluated(name, lambda n, _, at=at: {"asr/wer": at + n / 1000 if n < 9 else Reason.LANGUAGE_NOT_COVERED})
        for name, at in far.items()
    ]
    comparison = compare("cmp_1", *sides)
    row = row_of(comparison, "asr/wer")
    assert row.n == 9
    assert (row.p_corrected or 1) < 0.05
    assert "worse" not in comparison.headline
    assert "too few items for a verdict (below 10) in 1 metric" in comparison.headline


def test_a_candidate_is_not_better_in_what_it_left_out() -> None:
    """It is silent where it is worst: what is left looks better, and the headline says that too much is left out."""
    lost = spoiled(honest(2), lambda n, one: shifted(mos__dnsmos_ovrl=0.2)(n, one) if n % 5 else {**one, MOS: SILENT})
    comparison = compare("cmp_1", evaluated("v1", honest(1)), evaluated("v2", lost))
    assert (row_of(comparison, MOS).p_corrected or 1) < 0.05
    assert "better" not in comparison.headline
    assert "too much left out on one side of mos/dnsmos_ovrl (baseline 0, candidate 7 of 35)" in comparison.headline


def test_what_neither_side_can_be_scored_in_takes_no_sureness_from_the_rest() -> None:
    def english(measure: Measure) -> Measure:
        return spoiled(measure, lambda n, one: one if n % 2 else {**one, MOS: Reason.LANGUAGE_NOT_COVERED})

    better = spoiled(english(honest(2)), lambda n, one: shifted(mos__dnsmos_ovrl=0.2)(n, one) if n % 2 else one)
    comparison = compare("cmp_1", evaluated("v1", english(honest(1))), evaluated("v2", better))
    assert "better in mos/dnsmos_ovrl" in comparison.headline


def test_costs_come_last_in_the_headline() -> None:
    slow = evaluated("v2", spoiled(honest(2), shifted(cost__rtf=0.1)))
    told = compare("cmp_1", evaluated("v1", honest(1)), slow).headline
    assert "; dearer in cost/rtf (" in told
    assert "worse" not in told


def test_the_headline_of_nothing_and_of_little_says_so() -> None:
    same = compare("cmp_1", evaluated("v1", honest(1), items=4), evaluated("v2", honest(1), items=4))
    assert same.headline == (
        "v2 against v1 on drawn (4 items): too few items for a verdict (below 10) in 5 metrics; "
        "intelligibility judged by pocketsphinx (asr/wer)"
    )
