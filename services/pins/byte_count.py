"""Counts bytes and tells when progress is due: without a progress bar, one line every ten seconds."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from rich.filesize import decimal

_LINE_EVERY_S = 10.0


@dataclass(slots=True)
class ByteCount:
    """A count of bytes. Any thread may call it."""

    count: int = 0
    _begun: float = field(default_factory=time.monotonic)
    _next: float = field(default_factory=lambda: time.monotonic() + _LINE_EVERY_S)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def line_due(self, more: int) -> bool:
        """Count ``more`` bytes. Returns True if the caller should report progress now."""
        with self._lock:
            self.count += more
            if (now := time.monotonic()) < self._next:
                return False
            self._next = now + _LINE_EVERY_S
            return True

    @property
    def rate(self) -> str:
        """Bytes per second since the beginning, as text."""
        return f"{decimal(int(self.count / (time.monotonic() - self._begun)))}/s"
