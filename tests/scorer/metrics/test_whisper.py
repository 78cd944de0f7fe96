"""Words and characters that a pinned Whisper hears: a tiny one that was taught some clips, decoded by the real code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.whisper.metric import Whisper
from services.scorer.metrics.whisper.recogniser import WhisperRecogniser, whisper_of
from shared.audio import Audio, silence
from shared.catalog import lock_sha256
from shared.metrics import METRICS
from shared.scores import Reason, Score, Scored, Unscored
from tests.model_stores import ModelStores
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.conftest import IN_GERMAN, TAUGHT, Measure
from tests.scorer.metrics.tiny_whisper import altered, whisper_files, without

WER, CER = "asr/wer_whisper", "asr/cer_whisper"
EN, ZH = KNOWN["en_plain"], KNOWN["zh_plain"]


@pytest.fixture(scope="session")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """A checkpoint that means nothing by what it writes."""
    return whisper_files(tmp_path_factory.mktemp("untaught"))


def _heard_by(files: Mapping[str, bytes], folder: Path, clip: MeasuredClip) -> dict[str, Scored]:
    model_stores = ModelStores(folder)
    model_stores.put("tiny", files, engine="whisper")
    return Panel(METRICS, Instruments(model_stores.store.root, lock_file=model_stores.lock_file)).measure(
        "whisper", clip
    )


def _refusal(scores: dict[str, Scored]) -> Unscored:
    first, *others = scores.values()
    assert isinstance(first, Unscored), first
    assert all(other == first for other in others)
    return first


@pytest.mark.parametrize("name", TAUGHT)
def test_a_clip_whose_words_are_heard_has_no_errors(name: str, measure: Measure) -> None:
    scores = measure("whisper", KNOWN[name].clip())
    rates = [scored.value for scored in scores.values() if isinstance(scored, Score)]
    assert rates == ([0, 0] if KNOWN[name].language == "en" else [0])


def test_other_words_than_those_of_the_text_are_errors(measure: Measure) -> None:
    other = MeasuredClip.of(EN.audio, text=KNOWN["en_fast"].text, language="en")
    assert measure.value(WER, "whisper", other) > 0.7
    assert measure.value(CER, "whisper", other) > 0.5


def test_a_text_in_traditional_characters_is_the_same_text(measure: Measure) -> None:
    traditional = MeasuredClip.of(ZH.audio, text="今天下午三點我們在圖書館門口見面。", language="zh-Hant-TW")
    assert measure.value(CER, "whisper", traditional) == 0


def test_numbers_in_an_english_text_are_the_words_for_them(measure: Measure) -> None:
    text = (KNOWN["en_fast"].text or "").replace("nine", "9").replace("twenty", "20")
    assert measure.value(WER, "whisper", MeasuredClip.of(KNOWN["en_fast"].audio, text=text, language="en")) == 0


def test_chinese_has_characters_and_no_words(measure: Measure) -> None:
    scores = measure("whisper", ZH.clip())
    wer = scores[WER]
    assert isinstance(wer, Unscored)
    assert (wer.reason, wer.detail) == (
        Reason.LANGUAGE_NOT_COVERED,
        "zh is written without spaces between words",
    )
    assert isinstance(scores[CER], Score)


@pytest.mark.parametrize(("tag", "code"), [("zh-Hans-CN", "zh"), ("cmn", "zh"), ("EN-gb", "en"), ("nb-NO", "no")])
def test_a_language_is_known_by_its_primary_subtag(tag: str, code: str, recogniser: WhisperRecogniser) -> None:
    assert recogniser.language_of(MeasuredClip.of(EN.audio, text="a", language=tag)) == code


@pytest.mark.parametrize("tag", ["fr", "yue", None, ""])
def test_a_language_that_the_checkpoint_does_not_name_is_not_covered(tag: str | None, measure: Measure) -> None:
    refused = _refusal(measure("whisper", MeasuredClip.of(EN.audio, text="Please.", language=tag)))
    assert refused.reason is Reason.LANGUAGE_NOT_COVERED
    assert "tiny-whisper covers de, en, no, zh" in refused.detail


def test_the_language_asked_for_is_that_of_the_clip(measure: Measure) -> None:
    assert measure.value(WER, "whisper", MeasuredClip.of(ZH.audio, text=IN_GERMAN, language="de-AT")) == 0


def test_five_minutes_are_too_long(measure: Measure) -> None:
    minutes = Audio(EN.audio.pcm * 104, EN.audio.sample_rate)
    assert _refusal(measure("whisper", EN.clip(minutes))).reason is Reason.TOO_LONG


def test_a_clip_longer_than_it_hears_at_a_time_is_heard_in_parts(measure: Measure) -> None:
    first, second = KNOWN["en_plain"], KNOWN["en_fast"]
    gap = silence(1.024, first.audio.sample_rate)
    both = Audio(first.audio.pcm + gap + second.audio.pcm + gap + first.audio.pcm, first.audio.sample_rate)
    text = f"{first.text} {second.text} {first.text}"
    assert measure.value(CER, "whisper", MeasuredClip.of(both, text=text, language="en")) < 0.1


def test_a_text_without_words_has_no_rate(measure: Measure) -> None:
    scores = measure("whisper", MeasuredClip.of(EN.audio, text="?!", language="de"))
    assert {s.reason for s in scores.values() if isinstance(s, Unscored)} == {Reason.NEEDS_TEXT}
    assert not any(isinstance(s, Score) for s in scores.values())


def test_the_same_clip_is_transcribed_once(recogniser: WhisperRecogniser) -> None:
    clip = EN.clip()
    assert recogniser.transcript(clip) is recogniser.transcript(clip)


def test_an_english_only_checkpoint_covers_english(tmp_path: Path, untaught: Mapping[str, bytes]) -> None:
    english = altered(untaught, "generation_config.json", is_multilingual=False, lang_to_id=None, task_to_id=None)
    assert all(isinstance(scored, Score) for scored in _heard_by(english, tmp_path / "en", EN.clip()).values())
    assert _refusal(_heard_by(english, tmp_path / "zh", ZH.clip())).reason is Reason.LANGUAGE_NOT_COVERED


def test_a_checkpoint_that_would_sample_is_decoded_without(tmp_path: Path, untaught: Mapping[str, bytes]) -> None:
    sampling = altered(untaught, "generation_config.json", do_sample=True, temperature=3.0, num_beams=2)
    drawn, plain = (_heard_by(files, tmp_path / name, EN.clip()) for name, files in (("a", sampling), ("b", untaught)))
    assert [s.to_json().get("value") for s in drawn.values()] == [s.to_json().get("value") for s in plain.values()]


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (("generation_config.json",), "has no generation_config.json"),
        (("preprocessor_config.json",), "has neither preprocessor_config.json nor processor_config.json"),
        (("tokenizer.json",), "needs tokenizer.json"),
    ],
)
def test_what_is_missing_is_not_made_up(
    missing: tuple[str, ...], said: str, tmp_path: Path, untaught: Mapping[str, bytes]
) -> None:
    refused = _refusal(_heard_by(without(untaught, *missing), tmp_path, EN.clip()))
    assert refused.reason is Reason.MODEL_NOT_PULLED
    assert said in refused.detail


@pytest.mark.parametrize(
    ("file", "members", "said"),
    [
        ("config.json", {"model_type": "wavlm"}, "is a model of type wavlm, not whisper"),
        ("config.json", {"decoder_layers": 2}, "weights are not in tiny; the first is model.decoder.layers.1"),
        ("generation_config.json", {"lang_to_id": None}, "does not say which languages it covers"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused(
    file: str, members: Mapping[str, object], said: str, tmp_path: Path, untaught: Mapping[str, bytes]
) -> None:
    refused = _refusal(_heard_by(altered(untaught, file, **members), tmp_path, EN.clip()))
    assert refused.reason is Reason.MODEL_NOT_PULLED
    assert said in refused.detail


def test_another_pin_is_another_lock(tmp_path: Path, instruments: Instruments, untaught: Mapping[str, bytes]) -> None:
    model_stores = ModelStores(tmp_path)
    model_stores.put("tiny", untaught, engine="whisper")
    other = Whisper(Instruments(model_stores.store.root, lock_file=model_stores.lock_file)).lock()
    assert set(other["weights"]) == set(untaught)
    assert lock_sha256(other) != lock_sha256(Whisper(instruments).lock())


@pytest.fixture(scope="module")
def recogniser(instruments: Instruments) -> WhisperRecogniser:
    """The one that the metrics ask, loaded."""
    found = whisper_of(instruments)
    found.load()
    return found
