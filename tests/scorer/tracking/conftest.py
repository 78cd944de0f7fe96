"""A tracking server per session, and a shop of jobs per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tracked_jobs import Shop
from tracking_server import Reader, TrackingServer

from shared.blobs.folder import FolderBlobs


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def reader(server: TrackingServer) -> Reader:
    return Reader(server.uri)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(FolderBlobs(tmp_path / "blobs"))
