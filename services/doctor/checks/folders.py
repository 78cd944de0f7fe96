"""Can the folders be written to, and is there room in them? Nothing is left there, and no folder is made."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.doctor.checks.sizes import size
from services.doctor.findings import Finding, fail, ok, warn

LEAST_FREE = 256 << 20
"""Below this `ringtrue up` does not start."""
_SCARCE = 2 << 30
"""Some ten hours of speech."""

FreeBytes = Callable[[Path], int]


@dataclass(frozen=True, slots=True)
class Space:
    """What a folder still has to take. ``at_least``: bytes without which something does not run."""

    name: str
    folder: Path
    at_least: int
    what_for: str


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write on the file system of the folder, which must be there."""
    return shutil.disk_usage(folder).free


def nearest(folder: Path) -> Path:
    """The folder itself, or the next one above it that is there."""
    return next(above for above in (folder, *folder.parents) if above.exists() or above.is_symlink())


def writable(folder: Path, do: str) -> Iterator[Finding]:
    """Something that Ringtrue cannot do without."""
    why_not = _why_not_writable(folder)
    yield fail(f"{folder} cannot be written: {why_not}", do) if why_not else ok(str(folder))


def caches(folders: Mapping[str, Path]) -> Iterator[Finding]:
    """Folders of libraries, which get slower or fall back on a temporary one where they cannot write. By variable."""
    usable = True
    for variable, folder in folders.items():
        if why_not := _why_not_writable(folder):
            usable = False
            yield warn(f"{folder} cannot be written: {why_not}", f"set {variable} to a folder that can be written")
    if usable:
        yield ok(", ".join(str(folder) for folder in folders.values()))


def room(spaces: list[Space], free: FreeBytes = free_bytes) -> Iterator[Finding]:
    """Free space for what is certain to come, and a little more."""
    for space in spaces:
        there = nearest(space.folder)
        left = free(there)
        said = f"{size(left)} free for {space.name} in {space.folder}"
        if left < space.at_least:
            yield fail(f"{said}, {size(space.at_least)} are needed for {space.what_for}", "make room or move it")
        elif left < space.at_least + _SCARCE:
            yield warn(f"{said}: little more than {space.what_for}", "make room or move it")
        else:
            yield ok(said)


def _why_not_writable(folder: Path) -> str:
    """Empty where it can be written."""
    try:
        with tempfile.TemporaryFile(dir=nearest(folder)) as probe:
            probe.write(b"ringtrue")
    except OSError as error:
        return error.strerror or str(error)
    return ""
