"""A planted defect is caught by the metrics that should, and by how much."""

from __future__ import annotations

import pytest

from shared.scores import Reason, Unscored
from tests.defects import clipped, silenced, truncated, with_noise, with_pause
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.measure import Measure

GOOD = KNOWN["en_plain"]


@pytest.mark.parametrize(
    ("name", "family", "drop"),
    [
        ("mos/dnsmos_ovrl", "dnsmos", 0.5),
        ("mos/dnsmos_bak", "dnsmos", 0.5),
        ("mos/nisqa", "nisqa", 0.2),
    ],
)
def test_noise_lowers_predicted_quality(measure: Measure, name: str, family: str, drop: float) -> None:
    noisy = GOOD.clip(with_noise(GOOD.audio, snr_db=10))
    assert measure.value(name, family, noisy) < measure.value(name, family, GOOD.clip()) - drop


def test_clipping_raises_the_clipping_ratio(measure: Measure) -> None:
    assert measure.value("signal/clipping_ratio", "signal", GOOD.clip()) == 0
    mild = measure.value("signal/clipping_ratio", "signal", GOOD.clip(clipped(GOOD.audio, drive_db=6)))
    hard = measure.value("signal/clipping_ratio", "signal", GOOD.clip(clipped(GOOD.audio, drive_db=12)))
    assert 0 < mild < hard


def test_wrong_words_raise_the_error_rate_and_lose_the_meaning(measure: Measure) -> None:
    wrong = GOOD.clip(KNOWN["en_fast"].audio)
    assert measure.value("asr/wer", "asr", GOOD.clip()) < 0.3
    assert measure.value("asr/wer", "asr", wrong) > 0.8
    assert measure.value("semantic/similarity", "semantic", GOOD.clip()) > 0.8
    assert measure.value("semantic/similarity", "semantic", wrong) < 0.4


def test_a_sentence_that_breaks_off_costs_words_and_speaks_too_fast(measure: Measure) -> None:
    half = GOOD.clip(truncated(GOOD.audio, keep=0.5))
    assert measure.value("asr/wer", "asr", half) > measure.value("asr/wer", "asr", GOOD.clip()) + 0.3
    rate = measure.value("prosody/rate_per_s", "prosody", GOOD.clip())
    assert measure.value("prosody/rate_per_s", "prosody", half) > 1.5 * rate


def test_a_hang_between_words_is_the_longest_pause(measure: Measure) -> None:
    hung = GOOD.clip(with_pause(GOOD.audio, 1.5))
    assert measure.value("signal/longest_pause_s", "signal", hung) > 1.2


@pytest.mark.parametrize("family", ["dnsmos", "nisqa_tts", "nisqa", "asr", "semantic", "prosody"])
def test_silence_earns_nothing(measure: Measure, family: str) -> None:
    for scored in measure(family, GOOD.clip(silenced(GOOD.audio))).values():
        assert isinstance(scored, Unscored)
        assert scored.reason is Reason.NO_SPEECH
