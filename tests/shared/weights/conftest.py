"""The store that tests of weights work on."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.weights.store import WeightStore


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "models")
