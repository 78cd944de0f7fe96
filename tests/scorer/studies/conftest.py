"""A desk per test, a tracking server per session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scorer.studies.desk import Desk
from tests.scorer.tracking.tracking_server import Reader, TrackingServer


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "blobs")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def reader(server: TrackingServer) -> Reader:
    return Reader(server.uri)
