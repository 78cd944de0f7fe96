"""From what the network says of each frame to samples.

A train of pulses as high as the voice is filtered; noise and a part with phases of its own are added. The package has
the same in its module ``dsp``, but its samples depend on whether scipy is installed, which is no part of a pin. Here it
is numpy alone. Knows no session and no phonemes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 24_000
HOP = 300
"""Samples from one frame to the next."""
BINS = 601
_WINDOW = 1200
_BLOCKS = _WINDOW // HOP
_LEAST_HZ = 40.0
"""Frames with a lower pitch have no voice."""
_HIGHEST_HZ = 11_000.0
"""The pulses have no overtones above."""
_LOUDEST = 7.0
"""The largest magnitude, as a logarithm."""


@dataclass(frozen=True, slots=True)
class HibariFrames:
    """What the network says: float32, shape (BINS, frames), magnitudes as logarithms; ``f0`` has shape (frames,)."""

    voiced: Floats
    turn: Floats
    """Of the phases of the pulses; its tanh is in half turns."""
    noise: Floats
    free: Floats
    phases: Floats
    """Of the free part, in radians."""
    f0: Floats
    """Hz, 0 where there is no voice."""


def waveform(frames: HibariFrames, drawn: np.random.Generator) -> Floats:
    """Return the samples, shape (frames * HOP,), full scale 1. ``drawn``: where the noise comes from."""
    import numpy as np

    count = len(frames.f0)
    noise = drawn.standard_normal((BINS, 2 * count), np.float32).view(np.complex64)
    spectrum = _spectrum(_pulses(frames.f0)) * _turned(frames.voiced, np.float32(np.pi) * np.tanh(frames.turn))
    spectrum += noise * _magnitudes(frames.noise)
    spectrum += _turned(frames.free, frames.phases)
    return _samples(spectrum)


def _magnitudes(logarithms: Floats) -> Floats:
    import numpy as np

    return np.exp(np.minimum(logarithms, np.float32(_LOUDEST)))


def _turned(logarithms: Floats, phases: Floats) -> Any:
    import numpy as np

    turned = np.empty(phases.shape, np.complex64)
    magnitudes = _magnitudes(logarithms)
    turned.real, turned.imag = magnitudes * np.cos(phases), magnitudes * np.sin(phases)
    return turned


def _pulses(f0: Floats) -> Floats:
    """Return cosines of all overtones of ``f0`` up to `_HIGHEST_HZ`, summed: shape (frames * HOP,), zero where there is
    no voice."""
    import numpy as np

    places = (np.arange(len(f0) * HOP) + 0.5) / HOP - 0.5
    pitch = np.interp(places, np.arange(len(f0)), f0)
    voiced = pitch > _LEAST_HZ
    pitch = np.maximum(pitch, _LEAST_HZ)
    half = np.pi * np.modf(np.cumsum(pitch) / SAMPLE_RATE)[0]
    overtones = np.floor(_HIGHEST_HZ / pitch) + 0.5
    sine = 2 * np.sin(half)
    singular = np.abs(sine) <= 2e-3  # there the quotient below has a limit
    quotient = np.sin(2 * overtones * half) / np.where(singular, 1, sine)
    summed = np.where(singular, overtones, quotient) - 0.5
    return np.where(voiced, summed, 0).astype(np.float32)


def _window() -> Floats:
    """Return a periodic Hann window."""
    import numpy as np

    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


def _spectrum(samples: Floats) -> Any:
    """Return the spectrum of each frame, (BINS, frames) complex64, of magnitude 1 for cosines of amplitude 1."""
    import numpy as np

    padded = np.pad(samples, _WINDOW // 2, mode="reflect")
    framed = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][: len(samples) // HOP]
    return np.fft.rfft(framed * (_window() / np.float32(HOP)), axis=1).T


def _samples(spectrum: Any) -> Floats:
    """Return the samples of spectra: windowed again, overlapping, and divided by the sum of the squared windows."""
    import numpy as np

    count, window = spectrum.shape[1], _window()
    framed = np.fft.irfft(spectrum.T, _WINDOW, axis=1).astype(np.float32) * window
    blocks, squares = framed.reshape(count, _BLOCKS, HOP), (window * window).reshape(_BLOCKS, HOP)
    samples = np.zeros((count + _BLOCKS - 1, HOP), np.float32)
    weights = np.zeros_like(samples)
    for at in range(_BLOCKS):
        samples[at : at + count] += blocks[:, at]
        weights[at : at + count] += squares[at]
    samples /= np.maximum(weights, np.float32(1e-11))
    return samples.reshape(-1)[_WINDOW // 2 :][: count * HOP]
