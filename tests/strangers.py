"""A second user of the machine, who is really another one: processes that run under another user id.

Only root can be several users; elsewhere the tests that need one are skipped, and say so.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

NOBODY = 65534

needs_a_second_user = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be a second user"
)


def as_nobody(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a Python script does and says as another user, in the root folder."""
    return subprocess.run(
        ["/usr/bin/env", "-i", python_of_the_system(), "-c", script, *arguments],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def python_of_the_system() -> str:
    """A Python that another user can start; ours may lie in a folder that only we can enter."""
    for python in ("/usr/bin/python3", os.path.realpath(sys.executable)):
        tried = subprocess.run(
            [python, "-c", ""], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", check=False, capture_output=True
        ) if os.path.exists(python) else None  # fmt: skip
        if tried is not None and tried.returncode == 0:
            return python
    pytest.skip("no Python here can be started by another user")


def socket_of_nobody(family: int) -> socket.socket:
    """A socket of TCP that another user opened and handed over.

    Opened in a process of its own: to be another user for a moment is told to every thread of a process by a signal,
    and a thread that waits in accept then asks again by the number of its socket, which may be another's by now.
    """
    ours, theirs = socket.socketpair()
    script = (
        "import socket, sys; opened = socket.socket(int(sys.argv[2])); "
        "socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b'.'], [opened.fileno()])"
    )
    argv = [python_of_the_system(), "-c", script, str(theirs.fileno()), str(int(family))]
    with ours, theirs:
        subprocess.run(
            argv,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            pass_fds=[theirs.fileno()],
            check=True,
            timeout=60,
        )
        _, (opened,), _, _ = socket.recv_fds(ours, 1, 1)
    return socket.socket(fileno=opened)
