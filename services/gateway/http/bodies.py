"""Bodies of requests while they arrive: in memory while all of them together are small, and then in files.

Owns how much all bodies, and those of one user, may take. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from types import TracebackType
from typing import IO

from shared.errors import RefusalCode, Refused

_PIECE = 1 << 20
"""Bytes of a body that are kept in memory, and then written to its file at once."""
_MEMORY = 32 << 20
"""Bytes of all bodies together in memory. Beyond that, each chunk goes to a file, however small its body is."""
_FILES = 4 << 30
"""Bytes of all bodies together on the disk of temporary files."""
_SHARE = 4
"""One user may take a fourth of the room in files: 1 GiB, or 16 of the largest bodies."""


class Bodies:
    """All bodies that are arriving now. For use from one event loop."""

    def __init__(self, *, memory: int = _MEMORY, files: int = _FILES) -> None:
        self._memory_left = memory
        self._files_left = files
        self._most = files // _SHARE
        self._of_user: Counter[str] = Counter()

    def open(self, user: str) -> Body:
        """Return an empty body of this user. Use it in a `with` block."""
        return Body(self, user)

    def keep(self, count: int) -> bool:
        """Reserve ``count`` bytes of memory. Return whether there is room for them."""
        if count > self._memory_left:
            return False
        self._memory_left -= count
        return True

    def forget(self, count: int) -> None:
        self._memory_left += count

    def claim(self, user: str, count: int) -> None:
        """Reserve ``count`` bytes in files. Raises `Refused` if the user, or all users together, have used up their
        room."""
        if self._of_user[user] + count > self._most:
            raise _too_much(f"one user may send at most {self._most} bytes at the same time")
        if count > self._files_left:
            raise _too_much("this gateway is receiving too much data at the moment")
        self._of_user[user] += count
        self._files_left -= count

    def give_back(self, user: str, count: int) -> None:
        self._files_left += count
        self._of_user[user] -= count
        if not self._of_user[user]:
            del self._of_user[user]


class Body:
    """One body. What goes beyond memory is in a temporary file, which is deleted when the `with` block ends."""

    def __init__(self, bodies: Bodies, user: str) -> None:
        self._bodies = bodies
        self._user = user
        self._piece = bytearray()
        self._kept = self._claimed = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Body:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._bodies.forget(self._kept)
        if self._claimed:
            self._bodies.give_back(self._user, self._claimed)
        if self._file is not None:
            self._file.close()

    async def add(self, chunk: bytes) -> None:
        self._piece += chunk
        if len(self._piece) <= _PIECE and self._bodies.keep(len(chunk)):
            self._kept += len(chunk)
        else:
            await self._write()

    async def content(self) -> bytes:
        """Return the whole body, in memory."""
        if self._file is None:
            return bytes(self._piece)
        return await asyncio.to_thread(_read, await self.file())

    async def file(self) -> IO[bytes]:
        """Return the whole body in a file, positioned at its end."""
        if self._piece or self._file is None:
            await self._write()
        assert self._file is not None
        return self._file

    async def _write(self) -> None:
        self._bodies.claim(self._user, len(self._piece))
        self._claimed += len(self._piece)
        try:
            if self._file is None:
                self._file = await asyncio.to_thread(tempfile.TemporaryFile)
            await asyncio.to_thread(_append, self._file, self._piece)
        except OSError as error:
            raise Refused(
                RefusalCode.STORE_UNAVAILABLE, f"the gateway has no disk space for the body: {error.strerror}"
            ) from error
        self._piece = bytearray()
        self._bodies.forget(self._kept)
        self._kept = 0


def _append(file: IO[bytes], piece: bytearray) -> None:
    file.write(piece)
    file.flush()


def _read(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _too_much(detail: str) -> Refused:
    return Refused(RefusalCode.RATE_LIMITED, detail, retry_after_s=5)
