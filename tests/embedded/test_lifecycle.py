"""One stack per data folder: recognised, replaced, ended, cleaned up after; and nothing else is ever killed."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from services.embedded.lifecycle import bring_down
from services.embedded.processes.identity import Identity
from services.embedded.record import StackRecord, read_record, write_record
from tests.embedded.stack_process import StartStack, eventually, gone, kill

SERVES = "import time; print('ready'); time.sleep(600)"
URL = "http://127.0.0.1:8000"


def test_a_second_up_says_that_and_where_a_stack_runs(start: StartStack) -> None:
    first = start(worker=SERVES).until_ready()
    second = start(worker=SERVES)
    assert second.process.wait(20) == os.EX_TEMPFAIL
    assert f"a stack already runs at {URL} (pid {first.process.pid}" in second.words
    assert len(second.words.splitlines()) == 1
    assert first.record.children["worker"].alive()


def test_replace_ends_the_running_stack_and_takes_its_place(start: StartStack) -> None:
    first = start(worker=SERVES).until_ready()
    worker = first.record.children["worker"]
    second = start("--replace", worker=SERVES).until_ready()
    assert first.process.wait(10) == 0
    assert not worker.alive()
    assert second.record.children["worker"].alive()


def test_of_two_at_once_exactly_one_runs(start: StartStack) -> None:
    stacks = [start(worker=SERVES), start(worker=SERVES)]
    eventually(lambda: any(stack.process.poll() is not None for stack in stacks))
    (winner,) = [stack for stack in stacks if stack.process.poll() is None]
    winner.until_ready()


def test_down_ends_the_stack(start: StartStack) -> None:
    stack = start(store=SERVES, worker=SERVES).until_ready()
    children = stack.record.children.values()
    assert bring_down(stack.folder, lambda _: None)
    assert stack.process.wait(10) == 0
    assert not any(child.alive() for child in children)
    assert "stopping worker" in stack.words


def test_down_where_nothing_runs_does_nothing(tmp_path: Path) -> None:
    assert not bring_down(tmp_path / "never-made", lambda _: None)
    assert not (tmp_path / "never-made").exists()


@pytest.mark.parametrize("ending", ["up", "down"])
def test_what_a_killed_supervisor_left_is_ended_by_the_next_up_or_down(start: StartStack, ending: str) -> None:
    first = start(store=SERVES, worker=SERVES).until_ready()
    left = first.record.children
    kill(first.watchdog)
    kill(first.process.pid)
    first.process.wait()
    assert all(child.alive() for child in left.values())
    if ending == "up":
        second = start(worker=SERVES).until_ready()
        assert (
            f"stopping processes that the stack of pid {first.process.pid} left running: store, worker" in second.words
        )
    else:
        bring_down(first.folder, lambda _: None)
    assert not any(child.alive() for child in left.values())


@pytest.mark.parametrize("moment", ["ready", "starting"])
def test_everything_ends_with_a_supervisor_that_is_killed(start: StartStack, tmp_path: Path, moment: str) -> None:
    """What is polite, what ignores SIGTERM, and what is in a session of its own; and its folder goes too."""
    host = tmp_path / "host"
    busy = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    starts_a_host = (
        "import subprocess, sys\n"
        f"p = subprocess.Popen([sys.executable, '-c', {busy + SERVES!r}], start_new_session=True)\n"
        f"open({str(host)!r}, 'w').write(str(p.pid))\n"
    )
    last = SERVES if moment == "ready" else "import time; time.sleep(600)"
    stack = start(store=SERVES, stubborn=busy + SERVES, worker=starts_a_host + SERVES, last=last)
    eventually(lambda: len(found.children if (found := read_record(stack.folder)) else ()) == 4, within_s=60)
    children, watchdog = stack.record.children, stack.watchdog
    eventually(lambda: host.exists() and host.read_text() != "")
    abandoned = stack.folder / "run" / "ringtrue-run-abcdefgh"
    abandoned.mkdir(parents=True)
    kill(stack.process.pid)
    stack.process.wait()
    eventually(lambda: not any(child.alive() for child in children.values()), within_s=60)
    eventually(lambda: gone(int(host.read_text())) and gone(watchdog), within_s=60)
    assert not abandoned.exists()
    assert read_record(stack.folder) is None


def test_a_group_that_is_killed_whole_takes_its_stack_along(start: StartStack) -> None:
    stack = start(worker=SERVES).until_ready()
    children = stack.record.children
    os.killpg(stack.process.pid, signal.SIGKILL)
    stack.process.wait()
    eventually(lambda: not any(child.alive() for child in children.values()), within_s=60)


def test_a_stack_that_is_stopped_leaves_no_watchdog(start: StartStack) -> None:
    stack = start(worker=SERVES).until_ready()
    watchdog = stack.watchdog
    assert stack.stop() == 0
    assert gone(watchdog)


def test_what_a_child_started_in_a_session_of_its_own_is_found_by_its_mark(start: StartStack, tmp_path: Path) -> None:
    host = tmp_path / "host"
    script = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        f"open({str(host)!r}, 'w').write(str(p.pid))\n" + SERVES
    )
    stack = start(worker=script).until_ready()
    worker = stack.pid_of("worker")
    kill(stack.watchdog)
    kill(stack.process.pid)
    stack.process.wait()
    kill(worker)
    bring_down(stack.folder, lambda _: None)
    assert gone(int(host.read_text()))


@pytest.mark.parametrize("difference", ["start time", "boot"])
def test_a_process_that_got_a_recorded_pid_later_survives(tmp_path: Path, innocent: int, difference: str) -> None:
    itself = Identity.of(innocent)
    recycled = (
        replace(itself, boot="another") if difference == "boot" else replace(itself, started_s=itself.started_s - 1)
    )
    write_record(tmp_path, StackRecord("mark", supervisor=recycled, urls={}, children={"worker": recycled}))
    bring_down(tmp_path, lambda _: None)
    assert itself.alive()
    assert read_record(tmp_path) is None


def test_up_over_the_record_of_a_recycled_pid_starts_and_kills_nothing(
    start: StartStack, tmp_path: Path, innocent: int
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    recycled = replace(Identity.of(innocent), started_s=1.0)
    write_record(folder, StackRecord("mark", supervisor=recycled, urls={}, children={"worker": recycled}))
    start("--replace", worker=SERVES).until_ready()
    assert Identity.of(innocent).alive()


def test_a_signal_to_a_pid_that_is_another_process_now_reaches_nobody(innocent: int) -> None:
    identity = Identity.of(innocent)
    replace(identity, started_s=identity.started_s + 1).send_group(signal.SIGKILL)
    assert identity.alive()


def test_a_record_that_cannot_be_read_does_not_hinder_a_start(start: StartStack, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stack.json").write_text("{")
    start(worker=SERVES).until_ready()
