"""Applies the catalog's patterns: which files of a source a component wants, and where they go in the snapshot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from services.pins.sources.base import ListedFile
from shared.weights.catalog_file import Wanted
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import JOINT, LockedFile


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
    """Return the files of ``listed`` that ``wanted`` takes, by path at the source.

    Raises `CatalogInvalid` if a pattern matches nothing or a join fewer than two parts, because it is then misspelt,
    and if a joined file has the place of another.
    """
    parts = {name: _parts(pattern, listed) for name, pattern in wanted.join.items()}
    taken = [file for file in listed if is_wanted(wanted, file.path)]
    paths = {file.path for file in taken}
    idle = [pattern for pattern in wanted.files if not any(fnmatchcase(path, pattern) for path in paths | parts.keys())]
    if idle := [*idle, *(path for path in wanted.rename if path not in paths)]:
        raise CatalogInvalid(f"component {wanted.role}: {source_name} has no {', '.join(idle)}")
    if short := [f"{name} ({wanted.join[name]})" for name, files in parts.items() if len(files) < 2]:
        raise CatalogInvalid(f"component {wanted.role}: {source_name} has fewer than two parts of {', '.join(short)}")
    chosen = [Chosen(file, place_of(wanted, file.path)) for file in taken]
    joined = [Chosen(_joined(files), _placed(wanted, name)) for name, files in parts.items()]
    if twice := sorted({one.path for one in chosen} & {one.path for one in joined}):
        raise CatalogInvalid(f"component {wanted.role}: {', '.join(twice)} is joined, and {source_name} has it too")
    return sorted([*chosen, *joined], key=lambda one: one.listed.path)


def is_wanted(wanted: Wanted, path: str) -> bool:
    """Return whether a file at the source belongs to the component. Parts belong to it only together."""
    if _joined_name(wanted, path) is not None:
        return True
    is_part = any(fnmatchcase(path, pattern) for pattern in wanted.join.values())
    return not is_part and any(fnmatchcase(path, pattern) for pattern in wanted.files)


def place_of(wanted: Wanted, path: str) -> str:
    """Return where a file at the source goes in the snapshot."""
    return _placed(wanted, _joined_name(wanted, path) or wanted.rename.get(path, path))


def _placed(wanted: Wanted, name: str) -> str:
    return f"{wanted.folder.strip('/')}/{name}" if wanted.folder.strip("/") else name


def _parts(pattern: str, listed: Sequence[ListedFile]) -> list[ListedFile]:
    return sorted((file for file in listed if fnmatchcase(file.path, pattern)), key=lambda file: _order(file.path))


def _joined(parts: Sequence[ListedFile]) -> ListedFile:
    return ListedFile(JOINT.join(part.path for part in parts), sum(part.size for part in parts))


def _order(path: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in a path as numbers: part10 comes after part9."""
    return [(int(step), "") if step.isdecimal() else (-1, step) for step in re.split(r"([0-9]+)", path)]


def _joined_name(wanted: Wanted, path: str) -> str | None:
    """Return which join the parts ``path`` make, or `None` if they make none."""
    parts = path.split(JOINT)
    for name, pattern in wanted.join.items():
        if len(parts) > 1 and all(fnmatchcase(part, pattern) for part in parts):
            return name
    return None
