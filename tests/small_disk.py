"""A disk of its own that is soon full: a tmpfs, where this user may mount one."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoSmallDisk(Exception):
    """This user may not mount anything."""


@contextmanager
def mounted(folder: Path, kib: int) -> Iterator[Path]:
    """``folder`` is an empty disk of ``kib`` KiB within the block."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise NoSmallDisk(str(error)) from error
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True, timeout=30)


def fill(folder: Path) -> Path:
    """Write there until nothing goes any more; the file to remove to make room again."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for chunk in (b"x" * (1 << 20), b"x" * 4096):
            with contextlib.suppress(OSError):
                while file.write(chunk):
                    pass
    return filler
