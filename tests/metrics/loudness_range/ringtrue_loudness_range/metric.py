"""The family ``loudness_range``: the level in frames of 50 ms, from its 10th to its 95th percentile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ringtrue_loudness_range.facts import LOUDNESS_RANGE
from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from shared.scores import Reason, Unscored

FRAME_S, FEWEST_FRAMES = 0.05, 8
PERCENTILES = (10, 95)
FLOOR = 2.0**-16
"""Of full scale: half a step of 16 bits."""


class LoudnessRange:
    info = LOUDNESS_RANGE

    def __init__(self, instruments: Instruments) -> None:
        """It has no model, so it needs none of ``instruments``."""

    def lock(self) -> Mapping[str, Any]:
        parameters = {"frame_s": FRAME_S, "percentiles": PERCENTILES}
        return scorer_lock(self.info.family, revision=1, packages=("numpy",), parameters=parameters)

    def load(self) -> None:
        """There is nothing to load."""

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        size = round(clip.sample_rate * FRAME_S)
        if len(clip.samples) < size * FEWEST_FRAMES:
            too_short = Unscored(Reason.TOO_SHORT, f"at least {FRAME_S * FEWEST_FRAMES:g} s are needed")
            return {"loudness/range_db": too_short}
        frames = clip.samples[: len(clip.samples) // size * size].reshape(-1, size).astype(np.float64)
        levels = 20 * np.log10(np.maximum(np.sqrt(np.mean(frames**2, axis=1)), FLOOR))
        low, high = np.percentile(levels, PERCENTILES)
        return {"loudness/range_db": float(high - low)}
