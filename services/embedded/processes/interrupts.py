"""Signals to the supervisor, as a count and as a wait that they cut short.

Owns the handlers of SIGINT, SIGTERM, SIGHUP and SIGCHLD while entered. Knows nothing of what they stop.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from types import TracebackType
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Counts requests to stop.

    It uses a pipe and not an Event: setting an Event in a signal handler can deadlock with its own wait.
    """

    def __init__(self) -> None:
        self.count = 0
        self._before: dict[int, Any] = {}
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def __enter__(self) -> Interrupts:
        for signum in _STOPPING:
            if signal.getsignal(signum) != signal.SIG_IGN:  # nohup sets SIG_IGN on purpose
                self._before[signum] = signal.signal(signum, self._stop)
        # SIGCHLD needs some Python handler: without one Python does not write to the wake-up descriptor.
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        signal.set_wakeup_fd(-1)
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> None:
        """Sleep for ``seconds``, or until a signal or the death of a child."""
        if select.select([self._read], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, 4096)

    def _stop(self, *_: object) -> None:
        self.count += 1
