"""Tiny pinned models for tests: files in a store, a lock, and the folder they came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.weights.lock import Component, LockedFile, PinLock, Source, read_locks, write_locks
from shared.weights.store import WeightStore

NOWHERE = Source(folder="/nowhere")


def tuning(speed: float = 1.2, pitch_scale: float = 1.1, **burden: float) -> Mapping[str, bytes]:
    """The weights of a pin of the engine wobble, and some that only take room. ``burden``: what it does to memory, see
    `ringtrue_wobble.burden.Burden`."""
    return {
        "tuning.json": json.dumps({"speed": speed, "pitch_scale": pitch_scale, **burden}).encode(),
        "layers/first.bin": bytes(range(256)) * 64,
        "layers/second.bin": b"\1" * 4096,
    }


def described(path: str, content: bytes) -> LockedFile:
    """A file as a lock has it."""
    return LockedFile(path, len(content), hashlib.sha256(content).hexdigest())


def locked(name: str, files: Mapping[str, bytes], *sources: Source, engine: str = "wobble", **members: Any) -> PinLock:
    """The lock of a pin that has these files, from ``sources``."""
    files_of_it = tuple(described(path, content) for path, content in files.items())
    return PinLock(name, engine, (Component("model", sources, files_of_it),), **members)


def bring(store: WeightStore, path: str, content: bytes) -> LockedFile:
    """One file into the store."""
    file = described(path, content)
    brought = store.partial(file.sha256)
    brought.parent.mkdir(parents=True, exist_ok=True)
    brought.write_bytes(content)
    store.adopt(brought, file, source_name="a test")
    return file


def pull(store: WeightStore, lock: PinLock, files: Mapping[str, bytes]) -> Path:
    """What a pull leaves: the files in the store, linked."""
    for path, content in files.items():
        bring(store, path, content)
    return store.link(lock)


@dataclass(frozen=True)
class ModelStores:
    """A folder of models with its lock file."""

    root: Path

    @property
    def store(self) -> WeightStore:
        return WeightStore(self.root / "models")

    @property
    def lock_file(self) -> Path:
        return self.root / "catalog.lock"

    def put(self, name: str, files: Mapping[str, bytes], engine: str = "wobble") -> PinLock:
        """Pull and lock a pin, beside those that are there."""
        lock = locked(name, files, NOWHERE, engine=engine)
        pull(self.store, lock, files)
        self.write({**self.locks, name: lock})
        return lock

    @property
    def locks(self) -> dict[str, PinLock]:
        return read_locks(self.lock_file)

    def write(self, locks: Mapping[str, PinLock]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        write_locks(self.lock_file, locks)
