"""A Python that lacks what only POSIX has: this one, with all of that taken away before anything else is imported.

What Python's own library needs to start a process here stays where it is; that our code does not use it is seen by
what it is refused: a session of its own, files handed on, waiting for a pipe with select.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

_SITE = """
import importlib.abc, os, select, signal, subprocess, sys

MODULES = {"fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog", "readline", "curses", "crypt", "nis"}
CALLS = (
    "readv writev preadv pwritev pread pwrite fork forkpty killpg setsid setpgid getpgid getsid getuid geteuid getgid"
    " getegid setuid setgid set_blocking get_blocking sysconf chown fchown fchmod getloadavg nice mkfifo"
    " sched_getaffinity sched_setaffinity posix_spawn openpty statvfs register_at_fork"
).split()
FLAGS = "O_NOFOLLOW O_DIRECTORY O_CLOEXEC O_NONBLOCK EX_OK EX_USAGE EX_DATAERR EX_NOINPUT EX_SOFTWARE EX_CONFIG".split()


class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


for name in MODULES:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
for name in {*CALLS, *FLAGS} - {KEPT}:
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "setitimer", "alarm", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)


def no_pipes(*_):
    raise OSError("an operation was attempted on something that is not a socket")


select.select = no_pipes
begin = subprocess.Popen.__init__


def begin_without_posix(self, *args, start_new_session=False, pass_fds=(), preexec_fn=None, **more):
    assert not start_new_session and not pass_fds and preexec_fn is None, "only POSIX has this"
    begin(self, *args, **more)


subprocess.Popen.__init__ = begin_without_posix
"""


def without_posix(folder: Path, environ: Mapping[str, str] = os.environ, keep: Collection[str] = ()) -> dict[str, str]:
    """The environment of such a Python, and of all that it starts. ``folder``: to put it into. ``keep``: names of `os`
    that others' code needs here."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_SITE.replace("{KEPT}", repr(set(keep)) if keep else "set()"))
    path = os.pathsep.join(filter(None, (str(folder), environ.get("PYTHONPATH"))))
    return {**environ, "PYTHONPATH": path}
