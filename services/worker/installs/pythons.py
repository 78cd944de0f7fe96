"""The Pythons on this machine: the version of one, and where to find one of a given version.

Owns the search: this one, the PATH, and those that uv knows. Downloads none.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from shared.errors import RingtrueError
from shared.sandbox.environment import for_installer

_ANSWER_S = 60.0
_ABOUT = """
import json, sys
from importlib.metadata import distributions
packages = {one.metadata["Name"]: one.version for one in distributions() if one.metadata["Name"]}
print(json.dumps({"python": sys.version.split()[0], "packages": packages}))
"""


class NoPython(RingtrueError):
    """There is no such Python, or not of the needed version. The message says which."""


@dataclass(frozen=True, slots=True)
class About:
    """What a Python reports of itself."""

    version: str
    packages: Mapping[str, str]
    """Version by name, as each distribution spells it."""

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version, such as (3, 11)."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


@cache
def here() -> About:
    """Return this Python's versions. They are read once."""
    return About(platform.python_version(), {one.metadata["Name"]: one.version for one in distributions()})


def about(python: Path) -> About:
    """Return another Python's versions, without what PYTHONPATH and the like would add. Raises `NoPython`."""
    command = [str(python), "-I", "-c", _ABOUT]
    try:
        env = for_installer(os.environ)  # its packages may run code of their own at every start
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=False, env=env)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPython(f"{python} cannot be started: {error}") from error
    try:
        told = json.loads(done.stdout)
        return About(told["python"], told["packages"])
    except (ValueError, KeyError, TypeError) as error:
        lines = done.stderr.strip().splitlines() or [f"it ended with exit code {done.returncode}"]
        raise NoPython(f"{python} is not a working Python: {lines[-1]}") from error


def fitting(family: str, wanted: tuple[int, int] | None, given: Path | None) -> Path:
    """Return a Python of the ``wanted`` version (default: ours) for ``family``: the ``given`` one, or one that is
    found.

    Raises `NoPython`.
    """
    wanted = wanted or sys.version_info[:2]
    if given is not None:
        if (told := about(given)).release != wanted:
            raise NoPython(f"{given} is Python {told.version}, but {family} needs {release_said(wanted)}")
        return given
    if wanted == sys.version_info[:2]:
        return Path(sys.executable)
    for python in _candidates(wanted):
        if _is(python, wanted):
            return python
    raise NoPython(f"{family} needs Python {release_said(wanted)}, but none is on the PATH; use --python to name one")


def uv() -> Path | None:
    """Return the path of uv, beside this Python or on the PATH, or `None`."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    return Path(found) if found else None


def release_said(version: tuple[int, int]) -> str:
    """Return the version as text, such as 3.11."""
    return ".".join(map(str, version))


def _candidates(wanted: tuple[int, int]) -> Iterator[Path]:
    if found := shutil.which(f"python{release_said(wanted)}"):
        yield Path(found)
    if (asked := uv()) is not None:
        command = [str(asked), "python", "find", "--no-project", "--no-python-downloads", release_said(wanted)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_S, check=False)
        if done.returncode == 0:
            yield Path(done.stdout.strip())


def _is(python: Path, wanted: tuple[int, int]) -> bool:
    try:
        return about(python).release == wanted
    except NoPython:
        return False  # such as a wrapper whose version is not selected
