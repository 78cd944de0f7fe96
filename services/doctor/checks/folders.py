"""Checks whether folders can be written and have room. Leaves nothing there, and creates no folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.doctor.findings import Finding, fail, ok, warn
from services.doctor.sizes import size
from shared.files.private_folder import is_open, is_shared
from shared.files.writable import nearest, why_not_writable
from shared.ports import Blobs

LEAST_FREE = 256 << 20
"""With less free space `ringtrue up` does not start."""
_SCARCE = 2 << 30
"""Some ten hours of speech."""

FreeBytes = Callable[[Path], int]


@dataclass(frozen=True, slots=True)
class Space:
    """What a folder still has to hold. ``at_least``: bytes without which something does not run."""

    name: str
    folder: Path
    at_least: int
    what_for: str


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user may still write on the file system of the folder, which must exist."""
    return shutil.disk_usage(folder).free


def writable(folder: Path, do: str) -> Iterator[Finding]:
    """Check a folder that Ringtrue must be able to write."""
    yield _written(folder, why_not_writable(folder), do)


def audio(blobs: Blobs, where: object, do: str) -> Iterator[Finding]:
    """Check the store of the audio, which the setting ``where`` names."""
    yield _written(where, blobs.why_not_writable(), do)


def private(folder: Path) -> Iterator[Finding]:
    """Check the data folder, which is private: texts, voices, hashes of keys."""
    if (why_not := why_not_writable(folder)) or not is_open(folder) or is_shared(folder):
        yield _written(folder, why_not, "choose another with RINGTRUE_DATA")
    else:
        yield warn(
            f"{folder} can be read by other users of this machine",
            f"chmod 700 {folder}; starting Ringtrue does this too",
        )


def caches(folders: Mapping[str, Path]) -> Iterator[Finding]:
    """Check the folders of libraries, by their variables.

    A library that cannot write there gets slower or uses a temporary folder.
    """
    usable = True
    for variable, folder in folders.items():
        if why_not := why_not_writable(folder):
            usable = False
            yield warn(f"{folder} cannot be written: {why_not}", f"set {variable} to a folder that can be written")
    if usable:
        yield ok(", ".join(str(folder) for folder in folders.values()))


def room(spaces: list[Space], free: FreeBytes = free_bytes) -> Iterator[Finding]:
    """Check the free space: enough for what is certain to come, and a little more."""
    for space in spaces:
        there = nearest(space.folder)
        left = free(there)
        said = f"{size(left)} free for {space.name} in {space.folder}"
        if left < space.at_least:
            yield fail(
                f"{said}; {size(space.at_least)} are required for {space.what_for}",
                "free some space, or move the folder",
            )
        elif left < space.at_least + _SCARCE:
            yield warn(
                f"{said}: hardly more than is required for {space.what_for}", "free some space, or move the folder"
            )
        else:
            yield ok(said)


def _written(where: object, why_not: str, do: str) -> Finding:
    return fail(f"{where} cannot be written: {why_not}", do) if why_not else ok(str(where))
