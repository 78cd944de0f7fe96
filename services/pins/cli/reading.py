"""The progress of reading or writing many bytes, on stderr: a bar on a terminal, otherwise a line now and then."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from services.pins.byte_count import ByteCount
from shared.values.printable import printable, screen
from shared.weights.hashing import OnBytes


@contextlib.contextmanager
def progress_of(what: str, total: int) -> Iterator[OnBytes]:
    """Give a function to call with every count of bytes, from any thread, for the length of the block."""
    console = Console(file=screen(sys.stderr), highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        yield _SourceLines(console, what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        task = bars.add_task(printable(what), total=total)
        yield lambda count: bars.advance(task, count)


@dataclass(slots=True)
class _SourceLines:
    console: Console
    what: str
    total: int
    _read: ByteCount = field(default_factory=ByteCount)

    def __call__(self, count: int) -> None:
        if self._read.line_due(count):
            done, total = decimal(self._read.count), decimal(self.total)
            self.console.print(f"{printable(self.what)}: {done} of {total}, {self._read.rate}", soft_wrap=True)
