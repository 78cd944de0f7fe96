"""A C library for the length of a block: loaded anew before it and gone after it, on every system.

Owns how a library is unloaded, which ctypes does not do by itself: dlclose(3), or FreeLibrary on Windows. Whoever needs
a library that forgets needs it to be really gone; so nobody may keep a handle of their own.
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
    """The library at ``path``. Raises `OSError` where it cannot be loaded."""
    library = ctypes.CDLL(str(path))
    try:
        yield library
    finally:
        getattr(_ctypes, _UNLOAD)(library._handle)


def c_runtime() -> Any:
    """The C library that others of this process stand on: the one they link to dynamically."""
    return ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
