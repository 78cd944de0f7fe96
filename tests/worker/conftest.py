"""A bench over fakes, with real engine hosts in its one slot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from workshop import Sounds, Workshop

from services.worker.loader import Loader
from services.worker.synthesis import Bench, Slot
from shared.blobs import FolderBlobs
from shared.slots import Slots
from shared.store.memory import MemoryJobStore


@pytest.fixture(scope="session")
def loader(wobble_path: Path) -> Iterator[Loader]:
    loader = Loader(env={**os.environ, "PYTHONPATH": str(wobble_path)})
    yield loader
    loader.close()


@pytest.fixture
def workshop(loader: Loader, tmp_path: Path) -> Workshop:
    store, sounds = MemoryJobStore(), Sounds()
    bench = Bench(
        slots=Slots([Slot("here/0", loader)]),
        store=store,
        blobs=FolderBlobs(tmp_path / "blobs"),
        bells=sounds,
        announcer=sounds,
        environment="env",
        families=["espeak", "wobble"],
        heard=lambda: None,
    )
    workshop = Workshop(bench, store, sounds, loader)
    bench.clock = lambda: workshop.now
    store.publish("here", loader.manifests(), workshop.now)
    return workshop
