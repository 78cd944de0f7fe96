"""Ends a process by a deadline once it was told to stop, whatever hangs in it: a host, a server, a database.

Owns that deadline. The work that is lost is what a killed process loses: leases run out, and others take the work.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

LAST_S = 4.0
"""Seconds after the grace period, for handing work back and closing what is open. With a grace period of 10 s it fits
into the 15 s that `ringtrue up` gives, and into the 30 s of the compose file."""

log = logging.getLogger(__name__)


class Stopping:
    """Stops a process within ``grace_s`` + ``last_s`` seconds.

    ``grace_s``: running work may go on for this long; then ``give_up`` is called to end it. ``leave``: ends the process
    for good, with exit code 0, because it did stop as it was told.
    """

    def __init__(
        self,
        grace_s: float,
        give_up: Callable[[], None] = lambda: None,
        *,
        last_s: float = LAST_S,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        self._grace_s = grace_s
        self._give_up = give_up
        self._last_s = last_s
        self._leave = leave
        self._told = threading.Lock()

    def begin(self) -> None:
        """Start the time. Calling it again changes nothing. It may be called from a signal handler."""
        if self._told.acquire(blocking=False):
            for wait in (self._end_work, self._end_process):
                threading.Thread(target=wait, name="stopping", daemon=True).start()

    def _end_work(self) -> None:
        time.sleep(self._grace_s)
        try:
            self._give_up()
        except Exception:  # whatever it is, the process ends on time
            log.exception("unfinished work could not be stopped")

    def _end_process(self) -> None:
        time.sleep(self._grace_s + self._last_s)
        hanging = [thread.name for thread in threading.enumerate() if not thread.daemon]
        log.warning(
            "not stopped within %g s; exiting with these threads still running: %s",
            self._grace_s + self._last_s,
            ", ".join(hanging),
        )
        self._leave(0)
