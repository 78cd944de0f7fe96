"""A folder in the store for the work of one process, on its file system."""

from __future__ import annotations

from shared.own_folder import OwnFolder
from shared.weights.store import WeightStore


def workroom(store: WeightStore) -> OwnFolder:
    """A new one."""
    parent = store.partial("")
    parent.mkdir(parents=True, exist_ok=True)
    return OwnFolder(parent, "locking-")
