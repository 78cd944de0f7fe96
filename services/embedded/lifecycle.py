"""The life of a stack in its data folder: brought up once, recognised, taken over, brought down.

Owns the order of checks. Knows no service: what to run is a `Plan`.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from services.embedded.errors import AlreadyRunning
from services.embedded.leftovers import STRAY_GRACE_S, Say, clear_leftovers
from services.embedded.preflight import FreeBytes, check_space, free_bytes, prepare_folder, writing
from services.embedded.processes.child import ChildSpec
from services.embedded.processes.identity import MARK, Identity, end_marked, wait_gone
from services.embedded.processes.interrupts import Interrupts
from services.embedded.processes.journal import View
from services.embedded.processes.supervisor import Backoff, Supervisor
from services.embedded.record import FolderLock, StackRecord, read_record, record_path, write_record
from services.embedded.watchdog import watched

_SUPERVISOR_GRACE_S = 60.0
_LOCK_S = 5.0
_WATCHDOG_S = 30.0
"""Seconds for the watchdog of a killed stack to end what was left: longer than its own deadlines."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, with which environment, and what to show when it is ready."""

    specs: Sequence[ChildSpec]
    env: Mapping[str, str]
    urls: Mapping[str, str]
    welcome: str
    held: ExitStack = field(default_factory=ExitStack)
    """What the stack holds while it runs, such as the sockets that its parts accept connections from."""


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

    ``plan`` is called once the folder is taken and leftovers are gone, so that it finds its ports free. It may raise a
    `StackError`. Raises the errors of errors.py, all except `ChildFailed` before anything is started.
    """
    prepare_folder(folder)
    with FolderLock(folder) as lock:
        _take_over(folder, lock, replace, view.say)
        clear_leftovers(folder, view.say)
        check_space(folder, free)
        with writing(folder):
            planned = plan()
        with planned.held:
            with writing(folder):
                (folder / "logs").mkdir(mode=0o700, exist_ok=True)
                record = StackRecord(secrets.token_hex(16), supervisor=Identity.of(os.getpid()), urls=planned.urls)
                write_record(folder, record)
            _supervise(folder, planned, record, view, backoff)


def bring_down(folder: Path, say: Say) -> bool:
    """End the stack of ``folder``, or what a killed supervisor left of it. Return whether there was one."""
    if not record_path(folder).exists():
        return False
    with FolderLock(folder) as lock:
        record = read_record(folder)
        if record and record.supervisor.alive():
            _end_supervisor(record.supervisor, say)
        # The supervisor holds the lock until it ends; if it was killed, its watchdog may hold it to clean up.
        lock.insist(_WATCHDOG_S)
        clear_leftovers(folder, say)
    return True


def _take_over(folder: Path, lock: FolderLock, replace: bool, say: Say) -> None:
    """Take the folder. Raises `AlreadyRunning` if a stack runs in it that must not be replaced."""
    ours = lock.take()
    record = read_record(folder)
    if record and record.supervisor.alive():
        if not replace:
            where = record.urls.get("api", "")
            raise AlreadyRunning(
                f"a stack already runs at {where} (pid {record.supervisor.pid}, data in {folder}); "
                "`ringtrue down` stops it, `ringtrue up --replace` takes its place"
            )
        _end_supervisor(record.supervisor, say)
    if not ours:
        lock.insist(_WATCHDOG_S)


def _end_supervisor(supervisor: Identity, say: Say) -> None:
    say(f"stopping the stack of pid {supervisor.pid}")
    supervisor.send(signal.SIGTERM)
    if wait_gone([supervisor], _SUPERVISOR_GRACE_S):
        say(f"pid {supervisor.pid} did not stop in time; killing it")
        supervisor.send(signal.SIGKILL)
        wait_gone([supervisor], _LOCK_S)


def _supervise(folder: Path, plan: Plan, record: StackRecord, view: View, backoff: Backoff | None) -> None:
    def changed(children: Mapping[str, Identity], ready: bool) -> None:
        try:
            write_record(folder, record.with_children(children, ready=ready))
        except OSError as error:  # a disk that is full later must not end the stack; the mark still finds its children
            view.say(f"cannot write {record_path(folder)}: {error.strerror}")

    with Interrupts() as interrupts, watched(folder, plan.env):
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
            end_marked(record.mark, STRAY_GRACE_S)
            record_path(folder).unlink(missing_ok=True)
    view.say("stopped")
