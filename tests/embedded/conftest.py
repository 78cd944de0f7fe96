"""Stacks of one-line scripts, started as processes of their own and ended by their pids."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedded.lifecycle import bring_down
from tests.embedded.stack_process import StackProcess, StartStack

FAKE_STACK = Path(__file__).with_name("fake_stack.py")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartStack]:
    """Start a stack of scripts: ``start("--flag", name="script")``, in ``tmp_path/data`` unless told otherwise."""
    started: list[StackProcess] = []

    def start_stack(*flags: str, folder: Path | None = None, **scripts: str) -> StackProcess:
        folder = folder or tmp_path / "data"
        children = [f"{name}={script}" for name, script in scripts.items()]
        argv = [sys.executable, str(FAKE_STACK), str(folder), *flags, *children]
        started.append(StackProcess(folder, argv, tmp_path / f"words-{len(started)}.txt"))
        return started[-1]

    yield start_stack
    for stack in started:
        if stack.process.poll() is None:
            stack.process.kill()
            stack.process.wait()
        bring_down(stack.folder, lambda _: None)


@pytest.fixture
def innocent() -> Iterator[int]:
    """The pid of a process that is none of ours to end."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    yield process.pid
    process.kill()
    process.wait()
