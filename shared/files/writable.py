"""Whether a folder can be written, found out by writing. Leaves nothing there, and creates no folder."""

from __future__ import annotations

import tempfile
from pathlib import Path


def nearest(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above it that exists."""
    return next(above for above in (folder, *folder.parents) if above.exists() or above.is_symlink())


def why_not_writable(folder: Path) -> str:
    """Return why the folder, or the nearest one that exists, cannot be written; empty if it can."""
    try:
        with tempfile.TemporaryFile(dir=nearest(folder)) as probe:
            probe.write(b"ringtrue")
    except OSError as error:
        return error.strerror or str(error)
    return ""
