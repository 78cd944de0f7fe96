"""A host ends with its service and takes along all that it has started, whatever it is doing; what was reserved for it
is free then."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from shared.processes.hosting import Child, HostCrashed

WITHIN_S = 20.0
"""It takes a moment; a busy machine takes its time."""

HOST = """
import ctypes, os, subprocess, sys, time
from shared.processes.serving import Served
served = Served()
def daemon():
    "Twice forked, with a session of its own: nobody's child any more."
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/bin/sleep", ["sleep", "600"])
        os._exit(0)
    os.wait()
for frame in served.requests():
    match frame.header["op"]:
        case "start":
            subprocess.Popen(["/bin/sleep", "600"])
            subprocess.Popen(["/bin/sleep", "600"], start_new_session=True)
            subprocess.Popen(["/bin/sh", "-c", "trap '' TERM INT HUP; while :; do /bin/sleep 600; done"])
            daemon()
            served.answer({})
        case "hold the GIL":
            ctypes.PyDLL(None).sleep(600)
        case "sleep":
            time.sleep(600)
        case "stop itself":
            os.kill(os.getpid(), 19)
        case "crash":
            os.abort()
        case "echo":
            served.answer({})
"""
SERVICE = textwrap.dedent(
    """
    import os, sys, time
    from shared.processes.hosting import Child
    reserved = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
    import fcntl; fcntl.flock(reserved, fcntl.LOCK_EX)
    child = Child([sys.executable, "-c", sys.argv[3]], pass_fds=[reserved])
    child.ask({"op": "start"}, timeout_s=60)
    child.send({"op": sys.argv[2]})
    time.sleep(0.5)
    print("ready", flush=True)
    time.sleep(600)
    """
)
DOING = ("hold the GIL", "sleep", "stop itself", "echo")


def eventually(check: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WITHIN_S
    while not (done := check()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return done


def gone(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def is_free(reserved: Path) -> bool:
    with reserved.open() as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def offspring(pid: int) -> list[psutil.Process]:
    """Those of the host are below its launcher, whoever their parent was."""
    return psutil.Process(pid).children(recursive=True)


@pytest.mark.parametrize("doing", DOING)
def test_a_host_ends_with_a_service_that_is_killed(doing: str, tmp_path: Path) -> None:
    reserved = tmp_path / "reserved"
    command = [sys.executable, "-c", SERVICE, str(reserved), doing, HOST]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == b"ready\n"
        started = offspring(service.pid)
        assert len(started) >= 6  # launcher, host, and four that it started
        assert not is_free(reserved)
        service.kill()
    assert eventually(lambda: all(map(gone, started))), started
    assert eventually(lambda: is_free(reserved))


@pytest.mark.parametrize("doing", DOING)
def test_killing_it_takes_along_what_it_started_and_waits_for_that(doing: str, tmp_path: Path) -> None:
    opened = os.open(tmp_path / "reserved", os.O_RDWR | os.O_CREAT)
    fcntl.flock(opened, fcntl.LOCK_EX)
    child = Child([sys.executable, "-c", HOST], pass_fds=[opened])
    os.close(opened)
    child.ask({"op": "start"}, timeout_s=60)
    started = offspring(psutil.Process(child.pid).ppid())
    child.send({"op": doing})
    assert not is_free(tmp_path / "reserved")
    child.kill()
    assert list(map(gone, started)) == [True] * len(started)
    assert is_free(tmp_path / "reserved")


def test_a_host_that_crashes_takes_along_what_it_started_and_is_named_by_its_signal() -> None:
    child = Child([sys.executable, "-c", HOST])
    child.ask({"op": "start"}, timeout_s=60)
    started = offspring(psutil.Process(child.pid).ppid())
    with pytest.raises(HostCrashed, match="SIGABRT"):
        child.ask({"op": "crash"}, timeout_s=60)
    assert eventually(lambda: all(map(gone, started)))
    child.kill()


def test_a_host_ends_with_its_launcher() -> None:
    child = Child([sys.executable, "-c", HOST])
    child.ask({"op": "echo"}, timeout_s=60)
    host = psutil.Process(child.pid)
    child.send({"op": "hold the GIL"})
    os.kill(host.ppid(), signal.SIGKILL)
    assert eventually(lambda: gone(host))
    child.kill()


def test_a_launcher_that_was_stopped_holds_up_nobody_for_long() -> None:
    child = Child([sys.executable, "-c", HOST])
    child.ask({"op": "echo"}, timeout_s=60)
    host = psutil.Process(child.pid)
    os.kill(host.ppid(), signal.SIGSTOP)
    child.kill()
    assert eventually(lambda: gone(host))


def test_a_host_ends_with_a_killed_service_though_all_was_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVICE, str(tmp_path / "reserved"), "sleep", HOST]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == b"ready\n"
        started = offspring(service.pid)
        for process in started:
            process.suspend()
        service.kill()
    assert eventually(lambda: all(map(gone, started))), started


def test_a_host_outlives_the_thread_that_started_it() -> None:
    made: list[Child] = []
    starter = threading.Thread(target=lambda: made.append(Child([sys.executable, "-c", HOST])))
    starter.start()
    starter.join()
    try:
        for _ in range(3):
            made[0].ask({"op": "echo"}, timeout_s=60)
            time.sleep(0.1)
    finally:
        made[0].kill()


def test_hosts_that_came_and_went_leave_no_descriptor_open(tmp_path: Path) -> None:
    def one(asked: bool) -> None:
        child = Child([sys.executable, "-c", HOST])
        if asked:
            assert child.pid
        ended = [threading.Thread(target=child.kill) for _ in range(3)]
        for thread in ended:
            thread.start()
        for thread in ended:
            thread.join()

    one(asked=True)
    before = len(os.listdir("/proc/self/fd"))
    for asked in (True, False, False):
        one(asked)
    with pytest.raises(FileNotFoundError):
        Child([str(tmp_path / "no-such-program")])
    with pytest.raises(PermissionError):
        Child([str(tmp_path)])
    assert len(os.listdir("/proc/self/fd")) == before


def test_its_room_goes_with_it() -> None:
    child = Child([sys.executable, "-c", HOST])
    child.ask({"op": "echo"}, timeout_s=60)
    room = Path(os.readlink(f"/proc/{child.pid}/cwd")).parent
    assert (room.stat().st_mode & 0o777, room.is_dir()) == (0o700, True)
    child.kill()
    assert not room.exists()
