"""The files inside a wheel or an npm tarball: which there are, and their bytes as a stream.

Owns which members count: regular files with safe names. Links, devices, and what is encrypted or compressed in an
unusual way are left out.
"""

from __future__ import annotations

import contextlib
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from gzip import BadGzipFile
from pathlib import Path, PurePosixPath
from typing import IO

from services.pins.sources.base import SourceFailed
from shared.weights.lock import JOINT, safe_path

_FAULTS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    BadGzipFile,
    zlib.error,
    EOFError,
    ValueError,
)
"""What the libraries raise for bytes that are no archive, or one of another kind."""
_ENCRYPTED = 0x1
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """A file in an archive. ``size``: its bytes, as the archive says."""

    size: int
    entry: zipfile.ZipInfo | tarfile.TarInfo


def members_of(archive: Path, package_name: str) -> Mapping[str, ArchiveMember]:
    """Return path -> member. npm's own folder ``package/`` is not part of a path."""
    with _read(package_name):
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                found = {entry.filename: _of_wheel(entry) for entry in wheel.infolist()}
        else:
            with tarfile.open(archive, "r:gz") as tarball:
                found = {entry.name: _of_tarball(entry) for entry in tarball}
    first = 0 if archive.suffix == ".whl" else 1
    return {
        "/".join(PurePosixPath(path).parts[first:]): member
        for path, member in found.items()
        if member and safe_path(path) and JOINT not in path
    }


@contextlib.contextmanager
def opened_member(archive: Path, member: ArchiveMember, package_name: str) -> Iterator[IO[bytes]]:
    """Give the bytes of a member. Raises `SourceFailed` if the archive is damaged."""
    with _read(package_name), contextlib.ExitStack() as closing:
        if isinstance(member.entry, zipfile.ZipInfo):
            wheel = closing.enter_context(zipfile.ZipFile(archive))
            yield closing.enter_context(wheel.open(member.entry))
        else:
            tarball = closing.enter_context(tarfile.open(archive, "r:gz"))
            stream = tarball.extractfile(member.entry)
            assert stream is not None  # it is a regular file
            yield closing.enter_context(stream)


@contextlib.contextmanager
def _read(package_name: str) -> Iterator[None]:
    """Turn the libraries' errors into `SourceFailed`."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceFailed(f"{package_name}: its archive was removed meanwhile") from error
    except _FAULTS as error:
        raise SourceFailed(f"{package_name}: its archive cannot be read: {error}") from error


def _of_wheel(entry: zipfile.ZipInfo) -> ArchiveMember | None:
    kind = entry.external_attr >> 28  # the type of file in a Unix mode: 0o10 regular, 0o12 link, 0 not said
    regular = not entry.is_dir() and kind in (0, 0o10)
    readable = entry.compress_type in _COMPRESSIONS and not entry.flag_bits & _ENCRYPTED
    return ArchiveMember(entry.file_size, entry) if regular and readable else None


def _of_tarball(entry: tarfile.TarInfo) -> ArchiveMember | None:
    return ArchiveMember(entry.size, entry) if entry.isreg() and not entry.issparse() else None
