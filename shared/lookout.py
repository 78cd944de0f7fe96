"""Work is looked for now and then even where no bell rings: a Redis that is away, or a connection to it that only seems
alive, makes work slower and does not stop it. Whoever asks from outside whether the process still looks can see it by a
file. Knows nothing of the work."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import RingtrueError

LOOK_EVERY_S = 5.0
_LAST_JOB_S = 30.0
"""For what is being done when it is time to stop; the flow ends it sooner by its own grace period."""

log = logging.getLogger(__name__)


@contextmanager
def looking_out(
    doors: Iterable[Callable[[], None]], every_s: float = LOOK_EVERY_S, alive: Path | None = None
) -> Iterator[None]:
    """Try each door every ``every_s`` seconds inside the block, from a thread of its own.

    ``alive``: a file that is touched as often by another one, and removed at the end.
    """
    over = threading.Event()
    doors = [*doors, *([alive.touch] if alive else [])]
    threads = [
        threading.Thread(target=_look, args=(door, over, every_s), name="lookout", daemon=True) for door in doors
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(_LAST_JOB_S)
        if alive is not None:
            alive.unlink(missing_ok=True)


def _look(door: Callable[[], None], over: threading.Event, every_s: float) -> None:
    while not over.wait(every_s):
        try:
            door()
        except (RingtrueError, OSError) as error:
            log.warning("looked for work in vain: %s", error)
