"""API keys as a dictionary."""

from __future__ import annotations

import builtins
import threading
from collections.abc import Mapping
from dataclasses import replace

from shared.keys import Key


class MemoryKeyStore:
    """Implements ``shared.keys.KeyStore``, with nothing beside it that could be handed over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}

    def add(self, key: Key) -> None:
        with self._lock:
            self._keys[key.id] = key

    def add_first(self, key: Key, made_by: str) -> Mapping[str, int] | None:
        with self._lock:
            if self._keys:
                return None
            self._keys[key.id] = key
            return {}

    def hand_over(self, made_by: str, heir: str) -> Mapping[str, int]:
        return {}

    def find(self, key_id: str) -> Key | None:
        with self._lock:
            return self._keys.get(key_id)

    def list(self) -> builtins.list[Key]:
        with self._lock:
            return sorted(self._keys.values(), key=lambda key: (key.created_at, key.id))

    def revoke(self, key_id: str, now: float) -> bool:
        with self._lock:
            key = self._keys.get(key_id)
            if key is not None and key.revoked_at is None:
                self._keys[key_id] = replace(key, revoked_at=now)
            return key is not None

    def any(self) -> bool:
        with self._lock:
            return bool(self._keys)
