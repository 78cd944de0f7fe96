"""Measuring a clip in a test, without a host."""

from __future__ import annotations

import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.panel import Panel
from shared.scores import Reason, Scored, Unscored


class Measure:
    """Measures a clip by one family; a family whose weights are not on this machine skips the test."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def __call__(self, family: str, clip: MeasuredClip) -> dict[str, Scored]:
        scores = self._panel.measure(family, clip)
        for scored in scores.values():
            if isinstance(scored, Unscored) and scored.reason is Reason.MODEL_NOT_PULLED:
                pytest.skip(f"no weights here: {scored.detail}")
        return scores

    def if_there(self, family: str, clip: MeasuredClip) -> dict[str, Scored]:
        """As a call, without skipping: where weights are missing, those reasons are the answer."""
        return self._panel.measure(family, clip)

    def value(self, name: str, family: str, clip: MeasuredClip) -> float:
        """One value, which there must be."""
        scored = self(family, clip)[name]
        assert not isinstance(scored, Unscored), f"{name}: {scored}"
        return scored.value
