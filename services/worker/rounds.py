"""Something done again and again beside a worker's work, by a thread of its own. Knows nothing of what it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from shared.errors import RingtrueError

log = logging.getLogger(__name__)


class Rounds:
    """Calls ``work`` every ``every_s`` seconds for the length of a block; a round that fails is logged, no more."""

    def __init__(self, name: str, every_s: float, work: Callable[[], None]) -> None:
        self._every_s = every_s
        self._work = work
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go, name=name, daemon=True)

    def __enter__(self) -> Rounds:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Waits for a round that is under way, but not for ever."""
        self._over.set()
        self._thread.join(timeout=self._every_s)

    def _go(self) -> None:
        while not self._over.wait(self._every_s):
            try:
                self._work()
            except (RingtrueError, OSError) as error:
                log.error("%s failed: %s", self._thread.name, error)
