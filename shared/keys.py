"""API keys as they are kept, and where: their words and their port. Who may do what with one is the gateway's."""

from __future__ import annotations

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
    """API keys. One that was revoked stays known, so that its refusal can be told from that of a wrong one."""

    def add(self, key: Key) -> None:
        """Keep a new key."""

    def find(self, key_id: str) -> Key | None:
        """A key by id, revoked and expired ones included."""

    def list(self) -> list[Key]:
        """Every key, oldest first."""

    def revoke(self, key_id: str, now: float) -> bool:
        """No longer valid from now on. False: no such key; revoking again changes nothing."""

    def any(self) -> bool:
        """Whether a key was ever made."""
