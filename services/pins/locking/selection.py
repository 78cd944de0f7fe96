"""Applies the catalog's patterns: which files of a source a component wants, and where they go in the snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from services.pins.sources.base import ListedFile
from shared.weights.catalog_file import Wanted
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import LockedFile


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file at the source, and its path in the snapshot."""

    listed: ListedFile
    path: str

    def locked(self, sha256: str) -> LockedFile:
        """Return the file as it is written in the lock."""
        at_source = self.listed.path
        return LockedFile(self.path, self.listed.size, sha256, at_source if at_source != self.path else None)


def choose(wanted: Wanted, listed: Sequence[ListedFile], source_name: str) -> list[Chosen]:
    """Return the files of ``listed`` that ``wanted`` takes, by path. Raises `CatalogInvalid` if a pattern matches
    nothing, because it is then misspelt."""
    taken = [file for file in listed if is_wanted(wanted, file.path)]
    paths = {file.path for file in taken}
    idle = [pattern for pattern in wanted.files if not any(fnmatchcase(path, pattern) for path in paths)]
    if idle := [*idle, *(path for path in wanted.rename if path not in paths)]:
        raise CatalogInvalid(f"component {wanted.role}: {source_name} has no {', '.join(idle)}")
    return [Chosen(file, place_of(wanted, file.path)) for file in sorted(taken, key=lambda file: file.path)]


def is_wanted(wanted: Wanted, path: str) -> bool:
    """Return whether a file at the source belongs to the component."""
    return any(fnmatchcase(path, pattern) for pattern in wanted.files)


def place_of(wanted: Wanted, path: str) -> str:
    """Return where a file at the source goes in the snapshot."""
    name = wanted.rename.get(path, path)
    return f"{wanted.folder.strip('/')}/{name}" if wanted.folder.strip("/") else name
