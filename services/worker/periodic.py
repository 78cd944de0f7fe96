"""Work repeated in a thread beside a worker's jobs. Knows nothing of what the work is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from shared.errors import RingtrueError

log = logging.getLogger(__name__)


class Periodic:
    """Calls ``work`` every ``every_s`` seconds for the length of a block. A failure is only logged, and not again while
    it stays the same."""

    def __init__(self, name: str, every_s: float, work: Callable[[], None]) -> None:
        self._every_s = every_s
        self._work = work
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def __enter__(self) -> Periodic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait at most ``every_s`` seconds for a running call."""
        self._over.set()
        self._thread.join(timeout=self._every_s)

    def _go(self) -> None:
        before = ""
        while not self._over.wait(self._every_s):
            failure = ""
            try:
                self._work()
            except (RingtrueError, OSError) as error:
                failure = str(error)
                if failure != before:
                    log.error("%s failed: %s", self._thread.name, error)
            except Exception as error:  # the next call is made all the same
                failure = repr(error)
                if failure != before:
                    log.exception("%s failed with an unexpected error", self._thread.name)
            if before and not failure:
                log.info("%s works again", self._thread.name)
            before = failure
