"""A child behind a pipe: it answers, prints, hangs, crashes and outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.processes.hosting import Child, HostCrashed, HostTimeout

CHILD = textwrap.dedent(
    """
    import os, time
    from shared.processes.serving import Served
    served = Served()
    for frame in served.requests():
        match frame.header["op"]:
            case "echo":
                print("a library that prints to stdout")
                served.answer({"op": "echoed"}, frame.payload)
            case "hang":
                time.sleep(600)
            case "crash":
                os.abort()
    """
)


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child([sys.executable, "-c", CHILD])
    yield child
    child.kill()


def test_answers_with_the_payload_it_was_given(child: Child) -> None:
    payload = os.urandom(3_000_000)
    frame = child.ask({"op": "echo"}, payload, timeout_s=30)
    assert frame.header == {"op": "echoed"}
    assert frame.payload == payload


def test_what_is_printed_does_not_break_the_frames(child: Child) -> None:
    for _ in range(3):
        assert child.ask({"op": "echo"}, b"x", timeout_s=30).payload == b"x"


def test_a_hang_ends_at_the_deadline_and_leaves_no_process(child: Child) -> None:
    with pytest.raises(HostTimeout):
        child.ask({"op": "hang"}, timeout_s=0.5)
    assert not child.alive


def test_a_crash_is_named_by_its_signal(child: Child) -> None:
    with pytest.raises(HostCrashed, match="SIGABRT"):
        child.ask({"op": "crash"}, timeout_s=30)


def test_a_dead_child_cannot_be_asked(child: Child) -> None:
    child.kill()
    with pytest.raises(HostCrashed):
        child.ask({"op": "echo"}, timeout_s=5)


def test_a_dead_child_has_nothing_to_say(child: Child) -> None:
    child.kill()
    with pytest.raises(HostCrashed):
        child.receive(5)


def test_a_child_that_another_thread_kills_is_gone_to_who_waits_for_it(child: Child) -> None:
    child.ask({"op": "echo"}, timeout_s=30)
    killer = threading.Timer(0.3, child.kill)
    killer.start()
    with pytest.raises(HostCrashed):
        child.ask({"op": "hang"}, timeout_s=30)
    killer.join()


def test_a_crash_by_a_signal_without_a_name_has_its_number(child: Child) -> None:
    child.ask({"op": "echo"}, timeout_s=30)
    nameless = signal.SIGRTMIN + 1
    os.kill(child.pid, nameless)
    with pytest.raises(HostCrashed, match=f"signal {nameless}"):
        child.receive(30)


def _eventually(check: Callable[[], bool], within_s: float = 10) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if check():
            return True
        time.sleep(0.05)
    return False


def test_a_child_whose_parent_is_killed_exits_in_the_middle_of_a_call(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        f"import sys, time\nfrom shared.processes.hosting import Child\nc = Child([sys.executable, '-c', {CHILD!r}])\n"
        "c.ask({'op': 'echo'}, timeout_s=30)\nc.send({'op': 'hang'})\nprint(c.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert _eventually(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text())
