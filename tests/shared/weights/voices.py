"""What tests of weights share: a tiny model, its lock, and a store that has it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from shared.weights.lock import PinLock, Source
from shared.weights.store import WeightStore
from tests.model_stores import locked, pull

COMMIT = "1a2b3c4d5e" * 4
HUB = Source(hub="huggingface", repo="team/voice", revision=COMMIT)
VOICE: Mapping[str, bytes] = {
    "config.json": b'{"sample_rate": 16000}',
    "model.bin": random.Random("model").randbytes(50_000),
    "same-size.bin": random.Random("other").randbytes(50_000),
    "vocoder/generator.bin": random.Random("generator").randbytes(20_000),
    "vocoder/config.json": b'{"channels": 512}',
}


def lock_of(files: Mapping[str, bytes] = VOICE, name: str = "voice-v1", **members: Any) -> PinLock:
    return locked(name, files, HUB, **members)


def pulled(store: WeightStore, files: Mapping[str, bytes] = VOICE, name: str = "voice-v1") -> PinLock:
    """The store has it, linked and recorded as a pull leaves it."""
    lock = lock_of(files, name)
    pull(store, lock, files)
    return lock
