"""The processes of one measurement: started, awaited, and stopped by their pid, in a folder that is thrown away."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from services.embedded.processes.child import ChildSpec, SupervisedChild

_LOOK_EVERY_S = 0.05
_KEPT = "RINGTRUE_MODELS"


class DidNotStart(Exception):
    """A process that is to be measured is not there; the message ends with its last words."""


def environment() -> dict[str, str]:
    """Ours, without what would point a measured process at servers or folders of the user's."""
    ours = {n: value for n, value in os.environ.items() if n == _KEPT or not n.startswith(("RINGTRUE_", "MLFLOW_"))}
    return {**ours, "MLFLOW_DISABLE_TELEMETRY": "true"}


class Processes:
    """A context: what was started in it is gone after it, its folder too."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ringtrue-bench-"))
        self._running: dict[str, tuple[ChildSpec, SupervisedChild]] = {}
        self._afterwards = ExitStack()

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._afterwards.close()
        self.stop(*reversed(list(self._running)))
        shutil.rmtree(self.folder, ignore_errors=True)

    def afterwards(self, call: Callable[[], object]) -> None:
        """Call this at the end of the context, while everything still runs."""
        self._afterwards.callback(call)

    def start(self, spec: ChildSpec, env: Mapping[str, str]) -> None:
        """Start a process and wait until it is ready; `DidNotStart` where it is not in its time."""
        log = self.folder / f"{spec.name}.log"
        log.unlink(missing_ok=True)
        child = SupervisedChild(spec, env, log)
        self._running[spec.name] = (spec, child)
        deadline = time.monotonic() + spec.ready_within_s
        while not spec.ready(log.read_text(errors="replace").splitlines()):
            if child.ended() or time.monotonic() > deadline:
                raise DidNotStart(f"{spec.name}: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(_LOOK_EVERY_S)

    def stop(self, *names: str) -> None:
        """Ask each to end, in this order; what does not in its time is killed."""
        for name in names:
            spec, child = self._running.pop(name)
            if not child.ended():
                child.terminate()
            deadline = time.monotonic() + spec.grace_s
            while not child.ended() and time.monotonic() < deadline:
                time.sleep(_LOOK_EVERY_S)
            child.reap()

    def pid(self, name: str) -> int:
        return self._running[name][1].identity.pid
