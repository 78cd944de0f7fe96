"""Identifies processes: a pid alone is not enough, because pids are used again.

Owns the identity of a process (pid, start time) and of a stack's descendants (a mark in their environment). Every
process is looked up here before it gets a signal. Knows nothing of stacks or their files.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from services.embedded.errors import NotOurs

MARK = "STACK_OF_RINGTRUE"
"""The environment variable that every child and grandchild of a stack inherits. Its value is unique to the stack."""
_TICK_S = 0.05
_SAME_START_S = 0.02


def current_boot() -> str:
    """Return the id of this boot of the machine. Start times can be compared within one boot only."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


@dataclass(frozen=True, slots=True)
class Identity:
    """Identifies one process. ``started_s`` is its start in seconds after the boot ``boot``.

    The start is not a time of day, because setting the clock would change that afterwards.
    """

    pid: int
    started_s: float
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity:
        """Return the identity of the process that has ``pid`` now. Raises ``psutil.NoSuchProcess`` if there is none."""
        return cls(pid, round(psutil.Process(pid).create_time() - psutil.boot_time(), 2), current_boot())

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Identity:
        return cls(int(data["pid"]), float(data["started_s"]), str(data["boot"]))

    def alive(self) -> bool:
        """Return whether this very process still runs. A zombie does not."""
        try:
            there = Identity.of(self.pid)
            zombie = psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        return not zombie and there.boot == self.boot and abs(there.started_s - self.started_s) <= _SAME_START_S

    def send(self, signum: int) -> None:
        """Send a signal to the process if it still runs. Raises `NotOurs` if it belongs to another user."""
        self._deliver(os.kill, signum)

    def send_group(self, signum: int) -> None:
        """Send a signal to the process if it still runs, and to its group if it leads one. Raises as `send`."""
        self._deliver(os.killpg if self._leads_its_group() else os.kill, signum)

    def _leads_its_group(self) -> bool:
        with contextlib.suppress(ProcessLookupError):
            return os.getpgid(self.pid) == self.pid
        return False

    def _deliver(self, how: Any, signum: int) -> None:
        if not self.alive():
            return
        try:
            how(self.pid, signum)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise NotOurs(f"process {self.pid} belongs to another user; end it as that user") from error


def marked(mark: str) -> list[Identity]:
    """Return the processes of this user that carry ``mark``: descendants of one stack, whatever their parent is now."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                found.append(Identity.of(process.pid))
    return found


def wait_gone(identities: Sequence[Identity], timeout_s: float) -> list[Identity]:
    """Wait until none is alive. Return those that still are after ``timeout_s`` seconds."""
    deadline = time.monotonic() + timeout_s
    left = [identity for identity in identities if identity.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(_TICK_S)
        left = [identity for identity in left if identity.alive()]
    return left


def end_marked(mark: str, patience_s: float) -> int:
    """Wait until all processes that carry ``mark`` have ended, then kill the rest. Return how many were killed.

    ``patience_s``: seconds to wait, before and after the kill.
    """
    left = wait_gone(marked(mark), patience_s)
    for stray in left:
        stray.send(signal.SIGKILL)
    wait_gone(left, patience_s)  # a killed process may take a moment to disappear
    return len(left)
