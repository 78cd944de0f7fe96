"""Checks whether there is any sound in samples, as far as numbers can tell.

Owns what is not sound: silence, a constant, noise of one bit, channels that cancel each other out when they are
averaged, and samples beyond full scale. Each is reported by its name. Does not know whether somebody speaks.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_FULL_SCALE = 32_768
_FAINTEST_DB = -80.0
"""Root mean square, in dBFS, below which only the noise of 16 bits is left: some 3 of 32,768 steps."""
_MOST_LOST = 0.01
"""If the average of the channels keeps less than this share of their power, they cancel each other out. Unrelated
channels keep one part in as many as there are channels."""
_WINDOW_S = 0.1
_MOST_CANCELLED = 0.1
"""If the channels cancel each other out in more than this share of what is sound, a listener misses it."""
_MOST_BEYOND = 0.01
"""A loud recording has a few samples beyond full scale after MP3 or Vorbis. One with more was scaled wrongly."""
_FEWEST_VALUES = 5
"""Fewest different sample values. A voice has hundreds."""


class Level:
    """The level of the samples so far: of all channels as they came, and of their average."""

    def __init__(self, sample_rate: int) -> None:
        self._channels, self._mono = _Power(), _Power()
        self._seen = np.zeros(2 * _FULL_SCALE, dtype=bool)
        self._window = max(1, round(_WINDOW_S * sample_rate))
        self._sounding, self._cancelled = 0, 0
        self._samples, self._beyond, self._peak = 0, 0, 0.0

    def add(self, block: NDArray[np.float64], mono: NDArray[np.int16]) -> None:
        """Add samples. ``block``: one column per channel. ``mono``: the samples that are kept of it."""
        within = np.clip(block, -1, 1)
        self._channels.add(within)
        self._mono.add(mono[:, np.newaxis] / _FULL_SCALE)
        self._seen[mono.view(np.uint16)] = True
        over = np.abs(block)
        self._samples += block.size
        self._beyond += int(np.count_nonzero(over > 1))
        self._peak = max(self._peak, float(over.max(initial=0)))
        self._count_cancelled(within, mono / _FULL_SCALE)

    def fault(self) -> str | None:
        """Return why it is not sound, or None if it is."""
        each, kept, values = self._channels.power, self._mono.power, int(self._seen.sum())
        if _decibels(each) >= _FAINTEST_DB and kept < _MOST_LOST * each:
            return "its channels cancel each other out: mixed to mono, the recording is silent. Send only one of them"
        if self._cancelled > _MOST_CANCELLED * self._sounding:
            return (
                f"its channels cancel each other out in {self._cancelled / self._sounding:.0%} of the recording: mixed"
                " to mono, that is silent. Send only one of them"
            )
        if self._beyond > _MOST_BEYOND * self._samples:
            return (
                f"{self._beyond / self._samples:.0%} of its samples are beyond full scale (peak {self._peak:.4g});"
                " samples are -1 to 1"
            )
        if values == 1:
            return "it is silent" if self._seen[0] else "it is a constant (DC) and no sound"
        if _decibels(kept) < _FAINTEST_DB:
            return f"it is too quiet: {_decibels(kept):.0f} dBFS; at least {_FAINTEST_DB:.0f} dBFS are required"
        if values < _FEWEST_VALUES:
            return f"it is noise: its samples have {values} values, and a voice has hundreds"
        return None

    def _count_cancelled(self, block: NDArray[np.float64], mono: NDArray[np.float64]) -> None:
        """Count the windows with sound, and those of them in which the average has none."""
        windows = len(block) // self._window
        if not windows:
            return
        kept = windows * self._window
        each = block[:kept].reshape(windows, self._window, -1).var(axis=1).mean(axis=1)
        average = mono[:kept].reshape(windows, self._window).var(axis=1)
        sounding = each > 10 ** (_FAINTEST_DB / 10)
        self._sounding += int(np.count_nonzero(sounding))
        self._cancelled += int(np.count_nonzero(sounding & (average < _MOST_LOST * each)))


class _Power:
    """Mean square around the mean, over all columns together."""

    def __init__(self) -> None:
        self._sums: NDArray[np.float64] | None = None
        self._count = 0

    def add(self, block: NDArray[np.float64]) -> None:
        sums = np.array([block.sum(axis=0), np.square(block).sum(axis=0)])
        if self._sums is not None and self._sums.shape != sums.shape:  # another stream, with other channels
            self._sums, sums = self._sums.mean(axis=1, keepdims=True), sums.mean(axis=1, keepdims=True)
        self._sums = sums if self._sums is None else self._sums + sums
        self._count += len(block)

    @property
    def power(self) -> float:
        if self._sums is None:
            return 0.0
        means, squares = self._sums / self._count
        return max(0.0, float(np.mean(squares - np.square(means))))


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
