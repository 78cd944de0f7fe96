"""A lock on an open file. The kernel releases it when the process that holds it ends, however it ends.

Owns flock(2), and that some systems lack it. Knows no folder and no reason to hold a lock.
"""

from __future__ import annotations

import errno
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def flock(opened: IO[str] | int, *, shared: bool = False, at_once: bool = False) -> None:
    """Lock an open file until it is closed. ``at_once``: raise `BlockingIOError` instead of waiting.

    Raises `OSError` (ENOTSUP) if the system has no such locks.
    """
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this system has no flock(2)")
    fcntl.flock(opened, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (fcntl.LOCK_NB if at_once else 0))
