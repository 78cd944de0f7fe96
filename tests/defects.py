"""Planted defects: what a broken synthesiser does to a good clip, made on purpose.

Owns nothing but the damage. Tests of metrics, comparisons and gates plant a defect and ask whether it is caught; a
judge that has never been shown a wrong clip has not been tested.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from shared.audio import Audio, silence

Wave = npt.NDArray[np.float64]


def _changed(audio: Audio, change: Callable[[Wave], Wave]) -> Audio:
    changed = change(np.frombuffer(audio.pcm, dtype="<i2").astype(np.float64) / 32768)
    return Audio(np.clip(np.round(changed * 32768), -32768, 32767).astype("<i2").tobytes(), audio.sample_rate)


def with_noise(audio: Audio, snr_db: float, seed: int = 0) -> Audio:
    """White noise at ``snr_db`` below the clip's mean power; the same seed gives the same noise."""
    noise = np.random.default_rng(seed).standard_normal

    def add(wave: Wave) -> Wave:
        level = np.sqrt(np.mean(wave**2)) * 10 ** (-snr_db / 20)
        noisy: Wave = wave + level * noise(len(wave))
        return noisy

    return _changed(audio, add)


def clipped(audio: Audio, drive_db: float) -> Audio:
    """Amplified by ``drive_db`` over a peak at full scale, and cut off there."""

    def drive(wave: Wave) -> Wave:
        driven: Wave = np.clip(wave / np.abs(wave).max() * 10 ** (drive_db / 20), -1, 1)
        return driven

    return _changed(audio, drive)


def silenced(audio: Audio) -> Audio:
    """As long, and nothing in it."""
    return Audio(silence(audio.duration_s, audio.sample_rate), audio.sample_rate)


def truncated(audio: Audio, keep: float) -> Audio:
    """Only the first part, ``keep`` of the whole: the model stopped in mid-sentence."""
    return _changed(audio, lambda wave: wave[: round(len(wave) * keep)])


def with_pause(audio: Audio, seconds: float, at: float = 0.5) -> Audio:
    """A hole of ``seconds`` at ``at`` of the whole: the model hung between two words."""
    hole = np.zeros(round(seconds * audio.sample_rate))

    def insert(wave: Wave) -> Wave:
        middle = round(len(wave) * at)
        return np.concatenate((wave[:middle], hole, wave[middle:]))

    return _changed(audio, insert)


def with_silence_after(audio: Audio, seconds: float) -> Audio:
    """Silence appended: no defect of the speech, and no metric may take it for an improvement."""
    return Audio(audio.pcm + silence(seconds, audio.sample_rate), audio.sample_rate)
