"""Defects of a spoken clip: what a synthesiser that fails does, made on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from shared.audio import Audio

Wave = npt.NDArray[np.float64]

_CUT_S = 0.45
_LOUD = 0.05
"""Of full scale. What follows the last louder sample is silence."""
_SNR_DB = 3.0


def _cut(wave: Wave, rate: int) -> Wave:
    """Stop nearly half a second before the end of the speech."""
    end = int(np.flatnonzero(np.abs(wave) > _LOUD * np.abs(wave).max())[-1])
    return wave[: max(end - round(_CUT_S * rate), 0)]


def _repeated(wave: Wave, rate: int) -> Wave:
    """Say half a second in the middle twice."""
    middle = len(wave) // 2
    return np.concatenate((wave[:middle], wave[max(middle - rate // 2, 0) :]))


def _noise(wave: Wave, _rate: int) -> Wave:
    """Add white noise with half of the clip's mean power, the same each time."""
    level = np.sqrt(np.mean(wave**2)) * 10 ** (-_SNR_DB / 20)
    noisy: Wave = wave + level * np.random.default_rng(0).standard_normal(len(wave))
    return noisy


DEFECTS: Mapping[str, Callable[[Wave, int], Wave]] = {"cut": _cut, "repeated": _repeated, "noise": _noise}


def damaged(audio: Audio, defect: str | None) -> Audio:
    """Return the clip with a defect of `DEFECTS`; the clip itself for ``None``."""
    if defect is None:
        return audio
    wave = DEFECTS[defect](np.frombuffer(audio.pcm, "<i2") / 32768, audio.sample_rate)
    return Audio(np.clip(np.round(wave * 32768), -32768, 32767).astype("<i2").tobytes(), audio.sample_rate)
