"""The sound of a clip in a few kilobytes: enough to tell whether another clip sounds the same, without the samples.

Owns the definition, which every certificate depends on. It takes samples in [-1, 1), and every 10 ms: the power
spectrum of 40 ms under a periodic Hann window, scaled so that a full-scale sine is 0 dB at its peak; summed by 48
triangular filters of height 1 with centres evenly spaced in mel (2595 log10(1 + f / 700), HTK) between 80 and 7,600 Hz;
as a level in dB; as a byte, 0 for -100 dB or less and half a decibel more for each step (255 is 27.5 dB). Windows begin
with the clip; those that reach beyond its end are padded with zeros. The definition uses only hertz and seconds, so
clips of different sample rates can be compared; bands beyond half the rate are empty.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from shared.audio import Audio

DEFINITION = "log-mel-1"
"""Changed with every change of the definition above: fingerprints of two definitions are not compared."""
BANDS = 48
HOP_S = 0.01
WINDOW_S = 0.04
LOWEST_HZ, HIGHEST_HZ = 80.0, 7600.0
FLOOR_DB, STEP_DB = -100.0, 0.5
MOST_FRAMES = 1_000_000
"""Nearly three hours. No clip of ours is longer."""
RATES = (1_000, 768_000)
"""The lowest and highest sample rate of a clip, in Hz."""

Levels = npt.NDArray[np.float32]
_FULL_SCALE = 32768.0


class NoFingerprint(ValueError):
    """A text that is not a fingerprint."""


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """The fingerprint of one clip. ``cells``: uint8, shape (frames, 48)."""

    cells: npt.NDArray[np.uint8]

    @property
    def levels(self) -> Levels:
        """In dB, shape (frames, 48)."""
        return self.cells.astype(np.float32) * np.float32(STEP_DB) + np.float32(FLOOR_DB)

    def to_text(self) -> str:
        """Return the bytes, row by row, compressed by zlib, as base64."""
        return base64.b64encode(zlib.compress(self.cells.tobytes(), 9)).decode()

    @classmethod
    def from_text(cls, text: str) -> Fingerprint:
        """Parse `to_text`'s output. Raises `NoFingerprint`."""
        most = MOST_FRAMES * BANDS
        try:
            unpacking = zlib.decompressobj()
            cells = unpacking.decompress(base64.b64decode(text, validate=True), most)
        except (binascii.Error, zlib.error, ValueError) as error:
            raise NoFingerprint(str(error)) from error
        if not cells or len(cells) % BANDS or not unpacking.eof:
            raise NoFingerprint(f"{len(cells)} bytes are not complete frames of {BANDS} bands")
        return cls(np.frombuffer(cells, np.uint8).reshape(-1, BANDS))


def fingerprint(audio: Audio) -> Fingerprint:
    """Return the fingerprint of a clip that has samples, at a rate within `RATES`."""
    samples = np.frombuffer(audio.pcm, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
    power = _spectra(samples, audio.sample_rate)
    bands = power @ _filters(audio.sample_rate, power.shape[1]).T
    levels = 10 * np.log10(np.maximum(bands, 10 ** (FLOOR_DB / 10)))
    cells = np.clip(np.rint((levels - FLOOR_DB) / STEP_DB), 0, 255).astype(np.uint8)
    return Fingerprint(cells)


def frames_of(samples: int, sample_rate: int) -> int:
    """Return how many frames a clip has: one every 10 ms, up to its end."""
    return math.ceil(samples / sample_rate / HOP_S)


def _spectra(samples: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float64]:
    """Return the power spectra, shape (frames, bins)."""
    length = round(WINDOW_S * sample_rate)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    starts = np.rint(np.arange(frames_of(len(samples), sample_rate)) * HOP_S * sample_rate).astype(int)
    padded = np.pad(samples, (0, length))
    frames = padded[starts[:, None] + np.arange(length)] * window
    spectrum = np.fft.rfft(frames, axis=1) / (window.sum() / 2)
    return np.asarray(np.abs(spectrum) ** 2, np.float64)


@lru_cache(maxsize=8)
def _filters(sample_rate: int, bins: int) -> npt.NDArray[np.float64]:
    """Return the filters, shape (48, bins)."""
    edges = _hertz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2))
    at = np.arange(bins) * sample_rate / round(WINDOW_S * sample_rate)
    low, centre, high = (edges[start : start + BANDS, None] for start in range(3))
    rising, falling = (at - low) / (centre - low), (high - at) / (high - centre)
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None), np.float64)


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(700 * (10 ** (mel / 2595) - 1), np.float64)
