"""Looks for work now and then even without a wake-up.

Owns that loop. If Redis is away, or a connection to it only seems alive, work becomes slower but does not stop. A file
shows from outside that the process still polls. Knows nothing of the work.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import RingtrueError

LOOK_EVERY_S = 5.0
_LAST_LOOK_S = 3.0
"""Seconds for all running polls together when the process stops. The caller has waited for the work itself."""

log = logging.getLogger(__name__)


@contextmanager
def polling(
    task_handlers: Iterable[Callable[[], None]], every_s: float = LOOK_EVERY_S, alive: Path | None = None
) -> Iterator[None]:
    """Call each handler every ``every_s`` seconds inside the block, each from its own thread.

    ``alive``: a file that a further thread touches as often; it is removed at the end.
    """
    over = threading.Event()
    task_handlers = [*task_handlers, *([alive.touch] if alive else [])]
    threads = [
        threading.Thread(target=_look, args=(handler, over, every_s), name="polling", daemon=True)
        for handler in task_handlers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        until = time.monotonic() + _LAST_LOOK_S
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        if alive is not None:
            alive.unlink(missing_ok=True)


def _look(handler: Callable[[], None], over: threading.Event, every_s: float) -> None:
    while not over.wait(every_s):
        try:
            handler()
        except (RingtrueError, OSError) as error:
            log.warning("looking for work failed: %s", error)
        except Exception:  # this thread keeps a process at work without Redis, so no error may end it
            log.exception("looking for work failed with an unexpected error")
