"""The speech detector tells speech from what is none, and finds pauses where they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.speech import Speech, SpeechDetector
from tests.defects import with_pause
from tests.scorer.metrics.clips import KNOWN, SPOKEN, Known


@pytest.fixture(scope="module")
def detector(models: Path) -> SpeechDetector:
    return Instruments(models).speech


@pytest.mark.parametrize("known", SPOKEN, ids=lambda known: known.name)
def test_spoken_clips_are_speech_nearly_throughout(known: Known, detector: SpeechDetector) -> None:
    assert detector.probabilities(known.clip().at_16k).max() > 0.99
    assert detector.find(known.clip()).duration_s > 0.9 * known.audio.duration_s


@pytest.mark.parametrize("name", ["noise_48k", "silence_24k"])
def test_noise_and_silence_are_none(name: str, detector: SpeechDetector) -> None:
    assert detector.probabilities(KNOWN[name].clip().at_16k).max() < 0.03
    assert detector.find(KNOWN[name].clip()) == Speech(())


def test_a_pause_is_found_at_its_length(detector: SpeechDetector) -> None:
    known = KNOWN["zh_plain"]
    found = detector.find(known.clip(with_pause(known.audio, 0.8)))
    assert found.longest_pause_s == pytest.approx(0.8, abs=0.15)


def test_what_precedes_and_follows_speech_is_no_pause() -> None:
    assert Speech(((5.0, 6.0),)).longest_pause_s == 0
    assert Speech(((5.0, 6.0), (6.5, 7.0), (7.2, 8.0))).longest_pause_s == 0.5


def test_the_detector_needs_neither_torch_nor_the_package_it_comes_from() -> None:
    """Importing silero_vad would set torch's threads for the whole process."""
    probe = (
        "import sys; from pathlib import Path; from services.scorer.metrics.instruments import Instruments;"
        "Instruments(Path()).speech; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout.split()
    assert not {"torch", "silero_vad"}.intersection(loaded)
