"""A bench over fakes, with real engine hosts in its one slot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from workshop import Workshop

from services.worker.loader import Loader
from services.worker.offer import Offer
from tests.worker.budgets import budget


@pytest.fixture(scope="session")
def loader(wobble_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loader]:
    offer = Offer(env={**os.environ, "PYTHONPATH": str(wobble_path)})
    loader = Loader(offer, budget(tmp_path_factory.mktemp("memory")))
    yield loader
    loader.close()


@pytest.fixture
def workshop(loader: Loader, tmp_path: Path) -> Workshop:
    return Workshop.around(loader, tmp_path)
