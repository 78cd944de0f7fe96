"""How far the reading or writing of many bytes is, on stderr: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from services.pins.now_and_then import Tally
from services.pins.sizes import bytes_said
from shared.weights.hashing import OnBytes


@contextlib.contextmanager
def progress_of(what: str, total: int) -> Iterator[OnBytes]:
    """Call what this gives with every count of bytes, from any thread, until the end of the context."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        yield _Lines(console, what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        task = bars.add_task(what, total=total)
        yield lambda count: bars.advance(task, count)


@dataclass(slots=True)
class _Lines:
    console: Console
    what: str
    total: int
    _read: Tally = field(default_factory=Tally)

    def __call__(self, count: int) -> None:
        if self._read.line_due(count):
            done, total = bytes_said(self._read.count), bytes_said(self.total)
            self.console.print(f"{self.what}: {done} of {total}, {self._read.rate}", soft_wrap=True)
