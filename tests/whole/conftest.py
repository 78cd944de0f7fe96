"""One deployment of real processes for a whole test file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.stack import Stack, running


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, wobble_path: Path) -> Iterator[Stack]:
    """Everything running, with the engine family ``wobble`` installed beside espeak."""
    stack = Stack(tmp_path_factory.mktemp("stack"), python_path=[wobble_path])
    with running(stack, "redis", "mlflow", "gateway", "worker", "scorer"):
        yield stack


@pytest.fixture(autouse=True)
def everything_runs(request: pytest.FixtureRequest) -> None:
    """Each test of it starts with every process alive, whatever the one before killed."""
    if "stack" not in request.fixturenames:
        return
    stack: Stack = request.getfixturevalue("stack")
    gone = [name for name, process in stack.processes.items() if process.poll() is not None]
    stack.start(*gone)
