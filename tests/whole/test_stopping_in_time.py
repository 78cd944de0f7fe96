"""Told to stop, a scorer and a worker have stopped by their deadline, though a host, MLflow or both hang; nothing is
lost by it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.whole.stack import Stack, eventually, running

COMPOSE_S = 30.0
"""So long does the compose file give; a busy machine takes more than the 14 s of a quiet one."""
NAMES = ("scorer", "worker")
SLOW = {"pin": "wobble-slow", "options": {"sleep_s": 60}}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, wobble_path: Path) -> Iterator[Stack]:
    """With an MLflow that takes connections and never answers."""
    stack = Stack(tmp_path_factory.mktemp("stack"), python_path=[wobble_path])
    with socket.create_server(("127.0.0.1", stack.mlflow_port)), running(stack, "redis", "gateway", "worker", "scorer"):
        yield stack


def hang(stack: Stack, name: str) -> list[psutil.Process]:
    """Stop whatever a service has started."""
    children = eventually(lambda: stack.hosts(name), 60, f"{name} has a host")
    for child in children:
        child.send_signal(signal.SIGSTOP)
    return list(children)


def reached(facet: str, status: str) -> Callable[[dict[str, Any]], bool]:
    return lambda job: bool((job[facet]["status"] if facet else job["status"]) == status)


def test_a_scorer_and_a_worker_whose_hosts_hang(stack: Stack) -> None:
    tracked = stack.submit("Tracked by a server that hangs.", score=False)
    stack.until(tracked, reached("tracking", "running"))
    scored = stack.submit("Scored by a host that hangs.", score=["signal", "asr", "semantic"])
    stack.until(scored, reached("", "succeeded"))
    spoken = stack.submit("Spoken by a host that hangs.", **SLOW)
    stack.until(spoken, reached("", "processing"))
    stack.until(scored, reached("scoring", "running"))
    children = [child for name in NAMES for child in hang(stack, name)]
    for name in NAMES:
        stack.processes[name].terminate()
    for name in NAMES:
        assert stack.processes[name].wait(COMPOSE_S) == 0, stack.log(name)
    assert psutil.wait_procs(children, timeout=COMPOSE_S)[1] == []
    assert stack.job(spoken)["status"] == "queued"
    assert stack.job(scored)["scoring"]["status"] == "pending"  # and not done, with reasons in place of scores
