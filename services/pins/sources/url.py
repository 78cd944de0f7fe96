"""A URL as a source: files are below it, or where its ``{path}`` says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from services.pins.sources.base import ListedFile, NotListed, SourceAccess
from services.pins.sources.transfer import Transfer
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile

_PATTERN = set("*?[")


class UrlSource:
    """Plain HTTP. It cannot list files: only ``names`` says which it has."""

    def __init__(self, url: str, names: Sequence[str], access: SourceAccess) -> None:
        self._url = url
        self._names = names
        self._transfer = Transfer(self.name, access.patience)

    @property
    def name(self) -> str:
        return f"url {self._url}"

    def resolve(self) -> str | None:
        return None

    def listed(self) -> Sequence[ListedFile]:
        if not self._names or any(_PATTERN & set(name) for name in self._names):
            raise NotListed(f"{self.name}: a URL cannot list its files; name each file in the catalog")
        return [ListedFile(name, self._transfer.size_of(self._where(name), name)) for name in self._names]

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        self._transfer.fetch(self._where(file.at_source), file, into, on_bytes)

    def _where(self, path: str) -> str:
        if "{path}" in self._url:
            return self._url.replace("{path}", quote(path))
        return f"{self._url.rstrip('/')}/{quote(path)}"
