"""The child process that decodes an upload (services/upload_decoder), as the gateway uses it: a sound file goes in, PCM
or a refusal comes out.

Owns how the child is started, how many run at once, and what its death means: whatever a file does to its decoder, the
file is refused and this process is unharmed. The child has no network and no sockets, and may open nothing but the
libraries that it decodes with. Knows no codec.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Protocol

from services.gateway.sharing.pools import UPLOADS_AT_ONCE
from shared.audio import Audio
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.processes.hosting import Frame, HostCrashed, read_frame
from shared.processes.interpreter import run_module
from shared.sandbox.access import Access
from shared.sandbox.process import confined

_NEEDED = ("services", "soundfile", "numpy", "cffi")
TIMEOUT_S = 30.0
_CANNOT_WORK = 69
"""Exit code of a child that is not fully installed: our fault, not the file's."""

log = logging.getLogger("ringtrue.gateway")


class UploadDecoder(Protocol):
    """Decodes an uploaded sound file."""

    async def hear(self, file: IO[bytes], start: int, end: int) -> Audio:
        """Return the audio in ``file`` from byte ``start`` to ``end``. Raises `Refused` if it is not a recording that
        is taken."""


class ChildUploadDecoder:
    """Implements ``UploadDecoder`` with one child process per file. For use from one event loop."""

    def __init__(
        self, argv: Sequence[str] = run_module("services.upload_decoder"), timeout_s: float = TIMEOUT_S
    ) -> None:
        self._argv = confined(argv, Access(sockets=False, devices=False), {})
        self._timeout_s = timeout_s
        self._free = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._threads = ThreadPoolExecutor(UPLOADS_AT_ONCE, "uploads")
        # The child gets nothing of this process's environment, which has passwords. One thread: threads take address
        # space.
        self._environ = {"PYTHONPATH": os.pathsep.join(_folders_of(_NEEDED)), "OPENBLAS_NUM_THREADS": "1"}

    async def hear(self, file: IO[bytes], start: int, end: int) -> Audio:
        async with self._free:
            running = asyncio.get_running_loop().run_in_executor(self._threads, self._answer, file, start, end)
            frame = await running
        if (why := frame.header.get("refused")) is not None:
            if frame.header["format"]:
                raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, f"/file: {why}")
            raise _refusal(why)
        return Audio(bytes(frame.payload), frame.header["ok"]["sample_rate"])

    def _answer(self, file: IO[bytes], start: int, end: int) -> Frame:
        # The child answers into a file: only a file can be held to a size by the system.
        with tempfile.TemporaryFile() as answer:
            argv = [*self._argv, str(start), str(end - start)]
            try:
                code = subprocess.run(
                    argv, check=False, stdin=file, stdout=answer, env=self._environ, timeout=self._timeout_s
                ).returncode
            except subprocess.TimeoutExpired:
                raise _refusal(f"cannot be decoded within {self._timeout_s:g} s") from None
            if code == _CANNOT_WORK:
                raise RuntimeError("services.upload_decoder does not work here; see its messages above")
            answer.seek(0)
            frame = _frame(answer)
        if code != 0 or frame is None:
            log.warning("an upload was not decoded: the decoder process ended with exit code %d", code)
            raise _refusal("cannot be decoded within the limits on time and memory")
        return frame


def _folders_of(packages: Sequence[str]) -> list[str]:
    """Return the folders of the packages, found without importing them.

    The child gets only these: our whole search path might have other packages of the same names."""
    found = (importlib.util.find_spec(package) for package in packages)
    return list(
        dict.fromkeys(
            str(Path(spec.origin).parents[bool(spec.submodule_search_locations)])
            for spec in found
            if spec and spec.origin
        )
    )


def _frame(answer: IO[bytes]) -> Frame | None:
    try:
        return read_frame(answer)
    except HostCrashed:
        return None


def _refusal(why: str) -> InvalidRequest:
    return InvalidRequest((FieldError("/file", why),))
