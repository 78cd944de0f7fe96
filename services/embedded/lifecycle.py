"""The life of a stack in its data folder: brought up once, recognised, taken over, brought down.

Owns the order of checks and the clean-up after a supervisor that was killed. Nothing is signalled but what the record
names, by pid and start time, and what carries the stack's own mark. Knows no service: what to run is a `Plan`.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.embedded.child import ChildSpec
from services.embedded.errors import AlreadyRunning
from services.embedded.identity import MARK, Identity, end_marked, wait_gone
from services.embedded.interrupts import Interrupts
from services.embedded.journal import View
from services.embedded.preflight import FreeBytes, check_space, free_bytes, prepare_folder, writing
from services.embedded.record import FolderLock, StackRecord, read_record, record_path, write_record
from services.embedded.supervisor import Backoff, Supervisor

_SUPERVISOR_GRACE_S = 60.0
_ORPHAN_GRACE_S = 10.0
_STRAY_GRACE_S = 3.0
_LOCK_S = 5.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, with which environment, and what to say when it is ready."""

    specs: Sequence[ChildSpec]
    env: Mapping[str, str]
    urls: Mapping[str, str]
    welcome: str


def bring_up(
    folder: Path,
    plan: Callable[[], Plan],
    view: View,
    *,
    replace: bool = False,
    free: FreeBytes = free_bytes,
    backoff: Backoff | None = None,
) -> None:
    """Run a stack in ``folder`` until interrupted.

    ``plan`` is asked once the folder is ours and what was left over is gone, so that it finds its ports free; it may
    refuse with a `StackError`. Raises the errors of errors.py, all but `ChildFailed` before anything is started.
    """
    prepare_folder(folder)
    with FolderLock(folder) as lock:
        _take_over(folder, lock, replace, view.say)
        _clear_leftovers(folder, view.say)
        check_space(folder, free)
        with writing(folder):
            planned = plan()
            (folder / "logs").mkdir(mode=0o700, exist_ok=True)
            record = StackRecord(secrets.token_hex(16), supervisor=Identity.of(os.getpid()), urls=planned.urls)
            write_record(folder, record)
        _supervise(folder, planned, record, view, backoff)


def bring_down(folder: Path, say: Say) -> bool:
    """End the stack of ``folder``, or what a killed supervisor left of it. Whether there was one."""
    if not record_path(folder).exists():
        return False
    with FolderLock(folder) as lock:
        record = read_record(folder)
        if record and record.supervisor.alive():
            _end_supervisor(record.supervisor, say)
        lock.insist(_LOCK_S)
        _clear_leftovers(folder, say)
    return True


def _take_over(folder: Path, lock: FolderLock, replace: bool, say: Say) -> None:
    """Make the folder ours. `AlreadyRunning` where a stack runs in it and is not to be replaced."""
    ours = lock.take()
    record = read_record(folder)
    if record and record.supervisor.alive():
        if not replace:
            where = record.urls.get("api", "")
            raise AlreadyRunning(
                f"a stack runs already at {where} (pid {record.supervisor.pid}, data in {folder}); "
                "`ringtrue down` ends it, `ringtrue up --replace` takes its place"
            )
        _end_supervisor(record.supervisor, say)
    if not ours:
        lock.insist(_LOCK_S)


def _end_supervisor(supervisor: Identity, say: Say) -> None:
    say(f"ending the stack of pid {supervisor.pid}")
    supervisor.send(signal.SIGTERM)
    if wait_gone([supervisor], _SUPERVISOR_GRACE_S):
        say(f"pid {supervisor.pid} takes too long, killing it")
        supervisor.send(signal.SIGKILL)
        wait_gone([supervisor], _LOCK_S)


def _clear_leftovers(folder: Path, say: Say) -> None:
    """End what a supervisor that is no more has left running, and drop its record. The lock must be held."""
    record = read_record(folder)
    if record:
        orphans = {name: child for name, child in record.children.items() if child.alive()}
        if orphans:
            say(f"ending what the stack of pid {record.supervisor.pid} left running: {', '.join(orphans)}")
        for orphan in reversed(orphans.values()):
            orphan.send(signal.SIGTERM)
        for orphan in wait_gone([*orphans.values()], _ORPHAN_GRACE_S):
            orphan.send_group(signal.SIGKILL)
        end_marked(record.mark, _STRAY_GRACE_S)
    record_path(folder).unlink(missing_ok=True)


def _supervise(folder: Path, plan: Plan, record: StackRecord, view: View, backoff: Backoff | None) -> None:
    def changed(children: Mapping[str, Identity], ready: bool) -> None:
        try:
            write_record(folder, record.with_children(children, ready=ready))
        except OSError as error:  # a disk that fills up later must not end the stack; the mark still finds its children
            view.say(f"cannot write {record_path(folder)}: {error.strerror}")

    with Interrupts() as interrupts:
        supervisor = Supervisor(
            plan.specs,
            env={**plan.env, MARK: record.mark},
            logs=folder / "logs",
            view=view,
            interrupts=interrupts,
            changed=changed,
            backoff=backoff,
        )
        try:
            supervisor.run(lambda: view.show(plan.welcome))
        finally:
            end_marked(record.mark, _STRAY_GRACE_S)
            record_path(folder).unlink(missing_ok=True)
    view.say("stopped")
