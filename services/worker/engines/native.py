"""A C library for the length of a block: loaded before it and unloaded after it, on every system.

Owns unloading, which ctypes does not do by itself: dlclose(3), or FreeLibrary on Windows. A caller that needs the
library's state to be gone needs it really unloaded, so no code may keep its own handle.
"""

from __future__ import annotations

import _ctypes
import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_UNLOAD = "FreeLibrary" if sys.platform == "win32" else "dlclose"


@contextmanager
def loaded(path: str | Path) -> Iterator[ctypes.CDLL]:
    """Load the library at ``path`` for the length of the block. Raises `OSError` if it cannot be loaded."""
    library = ctypes.CDLL(str(path))
    try:
        yield library
    finally:
        getattr(_ctypes, _UNLOAD)(library._handle)


def c_runtime() -> Any:
    """Return the C library that the other libraries of this process are linked to dynamically."""
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
