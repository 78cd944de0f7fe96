"""A snapshot on the disk: a folder of links, and nothing else.

Owns how it is made (nobody sees half of one), what is wrong with one, and how it goes. Knows no lock: it is handed what
each link has to say.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from shared.folder_held import folder_held

_NO_LINK = ""
"""Where a folder of a snapshot leads."""


def make(folder: Path, targets: Mapping[str, str]) -> None:
    """Make ``folder`` so that each path is a link that says its target; one that is right already stays as it is.

    One process at a time: what another one left half done is cleared away.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder_held(folder.parent):
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
    """Take away what stands in the place of a snapshot, whatever that is, all at once."""
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
    """What is wrong: links that are none or lead elsewhere, what is missing, what should not be there."""
    if folder.is_symlink() or not folder.is_dir():
        yield f"{folder} is no folder"
        return
    folders = {str(parent) for path in targets for parent in PurePosixPath(path).parents} - {"."}
    there = dict(_walked(folder, ""))
    for path in sorted(set(there) - set(targets) - folders):
        yield f"{path if path.isprintable() else repr(path)} is not in the lock"
    for path in sorted(folders & set(there)):
        if there[path] != _NO_LINK:
            yield f"{path} is no folder"
    for path, target in targets.items():
        if path not in there:
            yield f"{path} is missing from {folder}"
        elif there[path] != target:
            yield f"{path} leads to {there[path]!r} instead of {target!r}"


def links_in(folder: Path) -> Iterator[str]:
    """What each link of a snapshot says; of one that is none, nothing."""
    with contextlib.suppress(OSError):
        yield from (target for _, target in _walked(folder, "") if target)


def _walked(folder: Path, below: str) -> Iterator[tuple[str, str | None]]:
    """Path -> where a link leads, empty for a folder, ``None`` for anything else."""
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
