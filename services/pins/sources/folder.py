"""A folder as a source: files laid out as at the source, as in a snapshot, or as in another Ringtrue's store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.pins.sources.base import Gone, ListedFile, SourceFailed
from services.pins.sources.partial import bytes_to_keep
from shared.weights.hashing import OnBytes
from shared.weights.lock import LockedFile
from shared.weights.store import WeightStore

_CHUNK_BYTES = 16 << 20
_NOT_OURS = {".cache", ".git"}
"""Folders that hub clients leave where they download to."""


class FolderSource:
    """Copies files from a folder. Two files share their blocks if the file system supports it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser()

    @property
    def name(self) -> str:
        return f"folder {self._folder}"

    def resolve(self) -> str | None:
        return None

    def listed(self) -> Sequence[ListedFile]:
        if not self._folder.is_dir():
            raise SourceFailed(f"{self.name}: the folder does not exist")
        return sorted(self._walked(), key=lambda file: file.path)

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        path = self._found(file)
        try:
            with path.open("rb") as opened:
                size = os.fstat(opened.fileno()).st_size
                if size > file.size:
                    raise SourceFailed(f"{self.name}: {file.at_source} has {size} bytes, but the lock says {file.size}")
                _copy(opened.fileno(), size, into, bytes_to_keep(into, size, on_bytes), on_bytes)
        except PermissionError as error:
            raise SourceFailed(f"{self.name}: {file.at_source} cannot be read: {error}") from error

    def _walked(self) -> Iterator[ListedFile]:
        for folder, folders, names in os.walk(self._folder):
            folders[:] = [name for name in folders if name not in _NOT_OURS]
            for path in (Path(folder, name) for name in names):
                if path.is_file():
                    yield ListedFile(path.relative_to(self._folder).as_posix(), path.stat().st_size)

    def _found(self, file: LockedFile) -> Path:
        """Return the first place that has the file in the right size, else the first that has it. Raises `Gone` if none
        has it."""
        places = [self._folder / file.at_source, self._folder / file.path]
        if file.sha256:
            places.append(WeightStore(self._folder).blob(file.sha256))
        there = [place for place in places if place.is_file()]
        if not there:
            raise Gone(f"{self.name}: {file.at_source} is missing")
        return next((place for place in there if place.stat().st_size == file.size), there[0])


def _copy(source: int, size: int, into: Path, position: int, on_bytes: OnBytes) -> None:
    with into.open("r+b" if position else "wb", buffering=0) as target:
        while position < size:
            count = _copy_some(source, target.fileno(), position)
            if not count:
                return  # the source became shorter meanwhile
            position += count
            on_bytes(count)


def _copy_some(source: int, target: int, position: int) -> int:
    try:
        return os.copy_file_range(source, target, _CHUNK_BYTES, position, position)
    except OSError:  # not supported between these file systems, or by this kernel
        return os.pwrite(target, os.pread(source, _CHUNK_BYTES, position), position)
