"""SHA-256 of a file. hashlib releases the interpreter lock, so several files can be hashed in threads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

_BUFFER_BYTES = 1 << 20
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Windows has no O_NOFOLLOW; there the system's own rights decide who may create links."""

OnBytes = Callable[[int], None]
"""Called with the number of further bytes read, from several threads."""


def never_mind(_count: int) -> None:
    """Ignore the progress."""


def sha256_of(path: Path, on_bytes: OnBytes = never_mind) -> str:
    """Return the hash of one file in hexadecimal.

    Does not follow a link. Raises `OSError` if the file cannot be read.
    """
    digest, buffer = hashlib.sha256(), bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    descriptor = os.open(path, _FLAGS)
    with open(descriptor, "rb", buffering=0) as opened:
        while count := opened.readinto(buffer):
            digest.update(view[:count])
            on_bytes(count)
    return digest.hexdigest()
