"""The terminal: data to stdout, words to stderr.

Owns how both look, with and without a person watching, and what happens when nobody reads. Knows no HTTP.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any, Generic, TypeVar

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ringtrue.exits import ExitCode
from ringtrue.jobs import Job

T = TypeVar("T")
UNTRUNCATED = 10_000
"""Columns of a table that nobody watches: programs get whole values."""


def words(text: str) -> None:
    """A line for people."""
    print(text, file=sys.stderr, flush=True)


def data(text: str) -> None:
    """A line, or several, of what was asked for."""
    with _reader():
        print(text, flush=True)


def data_bytes(content: bytes) -> None:
    """The file that was asked for."""
    with _reader():
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def data_json(value: Any) -> None:
    """What was asked for, for programs."""
    data(json.dumps(value, indent=2, ensure_ascii=False))


def data_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows below a header, every cell whole. Where there is a screen that is narrower, the last column gives way, and
    what is right of the screen is left out: an id that is cut is no id."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    whole = [[" ".join(cell.split()) for cell in row] for row in rows]
    *left, last = zip(columns, *whole, strict=True)
    for name, *cells in left:
        table.add_column(name, no_wrap=True, min_width=max(map(cell_len, (name, *cells))))
    table.add_column(last[0], overflow="ellipsis")
    for row in whole:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else UNTRUNCATED)
    with console.capture() as captured:
        console.print(table)
    data("\n".join(line.rstrip() for line in captured.get().splitlines()))


@contextmanager
def _reader() -> Iterator[None]:
    """End quietly when whoever read our output (``| head``) has gone."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes at exit
        raise typer.Exit(ExitCode.NOBODY_READS) from None


class Progress(Generic[T]):
    """Shows how something goes on: one moving line for a person, a line per change for a log.

    ``going`` says it in a line; a log is told every ``every_s`` seconds at most."""

    def __init__(self, going: Callable[[T], str], every_s: float = 0.0) -> None:
        self._console = Console(stderr=True)
        self._going = going
        self._every_s = every_s
        self._told = ""
        self._told_at = -inf

    @contextmanager
    def shown(self) -> Iterator[Callable[[T], None]]:
        """As long as this lasts, what the watcher is shown is on the screen; stdout must be left alone meanwhile."""
        if not self._console.is_terminal:
            yield self._tell
            return
        with self._console.status("") as status:
            yield lambda seen: status.update(Text(self._going(seen)))

    def _tell(self, seen: T) -> None:
        line, now = self._going(seen), monotonic()
        if self._told != line and now - self._told_at >= self._every_s:
            self._told, self._told_at = line, now
            words(line)


def job_going(job: Job) -> str:
    """How a job goes on, in a line."""
    parts = [f"{job.id} {job.standing}"]
    if not job.finished:
        if job.progress:
            parts.append(f"piece {job.progress.piece} of {job.progress.pieces}")
        if job.queue_position is not None:
            parts.append(f"{job.queue_position - 1} ahead")
        if job.eta_seconds is not None:
            parts.append(f"about {job.eta_seconds:.0f} s")
    return ", ".join(parts)
