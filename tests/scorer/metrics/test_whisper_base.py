"""Whisper base as it is published in packages: it hears English and Mandarin. Skipped where they cannot be pulled."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.scoring.metric_host import MetricHost
from shared.audio import Audio
from shared.scores import Score
from tests.example_pins import pulled_example
from tests.scorer.metrics.clips import KNOWN

ROOT = Path(__file__).parents[3]
PIN = "whisper-base"
MANDARIN = "今天下午三点我们在图书馆门口见面。"
"""What is said in speech_neural/zh_kokoro.wav."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> MetricHost:
    """A host in its sandbox with the pin of the examples, pulled as a user does it."""
    models, lock_file = pulled_example(PIN, tmp_path_factory.mktemp("pulled"))
    return MetricHost(models=models, lock_file=lock_file)


def _rates(host: MetricHost, clip: Audio, text: str, language: str) -> dict[str, float]:
    (result,) = host.measure(clip, families=["whisper"], text=text, language=language)
    return {name: scored.value for name, scored in result.scores.items() if isinstance(scored, Score)}


def _mandarin() -> Audio:
    with wave.open(str(ROOT / "tests" / "data" / "speech_neural" / "zh_kokoro.wav")) as file:
        return Audio(file.readframes(file.getnframes()), file.getframerate())


@pytest.mark.parametrize(("name", "most"), [("en_short", 0.0), ("en_plain", 0.1), ("en_fast", 0.2)])
def test_english_is_heard(name: str, most: float, host: MetricHost) -> None:
    known = KNOWN[name]
    rates = _rates(host, known.audio, known.text or "", "en")
    assert rates["asr/wer_whisper"] <= most


def test_mandarin_is_heard(host: MetricHost) -> None:
    assert _rates(host, _mandarin(), MANDARIN, "zh-CN") == {"asr/cer_whisper": pytest.approx(0, abs=0.07)}


def test_what_was_heard_is_kept_with_the_rate(host: MetricHost) -> None:
    (result,) = host.measure(_mandarin(), families=["whisper"], text="今天下午3點我們在圖書館門口見面。", language="zh")
    scored = result.scores["asr/cer_whisper"]
    assert isinstance(scored, Score)
    assert scored.transcript is not None
    assert scored.transcript.text_counted == "今天下午三点我们在图书馆门口见面"
    assert scored.transcript.heard_counted == "今天下午三点我们在图书馆门口见面"
    assert "图书馆" in scored.transcript.heard


def test_another_text_is_not_what_was_said(host: MetricHost) -> None:
    assert _rates(host, _mandarin(), "请把窗户关上，外面的风很大。", "zh")["asr/cer_whisper"] > 0.7


def test_the_same_clip_has_the_same_rates(host: MetricHost) -> None:
    clip = KNOWN["zh_plain"]
    assert _rates(host, clip.audio, clip.text or "", "zh") == _rates(host, clip.audio, clip.text or "", "zh")


def test_what_is_longer_than_half_a_minute_is_heard_in_parts(host: MetricHost) -> None:
    """Ten times the sentence. Whisper writes a digit and leaves out two of the ten: 0.25."""
    clip = _mandarin()
    assert MeasuredClip.of(clip).duration_s * 10 > 30
    assert _rates(host, Audio(clip.pcm * 10, clip.sample_rate), MANDARIN * 10, "zh")["asr/cer_whisper"] < 0.3
