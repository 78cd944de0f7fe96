"""A panel of all metrics in this process; weights that may not be in the repository, and a tiny pin of the catalog."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.scorer.metrics.base import Clip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import Panel
from services.scorer.metrics.table import FAMILIES
from shared.scores import Reason, Scored, Unscored
from tests.scorer.metrics.tiny_wavlm import wavlm_files
from tests.shelves import Shelves


@pytest.fixture(scope="session")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Shelves:
    """A store in which the weights of NISQA are looked for; they need not be there."""
    shelves = Shelves(tmp_path_factory.mktemp("shelves"))
    data = Path(os.environ.get("RINGTRUE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
    shelves.store.root.mkdir()
    (shelves.store.root / "nisqa").symlink_to(data / "nisqa")
    return shelves


@pytest.fixture(scope="session")
def models(shelves: Shelves) -> Path:
    """The folder of weights."""
    return shelves.store.root


@pytest.fixture(scope="session")
def instruments(shelves: Shelves) -> Instruments:
    """What metrics stand on. A tiny WavLM is locked and pulled; NISQA's weights are there where they are to be had."""
    shelves.put("tiny-wavlm", wavlm_files(shelves.root / "checkpoint"), engine="speaker_wavlm")
    return Instruments(shelves.store.root, lock_file=shelves.lock_file)


@pytest.fixture(scope="session")
def panel(instruments: Instruments) -> Panel:
    """Every family, loaded at first use and kept."""
    return Panel(FAMILIES, instruments)


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
