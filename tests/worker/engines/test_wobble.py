"""An engine from another package holds what every engine must hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.worker.engines.conformance import EngineConformance


@pytest.fixture(scope="class")
def environ(wobble_path: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(wobble_path)}


class TestWobble(EngineConformance):
    pin = "wobble"
