"""How it stands with each engine family's Python: there, with the packages at their pins, and able to start a host.

Owns the three words for that. Starts what it looks at in children and imports no engine code.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import IO

from services.worker.engines.families import Installed, installed
from services.worker.interpreters import Interpreter, Interpreters
from services.worker.pythons import About, NoPython, about, here, release_said
from services.worker.requirements_file import Requirements, RequirementsInvalid, canonical, requirements_of
from shared.errors import RingtrueError
from shared.hosting import Frame, HostCrashed, read_frame, write_frame

ANSWER_S = 60.0
_AT_ONCE = 4
_NAMED = 3


class State(StrEnum):
    """Of a family on this machine."""

    READY = "ready"
    """Its host starts, and all that it was tried with is there."""
    NOT_INSTALLED = "not installed"
    """It has requirements, no Python of its own, and this one lacks them."""
    BROKEN = "broken"
    """It has a Python that does not do; the detail says why."""


class FamilyUnknown(RingtrueError):
    """No installed package brings a family of that name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was seen of one family."""

    family: Installed
    interpreter: Interpreter
    state: State = State.READY
    detail: str = ""
    """Why it is broken; of a ready one, what differs from what it was tried with."""
    version: str | None = None
    """Of the Python; ``None`` where it does not answer."""


def family_called(name: str) -> Installed:
    """Raises `FamilyUnknown`."""
    families = {family.name: family for family in installed()}
    if name not in families:
        raise FamilyUnknown(f"there is no engine family {name}; there are: {', '.join(families) or 'none'}")
    return families[name]


def standings(interpreters: Interpreters) -> Sequence[Standing]:
    """Of every installed family, by name."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="look") as pool:
        return list(pool.map(lambda family: standing(family, interpreters.of(family.name)), installed()))


def standing(family: Installed, interpreter: Interpreter) -> Standing:
    """Of ``family`` if ``interpreter`` serves it. Takes as long as a host takes to start."""
    seen = Standing(family, interpreter)
    try:
        wanted = requirements_of(family)
        told = about(interpreter.python) if interpreter.elsewhere else here()
    except (NoPython, RequirementsInvalid) as error:
        return replace(seen, state=State.BROKEN, detail=str(error))
    seen = replace(seen, version=told.version)
    differing = ""
    if wanted is not None:
        lacking, differing = _compared(wanted, told)
        if lacking:
            state = State.BROKEN if interpreter.elsewhere else State.NOT_INSTALLED
            return replace(seen, state=state, detail=lacking)
    if (why := _why_no_host(family, interpreter)) is not None:
        return replace(seen, state=State.BROKEN, detail=why)
    return replace(seen, detail=differing)


def _compared(wanted: Requirements, told: About) -> tuple[str, str]:
    """What ``told`` lacks of what is ``wanted``, and what it has in another version; each empty where there is none."""
    if wanted.python is not None and wanted.python != told.release:
        return f"this is Python {told.version}, its packages are pinned for {release_said(wanted.python)}", ""
    there = {canonical(name): version for name, version in told.packages.items()}
    pins = wanted.pins()
    lacking = [name for name in pins if name not in there]
    differing = [
        f"{name} is {there[name]}, tried is {version}"
        for name, version in pins.items()
        if name in there and version not in ("", there[name], there[name].partition("+")[0])
    ]
    return _listed("not there: ", lacking), _listed("", differing)


def _listed(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}{', '.join(names[:_NAMED])}{rest}"


def _why_no_host(family: Installed, interpreter: Interpreter) -> str | None:
    """``None`` where a host of ``family`` starts and says which pins it brings; else why not."""
    with tempfile.TemporaryFile() as complaints:
        try:
            with _host([*interpreter.host, "--family", family.reference], complaints) as (to, of):
                write_frame(to, Frame({"op": "pins"}))
                answer = read_frame(of)
        except (OSError, HostCrashed) as error:
            return f"its host does not start: {error}"
        if answer is not None:
            return None if "ok" in answer.header else f"its host does not serve: {answer.header['error']['message']}"
        complaints.seek(0)
        lines = complaints.read().decode(errors="replace").strip().splitlines()
    return f"its host does not start: {lines[-1] if lines else f'no answer within {ANSWER_S:g} s'}"


@contextlib.contextmanager
def _host(argv: Sequence[str], complaints: IO[bytes]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A host's two pipes; it ends after `ANSWER_S`, or with the context. ``complaints``: takes its stderr."""
    host = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, start_new_session=True
    )
    end = partial(_killed, host)
    patience = threading.Timer(ANSWER_S, end)
    patience.start()
    try:
        assert host.stdin is not None
        assert host.stdout is not None
        yield host.stdin, host.stdout
    finally:
        patience.cancel()
        end()
        with contextlib.suppress(OSError):
            host.communicate()


def _killed(host: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(host.pid, signal.SIGKILL)
