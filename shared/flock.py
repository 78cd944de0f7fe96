"""A lock on an open file that the kernel lets go of with the process that holds it, however that ends.

Owns flock(2), and that there are systems without it. Knows no folder and no reason to hold one.
"""

from __future__ import annotations

import errno
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def flock(opened: IO[str] | int, *, shared: bool = False, at_once: bool = False) -> None:
    """Hold it until it is closed. ``at_once``: `BlockingIOError`, not a wait.

    Raises `OSError` (ENOTSUP) where the system has no such locks.
    """
    if fcntl is None:
        raise OSError(errno.ENOTSUP, "this system has no flock(2)")
    fcntl.flock(opened, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (fcntl.LOCK_NB if at_once else 0))
