"""Runs between a service and a host: ``python -I -S launcher.py keep FD FD`` or ``… become JSON [ARGUMENT]...``.

Owns the order in which the rules are put in force, before the host's first instruction, and the end of everything that
the host has started. Uses only the standard library and its own folder, and stays compatible with Python 3.10. What it
imports is waited for at each start of a host, so it imports little. Knows nothing of the host.

``keep``: reads its order from the first descriptor (`order_bytes`), starts the host, writes its pid to the second, and
stays. When the first descriptor ends, the service is gone or has closed it: then the host and all its descendants are
killed, whatever they are doing and whatever sessions they have created. The same happens when the host itself ends; its
exit code or signal becomes that of this process. Files that must stay open for the host (``held``) are open here until
then, and not in the host. ``become``: puts the rules in force in this process, and executes the program in it.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import signal
import sys
import time
import types

if "shared" not in sys.modules:  # run as a script: found by its path, since the folder above may not be readable here
    _shared = types.ModuleType("shared")
    _shared.__path__ = [os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
    sys.modules["shared"] = _shared

from shared.sandbox import landlock, privileges, seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

CANNOT_START = 127
FILE_BYTES = 4 << 30
"""Size of the largest file that a host may write."""
_TICK_S = 0.002
_LENGTH_BYTES = 4


def confine(rules: dict[str, Any]) -> list[str]:
    """Put the rules in force for this process and all that it starts.

    Return what the system does not enforce, in words.
    """
    privileges.no_core_dumps()
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    missing = [privileges.forbid_new(), landlock.restrict(rules["read"], rules["write"], rules["listed"])]
    privileges.drop_capabilities()
    missing.append(seccomp.refuse_calls(sockets=rules["sockets"]))
    return [why for why in missing if why is not None]


def become(argv: list[str], rules: dict[str, Any]) -> NoReturn:
    """Execute the program, confined. Never returns; exits with `CANNOT_START` if the program cannot be started."""
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec(2) keeps that
        signal.signal(ignored, signal.SIG_DFL)
    try:
        if missing := confine(rules):
            print(f"parts of the sandbox are not enforced: {'; '.join(missing)}", file=sys.stderr, flush=True)
        os.execv(argv[0], argv)  # noqa: S606
    except OSError as error:
        print(f"{argv[0]} cannot be started: {error}", file=sys.stderr, flush=True)
    os._exit(CANNOT_START)


def keep(lifeline: int, report: int) -> NoReturn:
    """Start the host and watch it. Never returns: ends as the host ended."""
    order = _order(lifeline)
    for descriptor in (lifeline, report, *order["held"]):
        os.set_inheritable(descriptor, False)
    privileges.adopt_orphans()
    privileges.go_on_without_parent()
    privileges.hide_from_others()
    woken, waker = os.pipe()
    for end in (woken, waker):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    me = os.getpid()
    host = os.fork()
    if host == 0:
        _be_the_host(order, me)
    with contextlib.suppress(BrokenPipeError):  # the service is gone already
        os.write(report, str(host).encode())
    os.close(report)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for end in (0, 1):  # they are the host's, and must close when it ends
        os.dup2(nowhere, end)
    status = _watched(host, lifeline, woken)
    status = _end_all(host, status)
    _remove(order["room"])
    _end_like(status)


def _be_the_host(order: dict[str, Any], launcher: int) -> NoReturn:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setpgid(0, 0)
    privileges.die_with_parent()
    # The launcher may have died before the line above: then no signal will come.
    if os.getppid() != launcher:
        os._exit(CANNOT_START)
    os.chdir(order["cwd"])
    become(order["argv"], order["rules"])


def order_bytes(order: dict[str, Any]) -> bytes:
    """The order as `keep` reads it: its length, and its bytes. Service and launcher are the same Python; to import json
    takes as long as half of what else is imported here."""
    told = marshal.dumps(order)
    return len(told).to_bytes(_LENGTH_BYTES, "big") + told


def _order(descriptor: int) -> dict[str, Any]:
    size = int.from_bytes(_exactly(descriptor, _LENGTH_BYTES), "big")
    order: dict[str, Any] = marshal.loads(_exactly(descriptor, size))  # noqa: S302 (its service wrote it)
    return order


def _exactly(descriptor: int, size: int) -> bytes:
    read = bytearray()
    while len(read) < size:
        piece = os.read(descriptor, size - len(read))
        if not piece:
            os._exit(CANNOT_START)
        read += piece
    return bytes(read)


def _watched(host: int, lifeline: int, woken: int) -> int | None:
    """Wait until the host or the lifeline ends, and reap orphans.

    Return the host's status, or None if it still runs.
    """
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        ready = [descriptor for descriptor, _ in poll.poll()]
        if woken in ready:
            os.read(woken, 1 << 10)
            ended = dict(_reaped())
            if host in ended:
                return ended[host]
        if lifeline in ready and not os.read(lifeline, 1):
            return None


def _reaped() -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            found.append(ended)
    return found


def _end_all(host: int, status: int | None) -> int:
    """Kill every descendant.

    Orphans become our children, so this repeats until there are none. Return the host's status.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(host, signal.SIGKILL)
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        status = dict(_reaped()).get(host, status)
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return signal.SIGKILL if status is None else status
        time.sleep(_TICK_S)


def _remove(folder: str) -> None:
    import shutil  # a third of what this process loads, and not needed before its end

    shutil.rmtree(folder, ignore_errors=True)


def _children() -> list[int]:
    me, found = str(os.getpid()), []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry.name}/stat", "rb") as stat:
                if stat.read().decode(errors="replace").rpartition(")")[2].split()[1] == me:
                    found.append(int(entry.name))
    return found


def _end_like(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        signum = os.WTERMSIG(status)
        with contextlib.suppress(OSError, ValueError):  # SIGKILL and SIGSTOP have no handler
            signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else CANNOT_START)


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(int(sys.argv[2]), int(sys.argv[3]))
    import json

    given = json.loads(sys.argv[2])
    become([*given["argv"], *sys.argv[3:]], given["rules"])
