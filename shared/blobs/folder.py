"""Blobs as files below one folder: ``ab/abcdef…``.

Owns the layout. Knows nothing of what the bytes mean. A file that is being written is in ``.incoming`` until it is
whole. If the disk refuses (full, read-only, broken, not mounted), that is `StorageUnavailable` and says nothing about
the bytes that were asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import StorageUnavailable
from shared.files.whole_file import sync_folder
from shared.files.writable import why_not_writable
from shared.ports import FoundBlob

_CHUNK = 1 << 18
RESERVE_BYTES, RESERVE_SHARE = 64 << 20, 0.02
"""A disk with less free space than this, or than this share of a small disk, counts as full. Other programs write to it
too, and speech that is being synthesized needs space when it is done."""
_ABANDONED_S = 3600.0
"""Seconds after which an unfinished file is abandoned: writing one blob never takes so long."""


class FolderBlobs:
    """Implements ``shared.ports.Blobs``. Several processes, also on several hosts, may share the folder."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        """``create``: make the folder if it is missing, and remove what killed processes left unfinished in it."""
        self._folder = folder
        self._incoming = folder / ".incoming"
        if create:
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._remove_abandoned()

    def _path(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise KeyError(sha256)
        return self._folder / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._path(sha256)
        with self._translated(len(content)):
            if path.exists():
                return sha256
            with self._written(content) as temporary:
                path.parent.mkdir(exist_ok=True)
                temporary.replace(path)
        # The file is on disk before its hash is returned, and so before any row names it (ADR 4).
        sync_folder(path.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        with self._found(sha256):
            return self._path(sha256).read_bytes()

    def size(self, sha256: str) -> int:
        with self._found(sha256):
            return self._path(sha256).stat().st_size

    def read(self, sha256: str, start: int, length: int) -> Iterator[bytes]:
        with self._found(sha256):
            file = self._path(sha256).open("rb")
        with file, self._translated():
            file.seek(start)
            while length > 0 and (chunk := file.read(min(_CHUNK, length))):
                length -= len(chunk)
                yield chunk

    def delete(self, sha256: str) -> None:
        with self._translated():
            self._path(sha256).unlink(missing_ok=True)

    def any_blob(self) -> FoundBlob | None:
        """Return one file below the folder. Hidden files do not count, nor do folders that cannot be listed."""
        for where, _, names in os.walk(self._folder):
            for name in names:
                if not name.startswith("."):
                    return FoundBlob(str(self._folder), Path(where, name).relative_to(self._folder).as_posix())
        return None

    def trouble(self, *, times: float = 1.0) -> str | None:
        """Return ``disk_full`` if there is less free space than ``times`` the reserve, else ``None``."""
        with self._translated():
            disk = os.statvfs(self._folder)
        reserve = min(RESERVE_BYTES, RESERVE_SHARE * disk.f_blocks * disk.f_frsize)
        no_room = disk.f_bavail * disk.f_frsize < times * reserve
        return "disk_full" if no_room or (disk.f_files and not disk.f_favail) else None

    def rehearse(self, size: int) -> None:
        """Write ``size`` bytes and remove them again. Raises `StorageUnavailable` if that fails."""
        with self._translated(size), self._written(os.urandom(1) * size):
            pass

    def why_not_writable(self) -> str:
        """Return the system's words if the folder, or the nearest one above it that exists, cannot be written."""
        return why_not_writable(self._folder)

    def free_bytes(self) -> int:
        """Return how many bytes this user may still write on the folder's file system."""
        with self._translated():
            return shutil.disk_usage(self._folder).free

    @contextmanager
    def _written(self, content: bytes) -> Iterator[Path]:
        """Yield a file with ``content`` that is on disk, to be moved away within the block.

        If it is not moved, it is removed.
        """
        handle, name = tempfile.mkstemp(dir=self._incoming)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    @contextmanager
    def _found(self, sha256: str) -> Iterator[None]:
        """Raise `KeyError` for a missing file. If the folder itself is gone, the error stays: nothing is known then."""
        with self._translated():
            try:
                yield
            except FileNotFoundError:
                if self._incoming.exists():
                    raise KeyError(sha256) from None
                raise

    @contextmanager
    def _translated(self, size: int = 0) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            raise StorageUnavailable(f"the audio folder cannot be read or written: {why}", size) from error

    def _remove_abandoned(self) -> None:
        """Remove files that a killed process left unfinished."""
        with contextlib.suppress(OSError):
            for path in self._incoming.iterdir():
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink(missing_ok=True)
