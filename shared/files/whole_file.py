"""Writes small files whole or not at all: a reader, and a full disk, see the old or the new content, never half of it.

Owns this one way to write. Knows nothing of the content.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path


def write_whole(path: Path, content: bytes | str, *, mode: int = 0o666, durable: bool = False) -> None:
    """Replace or create ``path``; text is written as UTF-8.

    ``mode``: of the new file, less the umask. ``durable``: the file survives power loss once this returns. Raises
    `OSError`; then ``path`` is unchanged, and no other file is left beside it.
    """
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(descriptor)
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder durable. Does nothing on file systems that cannot."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
