"""A lock on a folder for one process at a time. The kernel releases it when the process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.files.flock import flock


@contextmanager
def folder_lock(folder: Path, *, at_once: bool = False) -> Iterator[None]:
    """Hold the lock inside the block. ``at_once``: raise `BlockingIOError` instead of waiting.

    The lock is flock(2) on the folder itself, so no lock file is left in it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(descriptor, at_once=at_once)
        yield
    finally:
        os.close(descriptor)
