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
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from services.embedded.identity import Identity

Ready = Callable[[Sequence[str]], bool]
"""Told the lines that a child has said since the last call, whether it is ready. Asked until it says so once."""

_PROBE_S = 1.0


def says(word: str) -> Ready:
    """Ready once a line holds ``word``."""
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    return lambda lines: any(pattern.search(line) for line in lines)


def answers_http(host: str, port: int, path: str) -> Ready:
    """Ready once ``GET path`` is answered with 200."""

    def ready(_: Sequence[str]) -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_PROBE_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready


def answers_ping(port: int) -> Ready:
    """Ready once the Redis server on loopback answers PING; while it reads its file back it answers LOADING."""

    def ready(_: Sequence[str]) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), _PROBE_S) as redis:
            redis.sendall(b"PING\r\n")
            return redis.recv(16).startswith(b"+PONG")
        return False

    return ready


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to start, and what to expect of it. Times in seconds."""

    name: str
    argv: Sequence[str]
    ready: Ready
    after: Sequence[str] = ()
    """Names of children that must be ready before this one is started."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of the stack."""
    ready_within_s: float = 120.0
    grace_s: float = 10.0
    """From SIGTERM to SIGKILL."""
    in_view: bool = True
    """Whether its words are shown on the joint view, or kept in its file only."""


class Child:
    """One running process in a session of its own, out of reach of the terminal's Ctrl-C."""

    def __init__(self, spec: ChildSpec, env: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                spec.argv,
                env={**env, **spec.env},
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
        """Whether the process has ended. Until `reap` it stays a zombie, so that nobody else gets its pid and group."""
        return bool(self._process.status() == psutil.STATUS_ZOMBIE)

    def terminate(self) -> None:
        """Ask the process to end; what it started is its own to end."""
        os.kill(self._popen.pid, signal.SIGTERM)

    def reap(self) -> int:
        """Kill what is left of the process and its group; the return code as `subprocess` gives it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        return self._popen.wait()


def fate(returncode: int) -> str:
    """How a process ended, in words."""
    if returncode < 0:
        return f"died of {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"
