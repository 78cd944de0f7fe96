"""Which Python serves which engine family, and the command line of a host in it.

Owns the rule: the one that a setting names, else the one of the family's environment, else this one. Looks at files
alone and starts nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.worker.engine_host import HOST

OUTPOST = Path(__file__).parent / "engines" / "outpost.py"
HERE = Path(sys.executable)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that serves a family. ``made``: when its environment was, in ns; another one is another interpreter."""

    python: Path = HERE
    made: int = 0

    @property
    def elsewhere(self) -> bool:
        """It is another than the worker's, with packages of its own."""
        return self.python != HERE

    @property
    def host(self) -> Sequence[str]:
        """The command line of a host; the family follows."""
        return (str(self.python), "-I", str(OUTPOST)) if self.elsewhere else HOST


class Interpreters:
    """Asked anew, it sees an environment that was made meanwhile."""

    def __init__(self, folder: Path | None = None, given: Mapping[str, Path] | None = None) -> None:
        """``folder``: has an environment per family, by its name. ``given``: what overrules it."""
        self._folder = folder
        self._given = given or {}

    def of(self, family: str) -> Interpreter:
        """One that serves ``family``; it need not be there, nor work."""
        python = self._given.get(family) or self._installed(family)
        return Interpreter(python, _made(python)) if python and python != HERE else Interpreter()

    def _installed(self, family: str) -> Path | None:
        if self._folder is None:
            return None
        # The environment by its own name: hosts that run in it stay with it when another takes its place.
        python = (self._folder / family).resolve() / "bin" / "python"
        return python if os.path.lexists(python) else None


def _made(python: Path) -> int:
    for trace in (python.parents[1] / "pyvenv.cfg", python):
        try:
            return trace.stat().st_mtime_ns
        except OSError:
            continue
    return 0
