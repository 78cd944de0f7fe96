"""The file that pins are carried in: an uncompressed tar (weights do not compress), with its manifest first.

Owns the format, and which foreign files are refused: everything must match the manifest to the byte.

    manifest.json               {"schema": 1, "locks": {PIN: lock}, "catalog": "...", "statements": {PIN: statement}}
    blobs/sha256/4f/4f1c...     every file of every lock, once

``catalog`` is a catalog.toml with the entries of these pins. A statement is an in-toto statement of what the pin's
snapshot has, in the form that OpenSSF Model Signing signs. Nothing here reads it.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from shared.errors import RingtrueError
from shared.weights.catalog_file import Entry, parse_catalog
from shared.weights.catalog_text import catalog_text
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import LockedFile, PinLock

SCHEMA = 1
MANIFEST = "manifest.json"
_MOST_MANIFEST_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20


class ArchiveRefused(RingtrueError):
    """The file is not one of our archives, or its content differs from its manifest. Nothing of it was imported."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive says that it holds."""

    locks: Mapping[str, PinLock]
    entries: Mapping[str, Entry]

    @property
    def files(self) -> Mapping[str, LockedFile]:
        """SHA-256 -> file, each once."""
        return {file.sha256: file for lock in self.locks.values() for file in lock.files}

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "locks": {name: lock.to_json() for name, lock in self.locks.items()},
            "catalog": catalog_text(self.entries.values()),
            "statements": {name: statement(lock) for name, lock in self.locks.items()},
        }


def statement(lock: PinLock) -> dict[str, Any]:
    """Return what a signature of the pin would cover: every file of its snapshot by name and hash, and one hash of
    all."""
    files = sorted(lock.files, key=lambda file: file.path)
    of_all = hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in files)).hexdigest()
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": lock.name, "digest": {"sha256": of_all}}],
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [],
            },
            "resources": [{"name": file.path, "digest": file.sha256, "algorithm": "sha256"} for file in files],
        },
    }


def member_of(file: LockedFile) -> str:
    """Return the name of a file in the archive."""
    return f"blobs/sha256/{file.sha256[:2]}/{file.sha256}"


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int = -1, /) -> bytes: ...


class ArchiveWriting:
    """An archive that is being written."""

    def __init__(self, opened: IO[bytes], contents: Contents) -> None:
        self._tar = tarfile.TarFile(fileobj=opened, mode="w", format=tarfile.GNU_FORMAT, copybufsize=_PIECE_BYTES)
        manifest = json.dumps(contents.to_json(), indent=2, ensure_ascii=False).encode()
        self._tar.addfile(_member(MANIFEST, len(manifest)), io.BytesIO(manifest))

    def add(self, file: LockedFile, content: Readable) -> None:
        """Write one file of the contents. Raises `OSError` if ``content`` ends too early."""
        self._tar.addfile(_member(member_of(file), file.size), content)

    def end(self) -> None:
        self._tar.close()


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o444
    return member


@dataclass(frozen=True, slots=True)
class ArchiveReading:
    """An archive whose members were checked by name, type and size. The content of its files is not trusted yet."""

    contents: Contents
    _tar: tarfile.TarFile
    _members: Mapping[str, tarfile.TarInfo]

    def content(self, file: LockedFile) -> IO[bytes]:
        """Return the archive's bytes for a file of its contents, not checked yet."""
        found = self._tar.extractfile(self._members[member_of(file)])
        assert found is not None, "only regular files are among the members"
        return found


@contextmanager
def reading(path: Path) -> Iterator[ArchiveReading]:
    """Open an archive for the length of the block. Raises `ArchiveRefused`, which says what is wrong with it."""
    try:
        with tarfile.open(path, "r:") as tar:
            members = tar.getmembers()
            contents = _contents(tar, members)
            _check(path, contents, members)
            yield ArchiveReading(contents, tar, {member.name: member for member in members})
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveRefused(f"not an archive, or an incomplete one: {error}") from error


def _contents(tar: tarfile.TarFile, members: Sequence[tarfile.TarInfo]) -> Contents:
    if not members or members[0].name != MANIFEST or not _is_plain(members[0]):
        raise ArchiveRefused(f"the archive does not begin with {MANIFEST}")
    if members[0].size > _MOST_MANIFEST_BYTES:
        raise ArchiveRefused(f"{MANIFEST} is larger than {_MOST_MANIFEST_BYTES} bytes")
    opened = tar.extractfile(members[0])
    try:
        data = json.loads(opened.read() if opened else b"")
        if data["schema"] != SCHEMA:
            raise ArchiveRefused(f"schema must be {SCHEMA} (found {data['schema']!r})")
        locks = {name: PinLock.from_json(lock) for name, lock in data["locks"].items()}
        entries = parse_catalog(data["catalog"], MANIFEST)
    except (CatalogInvalid, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArchiveRefused(f"{MANIFEST} cannot be read: {type(error).__name__}: {error}") from error
    if not locks or any(lock.name != name for name, lock in locks.items()) or set(entries) - set(locks):
        raise ArchiveRefused(f"{MANIFEST} has locks or entries under wrong names")
    return Contents(locks, entries)


def _check(path: Path, contents: Contents, members: Sequence[tarfile.TarInfo]) -> None:
    expected = {member_of(file): file.size for file in contents.files.values()}
    seen = {MANIFEST}
    for member in members[1:]:
        if member.name not in expected:
            raise ArchiveRefused(f"{member.name!r} is not in the manifest")
        if member.name in seen:
            raise ArchiveRefused(f"{member.name} appears twice")
        if not _is_plain(member) or member.size != expected[member.name]:
            raise ArchiveRefused(f"{member.name} is not a regular file of {expected[member.name]} bytes")
        seen.add(member.name)
    if missing := set(expected) - seen:
        raise ArchiveRefused(f"{len(missing)} files of the manifest are missing; the first is {min(missing)}")
    last = members[-1]
    if path.stat().st_size < last.offset_data + last.size:
        raise ArchiveRefused("the archive is incomplete")


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()
