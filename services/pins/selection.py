"""Which files of a source a component wants, and where they go in the snapshot: the catalog's patterns, applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from services.pins.sources.base import Listed
from shared.weights.catalog_file import Wanted
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import LockedFile


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file at the source, and its path in the snapshot."""

    listed: Listed
    path: str

    def locked(self, sha256: str) -> LockedFile:
        """As it stands in the lock."""
        at_source = self.listed.path
        return LockedFile(self.path, self.listed.size, sha256, at_source if at_source != self.path else None)


def choose(wanted: Wanted, listed: Sequence[Listed], whence: str) -> list[Chosen]:
    """What ``wanted`` takes of ``listed``, by path. `CatalogInvalid` where a pattern takes nothing: it is misspelt."""
    taken = [file for file in listed if is_wanted(wanted, file.path)]
    paths = {file.path for file in taken}
    idle = [pattern for pattern in wanted.files if not any(fnmatchcase(path, pattern) for path in paths)]
    if idle := [*idle, *(path for path in wanted.rename if path not in paths)]:
        raise CatalogInvalid(f"component {wanted.role}: {whence} has no {', '.join(idle)}")
    return [Chosen(file, place_of(wanted, file.path)) for file in sorted(taken, key=lambda file: file.path)]


def is_wanted(wanted: Wanted, path: str) -> bool:
    """Whether a file at the source belongs to the component."""
    return any(fnmatchcase(path, pattern) for pattern in wanted.files)


def place_of(wanted: Wanted, path: str) -> str:
    """Where a file at the source goes in the snapshot."""
    name = wanted.rename.get(path, path)
    return f"{wanted.folder.strip('/')}/{name}" if wanted.folder.strip("/") else name
