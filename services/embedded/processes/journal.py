"""The output of the children: a log file for each, and one readable view of all on a terminal.

Owns the log files (DATA/logs/NAME.log, rotated by size when a child is started) and which of their lines a person needs
to see. A child writes to its file itself, so its output outlives the supervisor; the view follows the files.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TextIO

from shared.values.printable import printable

TURN_OVER_BYTES = 8 << 20
KEPT = 3
_AT_ONCE_BYTES = 1 << 18
_NAME_WIDTH = 8
_COLOURS = {"ringtrue": "1", "redis": "31", "mlflow": "34", "gateway": "32", "worker": "35", "scorer": "36"}
_PROBLEM = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|Traceback)\b|^[\w.]+(Error|Exception)\b")


def turn_over(log: Path, limit: int = TURN_OVER_BYTES) -> None:
    """Rotate a log that is larger than ``limit`` bytes: NAME.log becomes NAME.log.1, .1 becomes .2 and so on.

    ``KEPT`` old ones are kept.
    """
    if not log.exists() or log.stat().st_size < limit:
        return
    for age in range(KEPT, 0, -1):
        younger = log if age == 1 else log.with_name(f"{log.name}.{age - 1}")
        if younger.exists():
            younger.replace(log.with_name(f"{log.name}.{age}"))


class Follower:
    """Reads the lines that are added to a file from now on."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._file.seek(0, 2)
        self._rest = b""

    def lines(self) -> list[str]:
        """Return the complete lines since the last call.

        It reads a limited part at a time, so that a flood of output cannot block the supervisor.
        """
        *whole, rest = (self._rest + self._file.read(_AT_ONCE_BYTES)).split(b"\n")
        self._rest = rest[-_AT_ONCE_BYTES:]
        return [line.decode(errors="replace").rstrip() for line in whole]

    def close(self) -> None:
        self._file.close()


class View:
    """The joint view. Every line begins with the name of its writer.

    By default it shows the supervisor's own lines and the children's problems; with ``verbose``, all of their output.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False, colour: bool = False) -> None:
        self._stream = stream
        self._verbose = verbose
        self._colour = colour
        self._in_problem: set[str] = set()

    def say(self, text: str) -> None:
        """Show one or more lines of the supervisor's own."""
        for line in text.splitlines():
            self._write("ringtrue", line)

    def show(self, text: str) -> None:
        """Show lines to read and to copy from, without a prefix."""
        self._print(printable(text))

    def hear(self, name: str, lines: list[str], *, every: bool = False) -> None:
        """Show what a child has written, as far as this view shows it. ``every``: show all of it."""
        for line in lines:
            if every or self._verbose or self._is_problem(name, line):
                self._write(name, line)

    def _is_problem(self, name: str, line: str) -> bool:
        """Return whether a line reports a problem or, indented, continues such a report."""
        problem = bool(_PROBLEM.search(line)) or (name in self._in_problem and line.startswith((" ", "\t")))
        (self._in_problem.add if problem else self._in_problem.discard)(name)
        return problem

    def _write(self, name: str, line: str) -> None:
        label = f"{name:<{_NAME_WIDTH}} |"
        if self._colour:
            label = f"\033[{_COLOURS.get(name, '33')}m{label}\033[0m"
        self._print(f"{label} {printable(line)}")

    def _print(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone, but the stack goes on
            self._stream.write(f"{text}\n")
            self._stream.flush()
