"""A child of the stack: what to start, how to know that it is ready, and the process itself.

Owns one process with its group. Knows nothing of the other children, nor of restarts.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from services.embedded.processes.identity import Identity

Ready = Callable[[Sequence[str]], bool]
"""Takes the lines that a child has written since the last call, and returns whether it is ready. Called until it is
True."""

_PROBE_S = 1.0
_ANSWER_S = 30.0
"""Seconds until an accepted connection must be answered: a gateway spends seconds on checking what it needs."""


def says(word: str) -> Ready:
    """Return a check that is True once a line contains ``word``."""
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    return lambda lines: any(pattern.search(line) for line in lines)


def answers_http(host: str, port: int, path: str) -> Ready:
    """Return a check that is True once ``GET path`` is answered with 200."""
    return _Answers(lambda: socket.create_connection((host, port), _PROBE_S), host, port, path)


def answers_http_on(address: Path, path: str) -> Ready:
    """Return the same check for the Unix socket at ``address``."""
    return _Answers(lambda: _connected(address), "localhost", http.client.HTTP_PORT, path)


class _Answers:
    """Asks in a thread of its own: on a busy machine an answer takes long, and the supervisor must not wait for it."""

    def __init__(self, connect: Callable[[], socket.socket], host: str, port: int, path: str) -> None:
        self._connect = connect
        self._host, self._port, self._path = host, port, path
        self._asking: threading.Thread | None = None
        self._answered = False

    def __call__(self, _: Sequence[str]) -> bool:
        if self._asking is not None and self._asking.is_alive():
            return False
        if self._answered:
            self._answered, self._asking = False, None  # the next process of this child is asked again
            return True
        self._asking = threading.Thread(target=self._ask, name=f"ready {self._path}", daemon=True)
        self._asking.start()
        return False

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._host, self._port)
        try:
            connection.sock = self._connect()
            connection.sock.settimeout(_ANSWER_S)
            connection.request("GET", self._path)
            self._answered = connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            self._answered = False
        finally:
            connection.close()


def answers_ping(address: Path | int) -> Ready:
    """Return a check that is True once the Redis server on a Unix socket, or on a port of loopback, answers PING.

    While it loads its file it answers LOADING, which is not ready.
    """

    def ready(_: Sequence[str]) -> bool:
        with contextlib.suppress(OSError), _connected(address) as redis:
            redis.sendall(b"PING\r\n")
            return redis.recv(16).startswith(b"+PONG")
        return False

    return ready


def _connected(address: Path | int) -> socket.socket:
    if isinstance(address, int):
        return socket.create_connection(("127.0.0.1", address), _PROBE_S)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_PROBE_S)
        connection.connect(str(address))
    except BaseException:
        connection.close()
        raise
    return connection


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to start, and what to expect of it. Times are in seconds."""

    name: str
    argv: Sequence[str]
    ready: Ready
    after: Sequence[str] = ()
    """Names of children that must be ready before this one is started."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the stack."""
    cwd: Path | None = None
    """The folder that it is started in. ``None``: the supervisor's own."""
    pass_fds: Sequence[int] = ()
    """Open files that it gets, such as the socket that it accepts connections from.

    The supervisor keeps them open too, so that nobody else gets the port while the child is away.
    """
    sockets: Sequence[Path] = ()
    """Unix sockets that it creates. They are removed before it is started, because a killed process leaves them
    behind."""
    ready_within_s: float = 120.0
    """How long it may take to be ready. The next start may take twice as long."""
    waited_for: bool = False
    """If it is late, wait on and say so, and do not start it again: that would undo its work."""
    vital: bool = True
    """The stack is useless without it: if it ends before it was ever ready, the stack ends."""
    grace_s: float = 10.0
    """From SIGTERM to SIGKILL."""
    in_view: bool = True
    """Show its lines in the joint view, and not only in its file."""
    once: bool = False
    """It does one thing and ends. All its lines are shown. However it ends, it is not started again, and it counts as
    ready from then on."""


class SupervisedChild:
    """One running process in a session of its own, so that the terminal's Ctrl-C does not reach it."""

    def __init__(self, spec: ChildSpec, env: Mapping[str, str], log: Path) -> None:
        for path in spec.sockets:
            path.unlink(missing_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                spec.argv,
                env={**env, **spec.env},
                cwd=spec.cwd,
                pass_fds=spec.pass_fds,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = psutil.Process(self._popen.pid)
        self.identity = Identity.of(self._popen.pid)
        self.started_at = time.monotonic()

    @property
    def ran_s(self) -> float:
        return time.monotonic() - self.started_at

    def ended(self) -> bool:
        """Return whether the process has ended. Until `reap` it stays a zombie, so nothing else gets its pid and
        group."""
        return bool(self._process.status() == psutil.STATUS_ZOMBIE)

    def terminate(self) -> None:
        """Ask the process to end. It must end the processes that it started itself."""
        os.kill(self._popen.pid, signal.SIGTERM)

    def reap(self) -> int:
        """Kill what is left of the process and its group. Return the exit code in the form of `subprocess`."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        return self._popen.wait()


def fate(returncode: int) -> str:
    """Return how a process ended, in words."""
    if returncode < 0:
        return f"died of {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"
