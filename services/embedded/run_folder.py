"""The folder of a running stack's Unix sockets and temporary files, which no other user can enter.

Owns where it is: in the data folder, or in the system's folder for temporary files if the data folder's path is too
long for a socket's address or its file system has no sockets. The folder is removed with the stack; after a stack that
was killed, the next cleanup removes it. Knows no part of the stack.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.embedded.errors import FolderUnwritable
from shared.files.locked_tempdir import LockedTempdir, remove_abandoned
from shared.files.private_folder import is_shared

_PREFIX = "ringtrue-run-"
_ADDRESS_BYTES = 107
"""sockaddr_un holds 108 bytes, the last of which is a zero."""
_BELOW_BYTES = 60
"""Room for the folder's own name, and for sockets that libraries make in its folder of temporary files."""


@contextlib.contextmanager
def run_folder(data: Path) -> Iterator[Path]:
    """Make an empty folder for this user only, until the end of the block. Raises `FolderUnwritable` if it cannot."""
    with contextlib.ExitStack() as held:
        folder = _entered(held, data)
        (folder / "tmp").mkdir(mode=0o700)
        yield folder


def remove_run_folders(data: Path) -> None:
    """Remove the folders of stacks that were killed."""
    for room in _rooms(data):
        remove_abandoned(room, _PREFIX)


def _entered(held: contextlib.ExitStack, data: Path) -> Path:
    reason = "its path is too long for sockets"
    for room in _rooms(data):
        if len(os.fsencode(room)) + _BELOW_BYTES > _ADDRESS_BYTES:
            continue
        try:
            room.mkdir(mode=0o700, exist_ok=True)
            folder = held.enter_context(LockedTempdir(room, _PREFIX))
            _try_socket(folder / "try.sock")
            return folder
        except OSError as error:
            held.close()
            reason = f"{room}: {error.strerror or error}"
    raise FolderUnwritable(f"cannot create a folder for sockets ({reason}); set TMPDIR to a folder with a short path")


def _rooms(data: Path) -> Iterator[Path]:
    if not is_shared(data) and not is_shared(
        data / "run"
    ):  # a user who may write there could replace the stack's folder
        yield data / "run"
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108  a folder with a name of its own is made in it, for this user alone


def _try_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.bind(str(path))
    path.unlink()
