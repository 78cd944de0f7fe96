"""API keys as stored, and the port to their store.

Owns both. What a key permits is decided by the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as stored: the SHA-256 (hex) of its secret, never the secret. Times are epoch seconds."""

    id: str
    user: str
    secret_sha256: str
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None


class KeyStore(Protocol):
    """API keys. A revoked key stays known, so that its refusal can be told from that of a wrong key."""

    def add(self, key: Key) -> None:
        """Store a new key."""

    def add_first(self, key: Key, made_by: str) -> Mapping[str, int] | None:
        """Store a key if there is none yet; return None, and store nothing, if there is one.

        In the same transaction, everything of the user ``made_by`` becomes the key's user's. Return how much that was,
        by kind (``jobs``, ``evaluations``, ``voices`` …).
        """

    def hand_over(self, made_by: str, heir: str) -> Mapping[str, int]:
        """Make everything of the user ``made_by`` the user ``heir``'s; return how much that was, by kind."""

    def find(self, key_id: str) -> Key | None:
        """Return a key by id, also if it is revoked or expired; ``None`` if there is none."""

    def list(self) -> list[Key]:
        """Return every key, oldest first."""

    def revoke(self, key_id: str, now: float) -> bool:
        """Make a key invalid from ``now`` on. Return False if there is no such key. Revoking again changes nothing."""

    def any(self) -> bool:
        """Return whether a key was ever made."""
