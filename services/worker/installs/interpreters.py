"""Which Python serves which engine family, and the command line of a host in it.

Owns the rule: the Python that a setting names, else that of the family's environment, else this one. Looks only at
files and starts nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.worker.engine_host import HOST

FOREIGN_PYTHON = Path(__file__).parents[1] / "engines" / "foreign_python.py"
HERE = Path(sys.executable)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that serves a family. ``made``: when its environment was made, in ns; a new environment counts as
    another interpreter."""

    python: Path = HERE
    made: int = 0

    @property
    def elsewhere(self) -> bool:
        """True if it is not the worker's Python and has packages of its own."""
        return self.python != HERE

    @property
    def host(self) -> Sequence[str]:
        """The command line of a host. The family is appended."""
        return (str(self.python), "-I", str(FOREIGN_PYTHON)) if self.elsewhere else HOST


class Interpreters:
    """The interpreters of families. Each call looks again, so it sees environments that were made meanwhile."""

    def __init__(self, folder: Path | None = None, given: Mapping[str, Path] | None = None) -> None:
        """``folder``: has one environment per family, by its name. ``given``: overrides them."""
        self._folder = folder
        self._given = given or {}

    def of(self, family: str) -> Interpreter:
        """Return the interpreter for ``family``. It may be missing or broken."""
        python = self._given.get(family) or self._installed(family)
        return Interpreter(python, _made(python)) if python and python != HERE else Interpreter()

    def _installed(self, family: str) -> Path | None:
        if self._folder is None:
            return None
        # Use the environment's real path: hosts that run in it keep it when another replaces it.
        python = (self._folder / family).resolve() / "bin" / "python"
        return python if os.path.lexists(python) else None


def _made(python: Path) -> int:
    for trace in (python.parents[1] / "pyvenv.cfg", python):
        try:
            return trace.stat().st_mtime_ns
        except OSError:
            continue
    return 0
