"""What must not earn a score: nothing, too little, too much, the wrong language."""

from __future__ import annotations

import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.panel import Panel
from shared.audio import Audio
from shared.scores import Reason, Score, Unscored
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.measure import Measure


def _reasons(measure: Measure, family: str, clip: MeasuredClip) -> set[Reason | None]:
    return {s.reason if isinstance(s, Unscored) else None for s in measure(family, clip).values()}


@pytest.mark.parametrize("family", ["asr", "semantic"])
def test_a_language_that_is_not_covered_is_said_so(measure: Measure, family: str) -> None:
    assert _reasons(measure, family, KNOWN["zh_plain"].clip()) == {Reason.LANGUAGE_NOT_COVERED}
    without_language = MeasuredClip.of(KNOWN["en_plain"].audio, text="Please.")
    assert _reasons(measure, family, without_language) == {Reason.LANGUAGE_NOT_COVERED}


@pytest.mark.parametrize("family", ["asr", "semantic"])
def test_a_region_of_a_covered_language_is_covered(measure: Measure, family: str) -> None:
    clip = MeasuredClip.of(KNOWN["en_short"].audio, text="Yes.", language="en-GB")
    assert _reasons(measure, family, clip) == {None}


@pytest.mark.parametrize("text", [None, "", "  \n", "...!"])
def test_no_words_no_error_rate(measure: Measure, text: str | None) -> None:
    assert _reasons(measure, "asr", MeasuredClip.of(KNOWN["en_short"].audio, text=text, language="en")) == {
        Reason.NEEDS_TEXT
    }


@pytest.mark.parametrize("family", ["signal", "prosody", "dnsmos", "nisqa_tts", "nisqa"])
def test_a_minute_of_speech_is_measured_or_refused_as_too_long(measure: Measure, family: str) -> None:
    known = KNOWN["zh_plain"]
    minute = Audio(known.audio.pcm * 14, known.audio.sample_rate)
    assert minute.duration_s > 60
    too_long = family.startswith("nisqa")
    assert _reasons(measure, family, known.clip(minute)) == {Reason.TOO_LONG if too_long else None}


def test_five_minutes_are_too_long_to_transcribe(measure: Measure) -> None:
    known = KNOWN["en_plain"]
    minutes = Audio(known.audio.pcm * 104, known.audio.sample_rate)
    assert _reasons(measure, "asr", known.clip(minutes)) == {Reason.TOO_LONG}


def test_the_signal_of_silence_is_described_where_it_can_be(measure: Measure) -> None:
    scores = measure("signal", KNOWN["silence_24k"].clip())
    assert scores["signal/duration_s"].to_json()["value"] == 2.0
    assert scores["signal/speech_ratio"].to_json()["value"] == 0.0
    assert isinstance(scores["signal/loudness_lufs"], Unscored)
    assert isinstance(scores["signal/peak_dbfs"], Unscored)


def test_an_empty_clip_has_a_length_of_zero_and_nothing_else(measure: Measure) -> None:
    scores = measure("signal", MeasuredClip.of(Audio(b"", 24_000)))
    assert scores.pop("signal/duration_s").to_json()["value"] == 0.0
    assert {s.reason for s in scores.values() if isinstance(s, Unscored)} == {Reason.TOO_SHORT}
    assert not any(isinstance(s, Score) for s in scores.values())


def test_a_family_that_is_not_in_the_table_is_an_error_of_the_caller(panel: Panel) -> None:
    with pytest.raises(KeyError):
        panel.load("nobody")
