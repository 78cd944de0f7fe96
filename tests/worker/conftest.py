"""A worker's flow over fakes, with real engine hosts in its one slot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.worker.loader import Loader
from services.worker.pins.served_pins import ServedPins
from tests.worker.budgets import budget
from tests.worker.workshop import Workshop


@pytest.fixture(scope="session")
def loader(wobble_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    served_pins = ServedPins(env={**os.environ, "PYTHONPATH": str(wobble_path)})
    loader = Loader(served_pins, budget(tmp_path_factory.mktemp("memory")))
    yield loader
    loader.close()


@pytest.fixture
def workshop(loader: Loader, tmp_path: Path) -> Workshop:
    return Workshop.around(loader, tmp_path)
