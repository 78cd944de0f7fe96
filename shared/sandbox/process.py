"""A host as its service sees it: a confined process with pipes for stdin and stdout that can always be ended.

Owns how the launcher is told what to start. Without a launcher (Windows, macOS) the program is started unconfined, with
the variables of an allow-list, and ended with its process group (shared/sandbox/process_groups.py).
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from shared.sandbox import process_groups
from shared.sandbox.access import OURS, Access, readable, writable
from shared.sandbox.environment import for_host
from shared.sandbox.launcher import order_bytes
from shared.sandbox.room import Room

_LAUNCHER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py")))
_END_S = 3.0
"""Seconds the launcher has to end what the host has started. Then it is killed itself, and the host with it."""
_SAID_S = 5.0
_PIPE = subprocess.PIPE
_CONFINES = sys.platform == "linux" and hasattr(os, "killpg")


class HostProcess:
    """One running host. ``pass_fds``: files that stay open until the host and all that it started are gone."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        room: Room,
        access: Access,
        pass_fds: Sequence[int] = (),
        stderr: IO[bytes] | None = None,
    ) -> None:
        """Start the host.

        ``env``: the service's variables; the host gets fewer. Raises `OSError` if there is no such program.
        """
        told = for_host(env, room.own)
        self._lifeline = self._report = -1
        self._closing = threading.Lock()
        if not _CONFINES:
            self._process = process_groups.start(argv, told, str(room.inbox), pass_fds, stderr)
            self._pid = self._process.pid
        else:
            self._pid = 0
            self._process = self._launched(argv, told, room, access, pass_fds, stderr)

    @property
    def pid(self) -> int:
        """The host's pid once the launcher has reported it, which takes a moment; until then the launcher's."""
        with self._closing:
            if not self._pid and self._report >= 0 and select.select([self._report], [], [], _SAID_S)[0]:
                self._pid = int(os.read(self._report, 32) or self._process.pid)
        return self._pid or self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def poll(self) -> int | None:
        return self._process.poll()

    def wait(self, timeout_s: float) -> int:
        """Return the exit code, or the negative number of a signal. Raises `subprocess.TimeoutExpired`."""
        return self._process.wait(timeout_s)

    def end(self) -> None:
        """End the host and all that it started, and wait for that. May be called again, and by any thread."""
        with self._closing:
            ours, self._lifeline, self._report = [self._lifeline, self._report], -1, -1
            for descriptor in ours:
                if descriptor >= 0:
                    os.close(descriptor)
        if ours[0] >= 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
        if not _CONFINES or self._process.poll() is None:  # after the wait, its pid may belong to another process
            process_groups.end(self._process)

    def _launched(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        room: Room,
        access: Access,
        pass_fds: Sequence[int],
        stderr: IO[bytes] | None,
    ) -> subprocess.Popen[bytes]:
        program = _found(argv[0], env)
        rules = rules_of(access, program, env, room)
        order = {"argv": [program, *argv[1:]], "cwd": str(room.inbox), "rules": rules, "held": list(pass_fds)}
        read_life, self._lifeline = os.pipe()
        self._report, write_report = os.pipe()
        try:
            process = subprocess.Popen(
                [*_LAUNCHER, "keep", str(read_life), str(write_report)],
                env=env,
                stdin=_PIPE,
                stdout=_PIPE,
                stderr=stderr,
                pass_fds=(read_life, write_report, *pass_fds),
                start_new_session=True,  # a Ctrl-C in our terminal does not reach it
            )
        except OSError:
            os.close(self._lifeline)
            os.close(self._report)
            raise
        finally:
            os.close(read_life)
            os.close(write_report)
        with contextlib.suppress(BrokenPipeError), os.fdopen(os.dup(self._lifeline), "wb") as told:
            told.write(order_bytes({**order, "room": str(room.path)}))
        return process


def rules_of(access: Access, program: str, env: Mapping[str, str], room: Room | None = None) -> dict[str, Any]:
    """Return the rules in the form that the launcher takes. ``room``: the host's, if it has one."""
    read, write = readable(access, program, env), writable(access)
    if room is not None:
        read.append(str(room.inbox))
        write += [str(room.own), "/proc/self/clear_refs"]  # the file with which a host resets its peak of memory
    return {"read": read, "write": write, "listed": [str(OURS)], "sockets": access.sockets}


def confined(argv: Sequence[str], access: Access, env: Mapping[str, str]) -> list[str]:
    """Return the command line that runs ``argv`` confined, in one process that the caller waits for and ends itself.

    Further arguments may be appended to it.
    """
    if not _CONFINES:
        return list(argv)
    program = _found(argv[0], env)
    order = {"argv": [program, *argv[1:]], "rules": rules_of(access, program, env)}
    return [*_LAUNCHER, "become", json.dumps(order)]


def _found(program: str, env: Mapping[str, str]) -> str:
    """Return the path of a program. Raises `FileNotFoundError` or `PermissionError`, as starting it would."""
    path = program if os.path.dirname(program) else shutil.which(program, path=env.get("PATH")) or program
    mode = os.stat(path).st_mode  # not access(2), which ignores the capabilities that a service was given
    if not stat.S_ISREG(mode) or not mode & 0o111:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
    return os.path.abspath(path)
