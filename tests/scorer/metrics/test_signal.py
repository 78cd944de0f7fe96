"""The signal family against signals whose values are known."""

from __future__ import annotations

import numpy as np
import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.signal import clipping_ratio, loudness_lufs, peak_dbfs
from shared.scores import Reason, Unscored

RATE = 48_000


def _sine(level_dbfs: float, hz: float = 997.0, seconds: float = 2.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    time = np.arange(round(seconds * RATE)) / RATE
    return (10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * time)).astype(np.float32)


def test_a_sine_of_997_hz_at_full_scale_has_minus_3_lufs() -> None:
    """ITU-R BS.1770-4: 0 dBFS in one channel at 997 Hz reads -3.01."""
    assert loudness_lufs(MeasuredClip(_sine(0), RATE)) == pytest.approx(-3.01, abs=0.05)


def test_the_peak_is_that_of_the_sine() -> None:
    assert peak_dbfs(_sine(-6)) == pytest.approx(-6, abs=0.01)


def test_a_sine_that_touches_full_scale_is_not_clipped() -> None:
    assert clipping_ratio(_sine(0)) == 0


def test_a_sine_cut_at_70_percent_is_clipped_half_of_the_time_also_when_it_is_turned_down() -> None:
    cut = np.clip(_sine(0), -0.7071, 0.7071)
    assert clipping_ratio(cut) == pytest.approx(0.5, abs=0.02)
    assert clipping_ratio(cut * np.float32(0.8)) == pytest.approx(0.5, abs=0.02)


def test_loudness_below_the_gate_has_no_number() -> None:
    reading = loudness_lufs(MeasuredClip(_sine(-80), RATE))
    assert isinstance(reading, Unscored)
    assert reading.reason is Reason.NO_SPEECH


def test_loudness_needs_one_block() -> None:
    reading = loudness_lufs(MeasuredClip(_sine(-20, seconds=0.39), RATE))
    assert isinstance(reading, Unscored)
    assert reading.reason is Reason.TOO_SHORT
