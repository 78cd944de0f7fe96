"""SHA-256 of a file. hashlib lets go of the interpreter while it hashes, so threads are enough for several files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

_BUFFER_BYTES = 1 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Windows knows no O_NOFOLLOW; who may make links there is held by the system's own rights."""

OnBytes = Callable[[int], None]
"""Told how many bytes more have been read; from several threads."""


def never_mind(_count: int) -> None:
    """Nobody watches."""


def sha256_of(path: Path, on_bytes: OnBytes = never_mind) -> str:
    """Hash of one file, hexadecimal. A link is not followed. `OSError` where it cannot be read."""
    digest, buffer = hashlib.sha256(), bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb", buffering=0) as opened:
        while count := opened.readinto(buffer):
            digest.update(view[:count])
            on_bytes(count)
    return digest.hexdigest()
