"""A snapshot on disk: a folder of links, and nothing else.

Owns how it is created (nobody sees half of one), what can be wrong with it, and how it is removed. Knows no lock: it
gets the target of each link.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from shared.files.folder_lock import folder_lock

_NO_LINK = ""
"""The target by which `_walked` marks a folder inside a snapshot."""


def make(folder: Path, targets: Mapping[str, str]) -> None:
    """Create ``folder`` with one link for each path to its target. A folder that is already right stays as it is.

    One process at a time does this. What another one left unfinished is removed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder.parent):
        for left in folder.parent.glob(f".{folder.name}.*"):
            shutil.rmtree(left)
        if os.path.lexists(folder):
            if not any(misplaced(folder, targets)):
                return
            remove(folder)
        part = _beside(folder)
        for path, target in targets.items():
            link = part / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
        part.replace(folder)


def remove(folder: Path) -> None:
    """Remove whatever is in the place of a snapshot, in one step."""
    aside = _beside(folder)
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    if aside.is_symlink() or not aside.is_dir():
        aside.unlink()
    else:
        shutil.rmtree(aside)


def misplaced(folder: Path, targets: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong: wrong or missing links, and anything that should not be there."""
    if folder.is_symlink() or not folder.is_dir():
        yield f"{folder} is not a folder"
        return
    folders = {str(parent) for path in targets for parent in PurePosixPath(path).parents} - {"."}
    there = dict(_walked(folder, ""))
    for path in sorted(set(there) - set(targets) - folders):
        yield f"{path if path.isprintable() else repr(path)} is not in the lock"
    for path in sorted(folders & set(there)):
        if there[path] != _NO_LINK:
            yield f"{path} is not a folder"
    for path, target in targets.items():
        if path not in there:
            yield f"{path} is missing from {folder}"
        elif there[path] != target:
            yield f"{path} points to {there[path]!r} instead of {target!r}"


def links_in(folder: Path) -> Iterator[str]:
    """Yield the target of each link of a snapshot; nothing if the snapshot cannot be read."""
    with contextlib.suppress(OSError):
        yield from (target for _, target in _walked(folder, "") if target)


def _walked(folder: Path, below: str) -> Iterator[tuple[str, str | None]]:
    """Yield (path, target of the link): an empty target for a folder, ``None`` for anything else."""
    with os.scandir(folder / below) as entries:
        for entry in entries:
            path = f"{below}{entry.name}"
            if entry.is_symlink():
                yield path, os.readlink(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                yield path, _NO_LINK
                yield from _walked(folder, f"{path}/")
            else:
                yield path, None


def _beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{os.getpid()}.{time.monotonic_ns()}")
