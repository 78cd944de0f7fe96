"""A panel of all metrics in this process, and the folder of weights that may not be in the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.scorer.metrics.base import Clip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.table import FAMILIES
from shared.scores import Reason, Scored, Unscored


@pytest.fixture(scope="session")
def models() -> Path:
    """Where the weights of NISQA are looked for; they need not be there."""
    return Path(os.environ.get("RINGTRUE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture(scope="session")
def panel(models: Path) -> Panel:
    """Every family, loaded at first use and kept."""
    return Panel(FAMILIES, Instruments(models))


class Measure:
    """Measures a clip by one family; a family whose weights are not on this machine skips the test."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def __call__(self, family: str, clip: Clip) -> dict[str, Scored]:
        scores = self._panel.measure(family, clip)
        for scored in scores.values():
            if isinstance(scored, Unscored) and scored.reason is Reason.MODEL_NOT_PULLED:
                pytest.skip(f"no weights here: {scored.detail}")
        return scores

    def if_there(self, family: str, clip: Clip) -> dict[str, Scored]:
        """As a call, without skipping: where weights are missing, those reasons are the answer."""
        return self._panel.measure(family, clip)

    def value(self, name: str, family: str, clip: Clip) -> float:
        """One value, which there must be."""
        scored = self(family, clip)[name]
        assert not isinstance(scored, Unscored), f"{name}: {scored}"
        return scored.value


@pytest.fixture(scope="session")
def measure(panel: Panel) -> Measure:
    return Measure(panel)
