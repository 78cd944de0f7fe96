"""Checks, before the first byte, that the disk has room for the files to come."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.filesize import decimal

from services.pins.pulling.partials import arrived
from shared.errors import RingtrueError
from shared.weights.lock import LockedFile
from shared.weights.store import WeightStore

MARGIN_BYTES = 256 << 20
"""Left free for everything else on the disk."""

FreeBytes = Callable[[Path], int]
"""Returns how many bytes can be written below a folder."""


class NotEnoughSpace(RingtrueError):
    """The files to come do not fit. Nothing was fetched."""


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk that ``folder`` is on, or will be."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(there).free


def check_space(store: WeightStore, missing: Iterable[LockedFile], free: FreeBytes = free_bytes) -> None:
    """Raise `NotEnoughSpace` unless all of ``missing`` fits. What has already arrived of them is not counted again."""
    needed = sum(file.size - arrived(store, file) for file in missing)
    there = free(store.root)
    if needed and there < needed + MARGIN_BYTES:
        raise NotEnoughSpace(
            f"{decimal(needed)} must be fetched and {decimal(MARGIN_BYTES)} must stay free, but {store.root} has"
            f" room for {decimal(there)}: remove a pin that is not needed, or set RINGTRUE_MODELS to a larger disk"
        )
