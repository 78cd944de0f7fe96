"""The terminal: data to stdout, messages to stderr.

Owns how both look, with and without a person watching. Knows no HTTP. `printable.py` owns what may be printed, and what
happens when nobody reads it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any, Generic, TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ringtrue.console.printable import delivered, printable, screen
from ringtrue.jobs import Job

T = TypeVar("T")
LOG_EVERY_S = 10.0
"""Least seconds between two lines of progress in a log."""
UNTRUNCATED = 10_000
"""Width of a table that is not on a terminal: programs get whole values."""


def words(text: str) -> None:
    """Print a line for people on stderr.

    Further lines are indented, so that text from others never looks like a line of ours.
    """
    print(text.replace("\n", "\n  "), file=sys.stderr, flush=True)


def data(text: str) -> None:
    """Print one or more lines of the requested data. Raises `OutputFailed`, as all functions that print data do."""
    print(text, flush=True)


def data_bytes(content: bytes) -> None:
    """Write the requested file to stdout."""
    with delivered(screen(sys.stdout)):
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def data_json(value: Any) -> None:
    """Print the requested data as JSON, for programs."""
    data(json.dumps(value, indent=2, ensure_ascii=False))


def titled(name: str, value: str, width: int = 12) -> str:
    """Return a line of a readable view: the name, padded to ``width``, and its value."""
    return f"{name:<{width}} {value}".rstrip()


def data_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows below a header, with every cell whole.

    On a terminal that is too narrow, the last column is shortened first, then what does not fit is cut off on the
    right: an id that is shortened would be useless.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    whole = [[printable(" ".join(cell.split())) for cell in row] for row in rows]
    *left, last = zip(columns, *whole, strict=True)
    for name, *cells in left:
        table.add_column(name, no_wrap=True, min_width=max(map(cell_len, (name, *cells))))
    table.add_column(last[0], overflow="ellipsis")
    for row in whole:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    out = screen(sys.stdout)
    with delivered(out):
        console = Console(file=out, width=None if out.isatty() else UNTRUNCATED)
        with console.capture() as captured:
            console.print(table)
        print("\n".join(line.rstrip() for line in captured.get().split("\n")[:-1]), file=out, flush=True)


class ProgressLine(Generic[T]):
    """Shows progress: one moving line for a person; in a log a line now and then, and the last one.

    ``going`` returns the progress as a line.
    """

    def __init__(self, going: Callable[[T], str], every_s: float = LOG_EVERY_S) -> None:
        self._console = Console(file=screen(sys.stderr))
        self._going = going
        self._every_s = every_s
        self._told = ""
        self._told_at = -inf
        self._kept_back = ""

    @contextmanager
    def shown(self) -> Iterator[Callable[[T], None]]:
        """Yield a watcher that shows what it is called with. Nothing else may write to stdout inside the block."""
        if not self._console.is_terminal:
            try:
                yield self._tell
            finally:
                if self._kept_back:
                    self._say(self._kept_back)
            return
        with self._console.status("") as status:
            yield lambda seen: status.update(Text(printable(" ".join(self._going(seen).split()))))

    def _tell(self, seen: T) -> None:
        line = self._going(seen)
        if line == self._told:
            self._kept_back = ""
        elif monotonic() - self._told_at >= self._every_s:
            self._say(line)
        else:
            self._kept_back = line

    def _say(self, line: str) -> None:
        self._told, self._told_at, self._kept_back = line, monotonic(), ""
        words(line)


def job_going(job: Job) -> str:
    """Return the progress of a job as a line."""
    parts = [f"{job.id} {job.standing}"]
    if not job.finished:
        if job.progress:
            parts.append(f"piece {job.progress.piece} of {job.progress.pieces}")
        if job.queue_position is not None:
            parts.append(f"{job.queue_position - 1} ahead")
        if job.eta_seconds is not None:
            parts.append(f"about {job.eta_seconds:.0f} s")
    return ", ".join(parts)
