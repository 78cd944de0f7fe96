"""A supervisor as a process of its own, as the tests see it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from services.embedded.record import StackRecord, read_record

ROOT = Path(__file__).parents[2]


def eventually(condition: Callable[[], bool], within_s: float = 90.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


class StackProcess:
    """One supervisor, what it said so far, and its record."""

    def __init__(
        self, folder: Path, argv: list[str], words: Path, env: dict[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        self.folder = folder
        self._words = words
        with words.open("wb") as file:
            self.process = subprocess.Popen(argv, stderr=file, cwd=cwd, env=env, start_new_session=True)

    @property
    def words(self) -> str:
        return self._words.read_text()

    @property
    def record(self) -> StackRecord:
        record = read_record(self.folder)
        assert record, self.words
        return record

    def pid_of(self, child: str) -> int:
        return self.record.children[child].pid

    @property
    def watchdog(self) -> int:
        """The pid of the process that ends what a killed supervisor leaves."""
        children = psutil.Process(self.process.pid).children()
        (pid,) = [child.pid for child in children if "services.embedded.watchdog" in child.cmdline()]
        return pid

    def until_ready(self, within_s: float = 90.0) -> StackProcess:
        def ready() -> bool:
            assert self.process.poll() is None, self.words
            record = read_record(self.folder)
            return record is not None and record.supervisor.pid == self.process.pid and record.ready

        eventually(ready, within_s)
        return self

    def until_said(self, text: str) -> None:
        eventually(lambda: text in self.words)

    def stop(self, signum: int = signal.SIGTERM, within_s: float = 90.0) -> int:
        self.process.send_signal(signum)
        return self.process.wait(within_s)


StartStack = Callable[..., StackProcess]


def gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
