"""Which reading is heard: the rule, both recognisers on clips whose words are known, and a host that has no weights."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from services.scorer.metrics.base import MeasuredClip, PronunciationVerdict
from services.scorer.metrics.english.aligner import Aligner, words_of
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.pronunciation import verdict
from services.scorer.metrics.pronunciation.verdict import MARGINS, POCKETSPHINX, WHISPER, heard
from services.scorer.scoring.metric_host import MetricHost
from shared.readings.pronunciation import Pronunciation
from shared.scores import HeardReading, Reason, Score, Unscored
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN, SPOKEN
from tests.scorer.metrics.measure import Measure

EN, ZH = KNOWN["en_plain"], KNOWN["zh_plain"]
KEYS = Pronunciation("keys", ("keys",), ("boats",))
"""en_plain says: please leave the keys ..."""
SURE = {name: margin + 0.1 for name, margin in MARGINS.items()}
TABLE = "tests.scorer.metrics.pronunciation_family"
ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


def _found(recogniser: str, right: bool, margin: float) -> HeardReading:
    return HeardReading(recogniser, "one", right, margin)


def _names(found: list[HeardReading]) -> str:
    """The one name whose value is 1."""
    readings = verdict.verdict(found)
    (told,) = [name for name, value in readings.items() if isinstance(value, PronunciationVerdict)]
    assert [value for name, value in readings.items() if name != told] == [0.0, 0.0]
    return told.removeprefix("pronunciation/")


def _value(measure: Measure, clip: MeasuredClip, name: str) -> float:
    return measure.value(f"pronunciation/{name}", "pronunciation", clip)


def _clip(said: Pronunciation, name: str = "en_plain") -> MeasuredClip:
    known = KNOWN[name]
    return MeasuredClip.of(known.audio, text=known.text, language=known.language, pronunciation=said)


@pytest.fixture(scope="module")
def aligner(instruments: Instruments) -> Aligner:
    return Aligner(instruments.speech)


# -- the rule ---------------------------------------------------------------------------------------------------------


def test_the_likeliest_reading_is_heard_by_how_far_it_is_ahead_of_the_other_kind() -> None:
    said = Pronunciation("1984", ("nineteen eighty four", "nineteen hundred"), ("one nine eight four",))
    assert heard(WHISPER, said, [-10.0, -12.0, -15.0]) == HeardReading(WHISPER, "nineteen eighty four", True, 5.0)
    assert heard(WHISPER, said, [-10.0, -12.0, -9.0]) == HeardReading(WHISPER, "one nine eight four", False, 1.0)


def test_a_reading_that_does_not_fit_at_all_is_far_behind_and_the_margin_stays_finite() -> None:
    said = Pronunciation("a", ("b",), ("c",))
    assert heard(POCKETSPHINX, said, [-5.0, -math.inf]).margin == 1000.0
    assert heard(POCKETSPHINX, said, [-math.inf, -math.inf]).margin == 0.0


def test_one_recogniser_decides_if_it_is_sure() -> None:
    assert _names([_found(WHISPER, True, SURE[WHISPER])]) == "right"
    assert _names([_found(WHISPER, False, SURE[WHISPER])]) == "wrong"
    assert _names([_found(WHISPER, True, MARGINS[WHISPER] / 2)]) == "unknown"


def test_two_that_contradict_each_other_do_not_know() -> None:
    assert _names([_found(WHISPER, True, 500.0), _found(POCKETSPHINX, False, 500.0)]) == "unknown"
    assert _names([_found(WHISPER, True, 500.0), _found(POCKETSPHINX, True, 500.0)]) == "right"


# -- pocketsphinx -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don’t stop - it's half-past nine.", ["don't", "stop", "it's", "half", "past", "nine"]),
        ("Room 305", None),
        ("3.5kg", None),
        ("A+", None),
        ("重庆", None),
        ("...", None),
    ],
)
def test_only_plain_words_are_aligned(text: str, words: list[str] | None) -> None:
    assert words_of(text) == words


def test_the_words_that_were_said_fit_best(aligner: Aligner) -> None:
    text = EN.text or ""
    fits = aligner.log_likelihoods(EN.clip(), [text, text.replace("keys", "boats"), text.replace("keys", "kernel")])
    assert fits is not None
    assert fits[0] > max(fits[1:])


def test_what_was_aligned_before_changes_nothing(aligner: Aligner) -> None:
    texts = [EN.text or "", (EN.text or "").replace("keys", "boats")]
    first = aligner.log_likelihoods(EN.clip(), texts)
    aligner.log_likelihoods(KNOWN["en_fast"].clip(), texts)
    assert aligner.log_likelihoods(EN.clip(), texts[::-1]) == (first or [])[::-1]


def test_a_word_that_the_dictionary_lacks_cannot_be_aligned(aligner: Aligner) -> None:
    assert aligner.log_likelihoods(EN.clip(), ["please leave the qwyjibo"]) is None


# -- the family, with a tiny Whisper that knows these clips -----------------------------------------------------------


def test_what_was_said_is_right_and_what_was_not_said_is_wrong(measure: Measure) -> None:
    assert _value(measure, _clip(KEYS), "right") == 1
    assert _value(measure, _clip(Pronunciation("keys", ("boats",), ("keys",))), "wrong") == 1


def test_each_recogniser_that_judged_is_named_with_what_it_heard(measure: Measure) -> None:
    scored = measure("pronunciation", _clip(KEYS))["pronunciation/right"]
    assert isinstance(scored, Score)
    assert {one.recogniser: (one.reading, one.right) for one in scored.readings} == {
        WHISPER: ("keys", True),
        POCKETSPHINX: ("keys", True),
    }


def test_in_other_languages_whisper_judges_alone(measure: Measure) -> None:
    target = (ZH.text or "")[:2]
    scored = measure("pronunciation", _clip(Pronunciation(target, (target,), ("飞机",)), "zh_plain"))
    verdicts = [one for one in scored.values() if isinstance(one, Score) and one.value == 1]
    assert [[heard.recogniser for heard in one.readings] for one in verdicts] == [[WHISPER]]


def test_a_language_that_whisper_does_not_cover_is_not_judged(measure: Measure) -> None:
    clip = MeasuredClip.of(EN.audio, text=EN.text, language="fr", pronunciation=KEYS)
    assert {one.reason for one in measure("pronunciation", clip).values() if isinstance(one, Unscored)} == {
        Reason.LANGUAGE_NOT_COVERED
    }


def test_more_speech_than_whisper_hears_at_a_time_is_too_long(measure: Measure) -> None:
    audio = type(EN.audio)(EN.audio.pcm * 5, EN.audio.sample_rate)
    clip = MeasuredClip.of(audio, text=EN.text, language="en", pronunciation=KEYS)
    assert {one.reason for one in measure("pronunciation", clip).values() if isinstance(one, Unscored)} == {
        Reason.TOO_LONG
    }


def test_the_three_are_shares_of_all_items(measure: Measure) -> None:
    for known in SPOKEN:
        said = Pronunciation((known.text or "")[:4], ("yes",), ("no",))
        clip = MeasuredClip.of(known.audio, text=known.text, language=known.language, pronunciation=said)
        values = [one.value for one in measure("pronunciation", clip).values() if isinstance(one, Score)]
        assert sum(values) in (0, 1)  # 0: the tiny Whisper does not hear so much at a time


# -- in a host --------------------------------------------------------------------------------------------------------


def test_by_default_a_job_without_readings_has_no_such_values(
    instruments: Instruments, model_stores: ModelStores
) -> None:
    with MetricHost(models=instruments.models, lock_file=model_stores.lock_file, table=TABLE, env=ENV) as host:
        assert host.measure(EN.audio, text=EN.text, language="en", families=True) == []
        (judged,) = host.measure(EN.audio, text=EN.text, language="en", pronunciation=KEYS, families=True)
        (named,) = host.measure(EN.audio, text=EN.text, language="en", families=["pronunciation"])
    assert judged.scores["pronunciation/right"].to_json()["value"] == 1
    assert {one.reason for one in named.scores.values() if isinstance(one, Unscored)} == {Reason.NEEDS_PRONUNCIATION}


def test_without_the_weights_of_whisper_nothing_is_judged(tmp_path: Path) -> None:
    with MetricHost(models=tmp_path, table=TABLE, env=ENV) as host:
        known = {"text": EN.text, "language": "en", "pronunciation": KEYS}
        assert host.measure(EN.audio, **known, families=True) == []  # type: ignore[arg-type]
        (named,) = host.measure(EN.audio, **known, families=["pronunciation"])  # type: ignore[arg-type]
    assert {one.reason for one in named.scores.values() if isinstance(one, Unscored)} == {Reason.MODEL_NOT_PULLED}
