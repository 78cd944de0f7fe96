"""From samples to PCM: right, checked, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from services.worker.engines.base import EngineError
from services.worker.engines.samples import audio_of, checked, resampled
from shared.audio import Audio
from shared.errors import FailureCode

TONE = (0.5 * np.sin(np.arange(22_050) * 2 * np.pi * 440 / 22_050)).astype(np.float32)


def test_floats_are_scaled_rounded_and_clipped() -> None:
    audio = audio_of(np.array([0.0, 1.0, -1.0, 0.5, 2.0, -2.0], np.float32), 16_000)
    assert np.frombuffer(audio.pcm, "<i2").tolist() == [0, 32767, -32767, 16384, 32767, -32768]


def test_what_is_given_is_not_written_to() -> None:
    given = TONE.copy()
    audio_of(given, 22_050)
    assert np.array_equal(given, TONE)


def test_16_bit_samples_pass_as_they_are() -> None:
    given = np.array([-32768, 0, 7, 32767], np.int16)
    assert audio_of(given, 16_000).pcm == given.astype("<i2").tobytes()


@pytest.mark.parametrize(
    "samples",
    [np.array([0.1, np.nan]), np.array([np.inf]), np.zeros((2, 3), np.float32), np.array([1], np.int32)],
    ids=["nan", "infinite", "two channels", "32 bits"],
)
def test_samples_that_are_no_speech_are_invalid(samples: np.ndarray) -> None:
    with pytest.raises(EngineError) as error:
        audio_of(samples, 16_000)
    assert error.value.code is FailureCode.AUDIO_INVALID


@pytest.mark.parametrize("pcm", [b"", bytes(2000)], ids=["empty", "zeros"])
def test_nothing_and_silence_are_no_answer(pcm: bytes) -> None:
    with pytest.raises(EngineError) as error:
        checked(Audio(pcm, 16_000), 16_000)
    assert error.value.code is FailureCode.ENGINE_RETURNED_NOTHING


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_a_tone_keeps_its_length_pitch_and_level_at_another_rate(sample_rate: int) -> None:
    audio = resampled(audio_of(TONE, 22_050), sample_rate)
    assert audio.sample_rate == sample_rate
    assert audio.duration_s == pytest.approx(1, abs=0.001)
    heard = np.frombuffer(audio.pcm, "<i2") / 32767
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.fft.rfftfreq(len(heard), 1 / sample_rate)[spectrum.argmax()] == pytest.approx(440, abs=2)
    assert float(np.sqrt(np.mean(heard**2))) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_the_own_rate_is_left_alone() -> None:
    audio = audio_of(TONE, 22_050)
    assert resampled(audio, 22_050) is audio
