"""Which errors come from this machine: the work is not to blame, and may succeed elsewhere or later."""

from __future__ import annotations

import errno

from shared.errors import StorageUnavailable

OF_THE_MACHINE = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.EROFS,
        errno.ESTALE,
        errno.ENODEV,
        errno.ENXIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EAGAIN,
    }
)
"""No space, a quota, a broken, read-only or vanished disk; no more files, memory or processes."""


def of_the_machine(error: BaseException) -> bool:
    """Return whether trying the same elsewhere or later makes sense."""
    if isinstance(error, StorageUnavailable):
        return True
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in OF_THE_MACHINE)
