"""The child process that hears an upload (services/ears), as the gateway sees it: sound goes in, PCM or a refusal out.

Owns how it is started, how many at once, and what its death comes to: whatever a file does to its decoder, the file is
refused and this process has noticed nothing. Knows no codec.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, Protocol

from shared.audio import Audio
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.hosting import Frame, HostCrashed, read_frame

TIMEOUT_S = 30.0
_AT_ONCE = 2
_CANNOT_WORK = 69
"""Exit code of a child that is not installed whole: our fault, not the file's."""

log = logging.getLogger("ringtrue.gateway")


class Ears(Protocol):
    """Hears what is in a file."""

    async def hear(self, file: IO[bytes], start: int, end: int) -> Audio:
        """The speech in that stretch of ``file``; `Refused` where there is none that is taken."""


class ChildEars:
    """Implements ``Ears``: a child per file. For use from one event loop."""

    def __init__(
        self, argv: Sequence[str] = (sys.executable, "-m", "services.ears"), timeout_s: float = TIMEOUT_S
    ) -> None:
        self._argv = argv
        self._timeout_s = timeout_s
        self._free = asyncio.Semaphore(_AT_ONCE)
        # Nothing that this process was told, such as the passwords in its settings; and threads take address space.
        self._environ = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}

    async def hear(self, file: IO[bytes], start: int, end: int) -> Audio:
        async with self._free:
            frame = await asyncio.to_thread(self._answer, file, start, end)
        if (why := frame.header.get("refused")) is not None:
            if frame.header["format"]:
                raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, f"/file: {why}")
            raise _refusal(why)
        return Audio(bytes(frame.payload), frame.header["ok"]["sample_rate"])

    def _answer(self, file: IO[bytes], start: int, end: int) -> Frame:
        # It answers into a file: only there can the system hold it to a size.
        with tempfile.TemporaryFile() as answer:
            argv = [*self._argv, str(start), str(end - start)]
            try:
                code = subprocess.run(
                    argv, check=False, stdin=file, stdout=answer, env=self._environ, timeout=self._timeout_s
                ).returncode
            except subprocess.TimeoutExpired:
                raise _refusal(f"cannot be decoded within {self._timeout_s:g} s") from None
            if code == _CANNOT_WORK:
                raise RuntimeError("services.ears cannot work here: see its words above")
            answer.seek(0)
            frame = _frame(answer)
        if code != 0 or frame is None:
            log.warning("a file was not decoded: its process ended with %d", code)
            raise _refusal("cannot be decoded within the limits on time and memory")
        return frame


def _frame(answer: IO[bytes]) -> Frame | None:
    try:
        return read_frame(answer)
    except HostCrashed:
        return None


def _refusal(why: str) -> InvalidRequest:
    return InvalidRequest((FieldError("/file", why),))
