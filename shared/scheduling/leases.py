"""Keeps a lease during long work, by renewing it from a background thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared.errors import StoreUnavailable

log = logging.getLogger(__name__)


@contextmanager
def kept(beat: Callable[[], bool], every_s: float) -> Iterator[threading.Event]:
    """Call ``beat`` every ``every_s`` seconds inside the block.

    The yielded event is set once ``beat`` returns False: the lease is lost.
    """
    lost, over = threading.Event(), threading.Event()

    def keep() -> None:
        while not over.wait(every_s):
            try:
                if not beat():
                    lost.set()
                    return
            except StoreUnavailable as error:
                log.warning("lease not renewed: %s", error)
            except Exception:  # until it is known to be lost, renewing is tried again
                log.exception("lease not renewed because of an unexpected error")

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        over.set()
        thread.join()
