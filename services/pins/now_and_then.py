"""How many bytes have passed, and whether it is time to say so: where no bar is shown, a line every ten seconds."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from services.pins.sizes import bytes_said

_LINE_EVERY_S = 10.0


@dataclass(slots=True)
class Tally:
    """Bytes, counted from any thread."""

    count: int = 0
    _begun: float = field(default_factory=time.monotonic)
    _next: float = field(default_factory=lambda: time.monotonic() + _LINE_EVERY_S)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def line_due(self, more: int) -> bool:
        """Count ``more``; whether the caller is the one to say how far it is."""
        with self._lock:
            self.count += more
            if (now := time.monotonic()) < self._next:
                return False
            self._next = now + _LINE_EVERY_S
            return True

    @property
    def rate(self) -> str:
        """Since the beginning, per second, as it is said."""
        return f"{bytes_said(self.count / (time.monotonic() - self._begun))}/s"
