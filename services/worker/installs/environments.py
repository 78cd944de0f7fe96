"""The state of each engine family's Python: whether it is there, has the packages at their pins, and can start a host.

Owns the three states. Starts what it examines in child processes and imports no engine code.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum

from services.worker.engines.families import Installed, installed
from services.worker.installs.interpreters import Interpreter, Interpreters
from services.worker.installs.pythons import About, NoPython, about, here, release_said
from services.worker.installs.requirements_file import Requirements, RequirementsInvalid, canonical, requirements_of
from shared.errors import RingtrueError
from shared.processes.hosting import Child, HostCrashed, HostTimeout

ANSWER_S = 60.0
_AT_ONCE = 4
_NAMED = 3


class InstallStep(StrEnum):
    """The state of a family's Python on this machine."""

    READY = "ready"
    """Its host starts, and all packages that it was tested with are there."""
    NOT_INSTALLED = "not installed"
    """It has requirements but no Python of its own, and this one lacks the packages."""
    BROKEN = "broken"
    """It has a Python that does not work. The detail says why."""


class FamilyUnknown(RingtrueError):
    """No installed package brings a family of that name."""


@dataclass(frozen=True, slots=True)
class InstallState:
    """What was found for one family."""

    family: Installed
    interpreter: Interpreter
    state: InstallStep = InstallStep.READY
    detail: str = ""
    """Why it is broken. For a ready one, what differs from the versions that it was tested with."""
    version: str | None = None
    """The version of the Python, or ``None`` if it does not answer."""


def family_called(name: str) -> Installed:
    """Return the installed family of that name. Raises `FamilyUnknown`."""
    families = {family.name: family for family in installed()}
    if name not in families:
        raise FamilyUnknown(f"unknown engine family {name}; known: {', '.join(families) or 'none'}")
    return families[name]


def standings(interpreters: Interpreters) -> Sequence[InstallState]:
    """Return the state of every installed family, by name."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="look") as pool:
        return list(pool.map(lambda family: standing(family, interpreters.of(family.name)), installed()))


def standing(family: Installed, interpreter: Interpreter) -> InstallState:
    """Return the state of ``family`` when ``interpreter`` serves it. Takes as long as a host takes to start."""
    seen = InstallState(family, interpreter)
    try:
        wanted = requirements_of(family)
        told = about(interpreter.python) if interpreter.elsewhere else here()
    except (NoPython, RequirementsInvalid) as error:
        return replace(seen, state=InstallStep.BROKEN, detail=str(error))
    seen = replace(seen, version=told.version)
    differing = ""
    if wanted is not None:
        lacking, differing = _compared(wanted, told)
        if lacking:
            state = InstallStep.BROKEN if interpreter.elsewhere else InstallStep.NOT_INSTALLED
            return replace(seen, state=state, detail=lacking)
    if (why := _why_no_host(family, interpreter)) is not None:
        return replace(seen, state=InstallStep.BROKEN, detail=why)
    return replace(seen, detail=differing)


def _compared(wanted: Requirements, told: About) -> tuple[str, str]:
    """Return which wanted packages are missing, and which have another version, each as a text that is empty if there
    are none."""
    if wanted.python is not None and wanted.python != told.release:
        return f"this is Python {told.version}, but its packages are pinned for {release_said(wanted.python)}", ""
    there = {canonical(name): version for name, version in told.packages.items()}
    pins = wanted.pins()
    lacking = [name for name in pins if name not in there]
    differing = [
        f"{name} is {there[name]}, tested with {version}"
        for name, version in pins.items()
        if name in there and version not in ("", there[name], there[name].partition("+")[0])
    ]
    return _listed("missing: ", lacking), _listed("", differing)


def _listed(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}{', '.join(names[:_NAMED])}{rest}"


def _why_no_host(family: Installed, interpreter: Interpreter) -> str | None:
    """Return why no host of ``family`` starts, or ``None`` if one starts and says which pins it brings."""
    with tempfile.TemporaryFile() as complaints:
        try:
            host = Child([*interpreter.host, "--family", family.reference], stderr=complaints)
        except OSError as error:
            return f"its host does not start: {error}"
        try:
            answer = host.ask({"op": "pins"}, timeout_s=ANSWER_S).header
        except (HostCrashed, HostTimeout) as error:
            complaints.seek(0)
            lines = complaints.read().decode(errors="replace").strip().splitlines() or [str(error)]
            return f"its host does not start: {lines[-1]}"
        finally:
            host.kill()
    return None if "ok" in answer else f"its host does not serve: {answer['error']['message']}"
