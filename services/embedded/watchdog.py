"""``python -P -m services.embedded.watchdog``: ends what a killed supervisor leaves behind.

Owns that a stack does not outlive its supervisor. It waits for the end of its stdin, which the kernel closes however
the supervisor ends, and then does what the next `ringtrue up` would do. Knows no part of the stack.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.embedded.errors import StackError
from services.embedded.leftovers import clear_leftovers
from services.embedded.record import FolderLock
from shared.processes.interpreter import run_module

_LOCK_S = 10.0
_WAIT_S = 30.0
"""Seconds for the watchdog to end after a supervisor that ended normally: it has nothing to do then."""
_ALL_IS_WELL = b"."


def main(data: str) -> int:
    """Wait for the supervisor of the stack in the folder ``data`` to end, and clean up after it."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # it must not end before the supervisor does
    if os.read(0, 1):
        return 0  # the supervisor has cleaned up itself
    folder = Path(data)
    with contextlib.suppress(OSError, StackError), FolderLock(folder) as lock:
        # A killed process closes its files one by one, so it may release the lock after the pipe.
        if lock.take(_LOCK_S):  # else another `up` or `down` is at work, and cleans up itself
            clear_leftovers(folder, lambda words: print(words, file=sys.stderr, flush=True))
    return 0


@contextlib.contextmanager
def watched(folder: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Run a watchdog for the stack in ``folder`` until the end of the block."""
    with (folder / "logs" / "watchdog.log").open("ab") as log:
        watchdog = subprocess.Popen(
            [*run_module("services.embedded.watchdog"), str(folder)],
            env=env,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # a signal to the supervisor's group, such as Ctrl-C, must not reach it
        )
    try:
        yield
    finally:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # it may have been killed
            watchdog.communicate(_ALL_IS_WELL, _WAIT_S)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
