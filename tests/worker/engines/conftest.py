"""Hosts for engine tests, started once per pin and module."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from services.worker.engine_host import EngineHost, never_mind
from shared.catalog import Manifest

pytest.register_assert_rewrite("tests.worker.engines.conformance", "tests.worker.engines.batch_conformance")

LOAD_S = 60.0

Start = Callable[[], EngineHost]


@pytest.fixture(scope="class")
def environ() -> dict[str, str]:
    """The environment of the hosts; a suite whose engine lives in another package overrides it."""
    return dict(os.environ)


@pytest.fixture(scope="class")
def launch(request: pytest.FixtureRequest, environ: dict[str, str]) -> Start:
    """Starts a host of the class's pin, nothing loaded; a suite whose pin is the catalog's overrides it."""
    return lambda: EngineHost(request.cls.pin, env=environ)


@pytest.fixture(scope="class")
def start(launch: Start) -> Iterator[Start]:
    """Starts a fresh, loaded host of the class's pin."""
    started: list[EngineHost] = []

    def begin() -> EngineHost:
        host = launch()
        started.append(host)
        host.load(never_mind, LOAD_S)
        return host

    yield begin
    for host in started:
        host.close()


@pytest.fixture(scope="class")
def warm(start: Start) -> EngineHost:
    """One host that the tests of a class share."""
    return start()


@pytest.fixture(scope="class")
def manifest(warm: EngineHost) -> Manifest:
    """What the pin of the class says that it can do."""
    return warm.manifest(LOAD_S)
