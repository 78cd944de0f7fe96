"""A child process and everything that it starts, as one group: started apart from ours, and ended together.

Owns each system's means: a session and killpg(2), or a process group of the console and taskkill (Windows). Knows
nothing of what the child does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any

_APART: Mapping[str, Any] = (
    {"start_new_session": True}
    if hasattr(os, "killpg")
    else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
)
"""A Ctrl-C in our terminal does not reach it."""
_TASKKILL_S = 10.0


def start(
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    cwd: str | None,
    pass_fds: Sequence[int],
    stderr: IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start the child, with pipes for its stdin and stdout. ``pass_fds``: POSIX only. Raises `OSError`."""
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=stderr, env=env, cwd=cwd, pass_fds=pass_fds, **_APART)


def end(process: subprocess.Popen[bytes]) -> None:
    """End the child and everything that it started, and wait for that. May be called again."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        _end_tree(process)
    process.wait()


def _end_tree(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, capture_output=True, check=False, timeout=_TASKKILL_S)
    process.kill()
