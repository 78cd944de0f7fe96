"""How far the reading or writing of many bytes is, on stderr: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from services.pins.sizes import bytes_said
from shared.weights.hashing import OnBytes

_LINE_EVERY_S = 10.0


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
    _done: int = 0
    _begun: float = field(default_factory=time.monotonic)
    _next: float = field(default_factory=lambda: time.monotonic() + _LINE_EVERY_S)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, count: int) -> None:
        with self._lock:
            self._done += count
            if (now := time.monotonic()) < self._next:
                return
            self._next = now + _LINE_EVERY_S
        rate = bytes_said(self._done / (now - self._begun))
        done, total = bytes_said(self._done), bytes_said(self.total)
        self.console.print(f"{self.what}: {done} of {total}, {rate}/s", soft_wrap=True)
