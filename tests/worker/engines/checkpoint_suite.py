"""The conformance suites for pins of the family transformers: a tiny checkpoint, locked, in a store, in a real host."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from services.worker.engine_host import HOST, EngineHost
from services.worker.engines.base import Snapshot
from services.worker.pins.catalog_pins import CatalogPins
from tests.model_stores import NOWHERE, ModelStores, locked, pull
from tests.worker.engines.batch_conformance import BatchConformance
from tests.worker.engines.checkpoints import files
from tests.worker.engines.conformance import EngineConformance
from tests.worker.engines.conftest import Start

_ONE_THREAD = {"OMP_NUM_THREADS": "1"}
"""Models as small as these gain nothing by threads, and lose much where these wait for each other on a busy machine."""
FAMILY = "services.worker.engines.transformers.family:Transformers"


def pulled(root: Path, pin: str, checkpoint: Path, options: Mapping[str, Any] | None = None) -> Snapshot:
    """What a host is given of a pin whose files are those in ``checkpoint``."""
    model_stores = ModelStores(root)
    content = files(checkpoint)
    lock = locked(pin, content, NOWHERE, engine="transformers", options=options or {})
    pull(model_stores.store, lock, content)
    return CatalogPins(model_stores.store, model_stores.lock_file).snapshot(lock)


def host_of(snapshot: Snapshot) -> EngineHost:
    """A host of the pin, nothing loaded."""
    return EngineHost(snapshot.pin, (*HOST, "--family", FAMILY), {**os.environ, **_ONE_THREAD}, snapshot=snapshot)


class _CheckpointPin:
    """What makes the checkpoint, and the catalog's options of the pin."""

    pin: ClassVar[str]
    made_by: ClassVar[Callable[[Path], Path]]
    options: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def launch(cls, tmp_path_factory: pytest.TempPathFactory) -> Start:
        """In place of the one that starts hosts of built-in pins."""
        root = tmp_path_factory.mktemp("pin")
        snapshot = pulled(root / "model stores", cls.pin, cls.made_by(root / "checkpoint"), cls.options)
        return lambda: host_of(snapshot)


class CheckpointConformance(_CheckpointPin, EngineConformance):
    """Subclass it with what makes the checkpoint."""


class CheckpointBatches(_CheckpointPin, BatchConformance):
    """Likewise, with ``max_batch`` in its options."""
