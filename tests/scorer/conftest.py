"""A tracking server per session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scorer.tracking_server import Reader, TrackingServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def reader(server: TrackingServer) -> Reader:
    return Reader(server.uri)
