"""A folder that one process at a time has to itself; the kernel lets go of it when a process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.flock import flock


@contextmanager
def folder_held(folder: Path, *, at_once: bool = False) -> Iterator[None]:
    """Hold it (flock on the folder itself, so nothing is left in it); ``at_once``: `BlockingIOError`, not a wait."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(descriptor, at_once=at_once)
        yield
    finally:
        os.close(descriptor)
