"""The report leads with one error rate: that of the recogniser that judges."""

from __future__ import annotations

from services.scorer.analysis.comparison.compute import compare
from services.scorer.report.focus import leading, overall
from shared.scores import Reason
from tests.scorer.comparison.drawn import Measure, evaluated


def led(measure: Measure) -> list[str]:
    rows = overall(compare("cmp_1", evaluated("v1", measure), evaluated("v2", measure)))
    return [row.metric for row in leading(rows)]


def test_the_words_of_whisper_lead_where_both_recognisers_judge() -> None:
    assert led(lambda n, _: {"asr/wer": n / 100, "asr/wer_whisper": n / 200, "asr/cer_whisper": n / 300}) == [
        "asr/wer_whisper"
    ]


def test_one_clip_that_whisper_lacks_does_not_take_the_lead_from_it() -> None:
    assert led(lambda n, _: {"asr/wer": n / 100, "asr/wer_whisper": n / 200 if n else Reason.TOO_LONG}) == [
        "asr/wer_whisper"
    ]


def test_pocketsphinx_leads_where_whisper_judged_few_items() -> None:
    assert led(lambda n, _: {"asr/wer": n / 100, "asr/wer_whisper": n / 200 if n < 10 else Reason.TOO_LONG}) == [
        "asr/wer"
    ]
