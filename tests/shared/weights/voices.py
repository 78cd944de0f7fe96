"""What tests of weights share: a tiny model, its lock, and a store that has it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from typing import Any

from shared.weights.lock import Component, LockedFile, PinLock, Source
from shared.weights.store import WeightStore

COMMIT = "1a2b3c4d5e" * 4
HUB = Source(hub="huggingface", repo="team/voice", revision=COMMIT)
VOICE: Mapping[str, bytes] = {
    "config.json": b'{"sample_rate": 16000}',
    "model.bin": random.Random("model").randbytes(50_000),
    "same-size.bin": random.Random("other").randbytes(50_000),
    "vocoder/generator.bin": random.Random("generator").randbytes(20_000),
    "vocoder/config.json": b'{"channels": 512}',
}


def locked(path: str, content: bytes) -> LockedFile:
    return LockedFile(path, len(content), hashlib.sha256(content).hexdigest())


def lock_of(files: Mapping[str, bytes] = VOICE, name: str = "voice-v1", **members: Any) -> PinLock:
    described = tuple(locked(path, content) for path, content in files.items())
    return PinLock(name, "wobble", (Component("model", (HUB,), described),), **members)


def bring(store: WeightStore, path: str, content: bytes) -> LockedFile:
    """One file into the store."""
    file = locked(path, content)
    brought = store.partial(file.sha256)
    brought.parent.mkdir(parents=True, exist_ok=True)
    brought.write_bytes(content)
    store.adopt(brought, file, whence="a test")
    return file


def pulled(store: WeightStore, files: Mapping[str, bytes] = VOICE, name: str = "voice-v1") -> PinLock:
    """The store has it, linked and recorded as a pull leaves it."""
    for path, content in files.items():
        bring(store, path, content)
    lock = lock_of(files, name)
    store.link(lock)
    return lock
