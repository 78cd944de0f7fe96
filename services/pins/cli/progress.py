"""The progress of a pull on stderr: bars on a terminal, otherwise a line now and then."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from services.pins.byte_count import ByteCount
from services.pins.pulling.pull_progress import PullProgress
from shared.values.printable import printable, screen
from shared.weights.lock import LockedFile


@contextlib.contextmanager
def shown() -> Iterator[PullProgress]:
    """Give a progress that shows what it is told, for the length of the block."""
    console = Console(file=screen(sys.stderr), highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        yield _ProgressLines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars)


@dataclass(slots=True)
class _Bars:
    """One bar per file in progress, and one for all."""

    bars: Progress
    _all: TaskID = field(default=TaskID(0))
    _files: dict[str, TaskID] = field(default_factory=dict)
    _come: dict[str, int] = field(default_factory=dict)

    def expects(self, missing: Sequence[LockedFile], /) -> None:
        if missing:
            size = sum(file.size for file in missing)
            self._all = self.bars.add_task(f"{len(missing)} files", total=size)

    def begins(self, file: LockedFile, there: int, /) -> None:
        if file.sha256 not in self._files:
            self._files[file.sha256] = self.bars.add_task(printable(file.path), total=file.size)
        self.moves(file, there - self._come.get(file.sha256, 0))

    def moves(self, file: LockedFile, count: int, /) -> None:
        self._come[file.sha256] = self._come.get(file.sha256, 0) + count
        self.bars.update(self._files[file.sha256], completed=self._come[file.sha256])
        self.bars.update(self._all, advance=count)

    def ends(self, file: LockedFile, source_name: str | None, /) -> None:
        if (task := self._files.pop(file.sha256, None)) is not None:
            self.bars.remove_task(task)
        if source_name is not None:
            self.says(f"{file.path}  {decimal(file.size)}  from {source_name}")

    def says(self, line: str, /) -> None:
        self.bars.console.print(printable(line))


@dataclass(slots=True)
class _ProgressLines:
    """A line for each notice, and one progress line every ten seconds."""

    console: Console
    _expected: Sequence[LockedFile] = ()
    _received: ByteCount = field(default_factory=ByteCount)
    _brought: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expects(self, missing: Sequence[LockedFile], /) -> None:
        self._expected = missing
        if missing:
            self.says(f"{len(missing)} files to fetch, {decimal(sum(file.size for file in missing))}")

    def begins(self, file: LockedFile, there: int, /) -> None:
        if there:
            self.says(f"{file.path}: continuing after {decimal(there)} of {decimal(file.size)}")

    def moves(self, _file: LockedFile, count: int, /) -> None:
        if self._received.line_due(max(count, 0)):
            came = decimal(self._received.count)
            self.says(f"{self._brought} of {len(self._expected)} files, {came} received, {self._received.rate}")

    def ends(self, _file: LockedFile, source_name: str | None, /) -> None:
        with self._lock:
            self._brought += source_name is not None

    def says(self, line: str, /) -> None:
        self.console.print(printable(line), soft_wrap=True)
