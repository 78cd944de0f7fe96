"""What the children say: a file for each, and one readable view of all on a terminal.

Owns the log files (DATA/logs/NAME.log, turned over by size when a child is started) and which of their lines a person
needs to see. A child writes to its file itself, so its words outlive the supervisor; the view follows the files.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TextIO

TURN_OVER_BYTES = 8 << 20
KEPT = 3
_AT_ONCE_BYTES = 1 << 18
_NAME_WIDTH = 8
_COLOURS = {"ringtrue": "1", "redis": "31", "mlflow": "34", "gateway": "32", "worker": "35", "scorer": "36"}
_PROBLEM = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL|Traceback)\b|^[\w.]+(Error|Exception)\b")


def turn_over(log: Path, limit: int = TURN_OVER_BYTES) -> None:
    """Rename a log that has grown past ``limit`` bytes to NAME.log.1, .1 to .2 and so on; ``KEPT`` old ones stay."""
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
        """Whole lines since the last call; of a flood only the next part, so that it cannot hold us up."""
        *whole, rest = (self._rest + self._file.read(_AT_ONCE_BYTES)).split(b"\n")
        self._rest = rest[-_AT_ONCE_BYTES:]
        return [line.decode(errors="replace").rstrip() for line in whole]

    def close(self) -> None:
        self._file.close()


class View:
    """The joint view: every line begins with who says it.

    Quiet, it shows the supervisor's own words and the children's problems; ``verbose``, everything they say.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False, colour: bool = False) -> None:
        self._stream = stream
        self._verbose = verbose
        self._colour = colour
        self._in_problem: set[str] = set()

    def say(self, text: str) -> None:
        """The supervisor's own word, one or more lines."""
        for line in text.splitlines():
            self._write("ringtrue", line)

    def show(self, text: str) -> None:
        """Lines to look at and to copy from, with nothing before them."""
        self._print(text)

    def hear(self, name: str, lines: list[str]) -> None:
        """What a child has said."""
        for line in lines:
            if self._verbose or self._is_problem(name, line):
                self._write(name, line)

    def _is_problem(self, name: str, line: str) -> bool:
        """Whether a line tells of a problem or, indented, goes on telling."""
        problem = bool(_PROBLEM.search(line)) or (name in self._in_problem and line.startswith((" ", "\t")))
        (self._in_problem.add if problem else self._in_problem.discard)(name)
        return problem

    def _write(self, name: str, line: str) -> None:
        label = f"{name:<{_NAME_WIDTH}} |"
        if self._colour:
            label = f"\033[{_COLOURS.get(name, '33')}m{label}\033[0m"
        self._print(f"{label} {line}")

    def _print(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # the terminal may be gone; the stack goes on
            self._stream.write(f"{text}\n")
            self._stream.flush()
