"""Spectrograms in the form that the quality predictors expect.

Owns the short-time spectrum and the mel filterbank of M. Slaney (Auditory Toolbox, 1998): linear below 1 kHz,
logarithmic above, filters of equal area. The values equal those of librosa 0.11, which is not imported because its
front end compiles for seconds at first use.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from services.scorer.metrics.base import Samples

Matrix = npt.NDArray[np.float32]

_HZ_PER_MEL = 200 / 3
_LINEAR_TO_HZ = 1000.0
_LINEAR_TO_MEL = _LINEAR_TO_HZ / _HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    if hz < _LINEAR_TO_HZ:
        return hz / _HZ_PER_MEL
    return _LINEAR_TO_MEL + math.log(hz / _LINEAR_TO_HZ) / _LOG_STEP


def _mel_points_hz(high_hz: float, count: int) -> npt.NDArray[np.float64]:
    """Return ``count`` frequencies in Hz from 0 to ``high_hz``, equally spaced on the mel scale."""
    mels = np.linspace(0.0, _hz_to_mel(high_hz), count)
    logarithmic = _LINEAR_TO_HZ * np.exp(_LOG_STEP * np.maximum(mels - _LINEAR_TO_MEL, 0))
    return np.asarray(np.where(mels < _LINEAR_TO_MEL, mels * _HZ_PER_MEL, logarithmic))


def mel_filters(sample_rate: int, fft_size: int, bands: int, high_hz: float) -> Matrix:
    """Return a filterbank from 0 to ``high_hz``, shape (bands, fft_size // 2 + 1). Bands above half the rate are
    empty."""
    frequencies = np.fft.rfftfreq(fft_size, 1 / sample_rate)
    points = _mel_points_hz(high_hz, bands + 2)[:, None]
    left, centre, right = points[:-2], points[1:-1], points[2:]
    rising = (frequencies - left) / (centre - left)
    falling = (right - frequencies) / (right - centre)
    return (np.clip(np.minimum(rising, falling), 0, None) * 2 / (right - left)).astype(np.float32)


def magnitudes(samples: Samples, *, fft_size: int, window: int, hop: int, padding: str) -> Matrix:
    """Return magnitude spectra of centred frames with a periodic Hann window, shape (frames, fft_size // 2 + 1).

    ``padding``: how the ends are padded, a mode of numpy.pad. Frame i is centred at sample i * hop.
    """
    padded = np.pad(samples, fft_size // 2, mode=padding)  # type: ignore[call-overload]
    frames = np.lib.stride_tricks.sliding_window_view(padded, fft_size)[::hop]
    # Only the middle of a frame is under the window. Its position in the frame changes phases, not magnitudes.
    start = (fft_size - window) // 2
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    return np.abs(np.fft.rfft(frames[:, start : start + window] * hann, fft_size)).astype(np.float32)
