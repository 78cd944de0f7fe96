"""The child's end of the pipe to its parent (shared/processes/hosting.py).

Owns that only frames go over it: the child uses its original stdin and stdout, and what libraries print to stdout goes
to stderr instead. Loads nothing of the parent's end, since every start of a host waits for it.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from shared.processes.frames import Frame, read_frame, write_frame


class Served:
    """The child's end: receives requests and sends answers."""

    def __init__(self) -> None:
        self._in = os.fdopen(os.dup(0), "rb")
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # a library that prints must not break the frames
        sys.stdout = sys.stderr
        self._requests: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="requests", daemon=True).start()

    def _listen(self) -> None:
        while (frame := read_frame(self._in)) is not None:
            self._requests.put(frame)
        os._exit(0)  # the parent is gone: nobody waits for the main thread's work

    def requests(self) -> Iterator[Frame]:
        """Yield requests in order, forever."""
        while True:
            yield self._requests.get()

    def answer(self, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
        write_frame(self._out, Frame(header, payload))
