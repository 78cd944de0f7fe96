"""A folder in the store, on its file system, for the work of one process."""

from __future__ import annotations

from shared.files.locked_tempdir import LockedTempdir
from shared.weights.store import WeightStore


def workroom(store: WeightStore) -> LockedTempdir:
    """Return a new folder."""
    parent = store.partial("")
    parent.mkdir(parents=True, exist_ok=True)
    return LockedTempdir(parent, "locking-")
