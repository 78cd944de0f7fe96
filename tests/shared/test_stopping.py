"""A process that was told to stop ends by its deadline; what goes on is given up before that."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from shared.processes.stopping import Stopping

HANGING = """
import signal, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from shared.processes.stopping import Stopping
stopping = Stopping(0.2, lambda: print("given up", flush=True), last_s=0.3)
signal.signal(signal.SIGTERM, lambda *_: stopping.begin())
pool = ThreadPoolExecutor(1)
pool.submit(time.sleep, 600)  # Python itself waits for such a thread before it ends
print("ready", flush=True)
{then}
"""


def ended(then: str) -> tuple[int, str]:
    """Exit code and words of a process in which a thread hangs and the main thread does ``then``."""
    command = [sys.executable, "-c", HANGING.format(then=then)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        said, _ = process.communicate(timeout=60)
    return process.returncode, said


def test_a_process_that_hangs_in_a_call_has_stopped() -> None:
    assert ended("time.sleep(600)") == (0, "given up\n")


def test_a_process_that_hangs_at_its_end_has_stopped() -> None:
    assert ended("signal.pause(); sys.exit(0)") == (0, "given up\n")


def test_what_cannot_be_given_up_holds_up_nothing() -> None:
    left = threading.Event()

    def stuck() -> None:
        time.sleep(600)

    Stopping(0.0, stuck, last_s=0.0, leave=lambda _: left.set()).begin()
    assert left.wait(30)


def test_giving_up_that_fails_holds_up_nothing() -> None:
    left = threading.Event()

    def broken() -> None:
        raise OSError("gone")

    Stopping(0.0, broken, last_s=0.0, leave=lambda _: left.set()).begin()
    assert left.wait(30)


def test_who_is_told_twice_stops_once() -> None:
    given_up: list[int] = []
    left = threading.Semaphore(0)
    stopping = Stopping(0.0, lambda: given_up.append(1), last_s=0.2, leave=lambda _: left.release())
    for _ in range(5):
        stopping.begin()
    assert left.acquire(timeout=30)
    assert not left.acquire(timeout=0.5)
    assert given_up == [1]
