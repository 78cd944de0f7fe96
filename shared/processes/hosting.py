"""A child process behind a pipe with frames. It separates engines and metrics from the services that use them.

Owns the life of the child (exec, deadline, kill). Knows nothing of the messages; the frames are in
shared/processes/frames.py, and what a child may do is in shared/sandbox.

If the parent dies, the child is killed with all that it has started, even in the middle of a call. The child's end is
shared/processes/serving.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from shared.processes.frames import (
    MAX_HEADER,
    MAX_PAYLOAD,
    Frame,
    HostCrashed,
    HostTimeout,
    Overheard,
    Told,
    read_frame,
    write_frame,
)
from shared.sandbox.access import Access
from shared.sandbox.process import HostProcess
from shared.sandbox.room import Room

__all__ = [
    "MAX_HEADER",
    "MAX_PAYLOAD",
    "Child",
    "Frame",
    "HostCrashed",
    "HostTimeout",
    "read_frame",
    "threads",
    "write_frame",
]


def threads(number: int) -> dict[str, str]:
    """Return the variables that limit the threads of one call into linear algebra.

    Libraries read them when they are loaded. Without them they start one thread per core, and these wait for each other
    in busy loops.
    """
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(number))


class Child:
    """The parent's end: one running child process. Not safe to use from several threads at once, except ``kill``."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        *,
        access: Access = Access(),  # noqa: B008 (it is frozen)
        room: Room | None = None,
        stderr: IO[bytes] | None = None,
    ) -> None:
        """Start the child. Raises `OSError`.

        ``env``: the child gets the part of it that shared/sandbox/environment.py allows; default: our own.
        ``pass_fds``: files that stay open until the child and all that it started are gone. ``access``: what it may
        open besides its own. ``room``: its folder, which is removed with it; default: a new one.
        """
        self._room = room or Room()
        try:
            self._process = HostProcess(argv, os.environ if env is None else env, self._room, access, pass_fds, stderr)
        except BaseException:
            self._room.close()
            raise
        self._in = self._process.stdin
        self._coming: Told | Overheard = (Told if hasattr(os, "readv") else Overheard)(self._process.stdout)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def bring(self, path: Path) -> Path:
        """Copy a file for the child to read, and return the copy. It is removed with the child at the latest."""
        return self._room.bring(path)

    def send(self, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
        """Send one frame. Raises ``HostCrashed`` if the child is gone."""
        try:
            write_frame(self._in, Frame(header, payload))
        except (OSError, ValueError) as error:  # Windows raises other errors for a broken pipe
            raise HostCrashed(self._epitaph()) from error

    def receive(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or ``None`` if none arrived within ``timeout_s`` seconds.

        Raises ``HostCrashed`` if the child is gone.
        """
        try:
            return self._coming.next(timeout_s)
        except (
            EOFError,
            OSError,
            ValueError,
        ) as error:  # the last two: another thread killed it, which closes the pipe
            raise HostCrashed(self._epitaph()) from error

    def ask(self, header: Mapping[str, Any], payload: bytes | memoryview = b"", *, timeout_s: float) -> Frame:
        """Send a frame and return the answer.

        A child that does not answer within ``timeout_s`` seconds is killed: raises ``HostTimeout``. Raises
        ``HostCrashed`` if it is gone.
        """
        self.send(header, payload)
        frame = self.receive(timeout_s)
        if frame is None:
            self.kill()
            raise HostTimeout(f"no answer within {timeout_s:g} s")
        return frame

    def kill(self) -> None:
        """Kill the child and everything that it started."""
        self._process.end()
        self._room.close()
        for pipe in (self._in, self._coming):
            with contextlib.suppress(OSError):
                pipe.close()

    def _epitaph(self) -> str:
        try:
            code = self._process.wait(5)
        except subprocess.TimeoutExpired:
            return f"host {self.pid} closed its pipe"
        if code < 0:
            return f"host {self.pid} died of {_signal_name(-code)}"
        return f"host {self.pid} exited with {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time signal: only the first and the last have names
