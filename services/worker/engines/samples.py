"""From a model's samples to PCM, and the checks that PCM must pass to count as speech.

Owns the scale (full scale of floating point is 1) and the checks. Knows no engine. numpy and soxr are imported at first
use: an engine that makes PCM by itself needs neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.worker.engines.base import EngineError
from shared.audio import Audio
from shared.errors import FailureCode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FULL_SCALE = 32767
LONGEST_S = 600.0
"""Seconds. No piece of text takes this long to say, however slowly."""


def audio_of(samples: npt.NDArray[np.floating | np.int16], sample_rate: int) -> Audio:
    """Return the audio of mono ``samples``, shape (n,). int16 is taken as it is; floats are clipped to [-1, 1].

    Raises `EngineError` ``audio_invalid`` for any other shape or type, and for a sample that is not finite.
    """
    import numpy as np

    if samples.ndim != 1:
        raise EngineError(f"expected mono samples (n,), got shape {samples.shape}", FailureCode.AUDIO_INVALID)
    if samples.dtype == np.int16:
        return Audio(samples.astype("<i2", copy=False).tobytes(), sample_rate)
    if not np.issubdtype(samples.dtype, np.floating):
        raise EngineError(f"expected float or int16 samples, got {samples.dtype}", FailureCode.AUDIO_INVALID)
    if not np.isfinite(samples).all():
        raise EngineError("the engine returned samples that are not finite", FailureCode.AUDIO_INVALID)
    scaled = np.multiply(samples, FULL_SCALE, dtype=np.float32)
    np.clip(np.rint(scaled, out=scaled), -FULL_SCALE - 1, FULL_SCALE, out=scaled)
    return Audio(scaled.astype("<i2").tobytes(), sample_rate)


def checked(audio: Audio | None, sample_rate: int) -> Audio:
    """Return ``audio`` if it is what an engine of ``sample_rate`` Hz may give for one piece of text. Raises
    `EngineError`: ``engine_returned_nothing`` if there is no audio or only silence, ``audio_invalid`` for another rate
    or for more than `LONGEST_S` seconds."""
    if audio is None:
        raise EngineError("the engine returned nothing and no reason", FailureCode.ENGINE_RETURNED_NOTHING)
    if audio.sample_rate != sample_rate:
        raise EngineError(f"expected {sample_rate} Hz, got {audio.sample_rate}", FailureCode.AUDIO_INVALID)
    if audio.duration_s > LONGEST_S:
        raise EngineError(
            f"the engine did not stop: {audio.duration_s:,.0f} s for one piece of text", FailureCode.AUDIO_INVALID
        )
    if not audio.pcm:
        raise EngineError("the engine returned no samples", FailureCode.ENGINE_RETURNED_NOTHING)
    if audio.pcm.count(0) == len(audio.pcm):
        raise EngineError("the engine returned only silence", FailureCode.ENGINE_RETURNED_NOTHING)
    return audio


def resampled(audio: Audio, sample_rate: int) -> Audio:
    """Return ``audio`` at ``sample_rate`` Hz (soxr, HQ). The same input gives the same PCM.

    It converts to floats and rounds, because soxr's own int16 output has a dither whose seed we cannot set.
    """
    if audio.sample_rate == sample_rate:
        return audio
    import numpy as np
    import soxr  # type: ignore[import-untyped]

    samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float32) / FULL_SCALE
    return audio_of(soxr.resample(samples, audio.sample_rate, sample_rate), sample_rate)
