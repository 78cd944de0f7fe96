"""A stack of the demo's own, in a folder that is kept: `ringtrue up` as a user would start it.

Owns that process and the proof that nothing of it is left running.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from demo.failure import DemoFailed

READY_WITHIN_S = 3600
"""`up` ends by itself where it cannot start; where it is slow it says so, and is waited for."""
STOPPED_WITHIN_S = 90
_KEPT = "RINGTRUE_MODELS"


@dataclass(frozen=True, slots=True)
class Stack:
    """Where it answers, and by which key and which password of MLflow's ``admin`` where they are asked for."""

    api: str
    mlflow: str
    key: str | None = None
    mlflow_password: str | None = None


@contextlib.contextmanager
def own_stack(folder: Path, *, starter: bool = False) -> Iterator[Stack]:
    """Start a stack on free ports with its data in ``folder``, and stop it in the end. The data stay.

    ``starter``: pull the starter set before. `DemoFailed` if it cannot be had.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if starter:
        _pull_starter(folder)
    command = [_command(), "up", "--port", "0", "--data", str(folder)]
    # Out of reach of the terminal's Ctrl-C: the demo ends its stack itself, and once.
    up = subprocess.Popen(command, env=_environment(), start_new_session=True)
    try:
        yield _when_ready(up, folder)
        _stop(up)
    except BaseException:
        print(f"its files and logs are kept in {folder}", file=sys.stderr)
        try:
            _stop(up)
        except DemoFailed as error:  # what went wrong first is what the demo ends with
            print(f"error: {error}", file=sys.stderr)
        raise


def _pull_starter(folder: Path) -> None:
    pull = [_command(), "models", "pull", "starter"]
    done = subprocess.run(pull, env={**_environment(), "RINGTRUE_DATA": str(folder)}, check=False)
    if done.returncode:
        raise DemoFailed(f"`ringtrue models pull starter` ended with exit code {done.returncode}")


def _command() -> str:
    return str(Path(sys.executable).with_name("ringtrue"))


def _environment() -> Mapping[str, str]:
    """Ours, without what would make the stack use servers or folders of the user's."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_") or name == _KEPT}
    ours.pop("MLFLOW_TRACKING_URI", None)
    return ours


def _when_ready(up: subprocess.Popen[bytes], folder: Path) -> Stack:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if up.poll() is not None:
            raise DemoFailed(f"`ringtrue up` ended with exit code {up.returncode}")
        with contextlib.suppress(FileNotFoundError):
            record = json.loads((folder / "stack.json").read_text())
            if record["ready"] and record["supervisor"]["pid"] == up.pid:
                return Stack(**record["urls"])
        time.sleep(0.1)
    raise DemoFailed(f"`ringtrue up` was not ready within {READY_WITHIN_S} s")


def _stop(up: subprocess.Popen[bytes]) -> None:
    """Stop the stack as Ctrl-C would; `DemoFailed` where anything that it started is still there."""
    if up.poll() is not None:
        return
    family = psutil.Process(up.pid).children(recursive=True)
    up.send_signal(signal.SIGTERM)
    try:
        up.wait(STOPPED_WITHIN_S)
    except subprocess.TimeoutExpired as error:
        up.kill()
        up.wait()
        raise DemoFailed(f"`ringtrue up` did not stop within {STOPPED_WITHIN_S} s") from error
    _, left = psutil.wait_procs(family, timeout=5)
    if up.returncode or left:
        raise DemoFailed(f"`ringtrue up` ended with exit code {up.returncode} and left {left or 'nothing'} running")
