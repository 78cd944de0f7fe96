"""Another Ringtrue's gateway as a source: it serves the files of its store by hash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.pins.sources.base import ListedFile, NotListed, SourceAccess
from services.pins.sources.transfer import Transfer
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile


class NodeSource:
    """Fetches with ``GET /v1/models/files/{sha256}`` and this machine's key."""

    def __init__(self, gateway: str, access: SourceAccess) -> None:
        self._gateway = gateway.rstrip("/")
        headers = {"Authorization": f"Bearer {access.ringtrue_key}"} if access.ringtrue_key else {}
        self._transfer = Transfer(self.name, access.patience, headers)

    @property
    def name(self) -> str:
        return f"node {self._gateway}"

    def resolve(self) -> str | None:
        return None

    def listed(self) -> Sequence[ListedFile]:
        raise NotListed(f"{self.name}: a node serves files by hash and cannot list them")

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        self._transfer.fetch(f"{self._gateway}/v1/models/files/{file.sha256}", file, into, on_bytes)
