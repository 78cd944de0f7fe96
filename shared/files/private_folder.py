"""Keeps other users of the machine from reading our files: texts, voices, keys.

Owns the rule. What our process creates is for its user alone, and a folder that an earlier version left open to
everybody is closed. A folder that is shared on purpose stays as it is. Knows no folder by name.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_PRIVATE = 0o077
"""The umask that makes files readable by their owner alone."""


def keep_private(data: Path, elsewhere: Iterable[Path] = ()) -> None:
    """Make this process write for its user alone, and close ``data`` to everybody else. Creates no folder.

    ``elsewhere``: further folders that it writes in. If any of these folders is shared on purpose, the process keeps
    the umask that it was started with, because what it writes there is for others too.
    """
    if not any(is_shared(folder) for folder in (data, *elsewhere)):
        os.umask(_PRIVATE)
    _close(data)
    for file in data.glob("ringtrue.db*") if data.is_dir() else ():
        _close(file)


def is_shared(path: Path) -> bool:
    """Return whether others were given access on purpose: another user owns it, or a group that is not just our own."""
    try:
        found = path.stat()
    except OSError:
        return False  # missing or not visible: nobody shares it with us
    others_group = bool(found.st_mode & stat.S_IWGRP) and found.st_gid != os.getegid()
    return found.st_uid != os.geteuid() or bool(found.st_mode & (stat.S_ISGID | stat.S_ISVTX)) or others_group


def is_open(path: Path) -> bool:
    """Return whether other users have any permission on it."""
    try:
        return bool(path.stat().st_mode & _PRIVATE)
    except OSError:
        return False


def _close(path: Path) -> None:
    if is_shared(path) or not is_open(path) or _is_home(path):
        return
    with contextlib.suppress(OSError):  # a file system without modes
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_PRIVATE)


def _is_home(folder: Path) -> bool:
    """Return whether it is our home or a folder above it, which is not for us alone."""
    home = Path.home()
    return folder.resolve() in (home, *home.parents)
