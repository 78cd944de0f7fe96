"""The frames that a service and its hosts exchange over a pipe.

Owns their format, and reading one with a time limit. Knows nothing of processes.

A frame is a JSON header and a binary payload: ``<u32 header bytes><u32 payload bytes><header><payload>``, with
little-endian sizes.
"""

from __future__ import annotations

import io
import json
import os
import queue
import select
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from shared.errors import RingtrueError

_HEAD = struct.Struct("<II")
MAX_HEADER = 16 << 20
MAX_PAYLOAD = 1 << 30
_LISTENER_S = 5.0
_NO_FRAME = "not a frame: something else was written to the pipe"


class HostCrashed(RingtrueError):
    """The child is gone: it died by itself, or was killed from outside."""


class HostTimeout(RingtrueError):
    """The child did not answer in time."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message in either direction."""

    header: Mapping[str, Any]
    payload: bytes | memoryview = b""


def write_frame(pipe: IO[bytes], frame: Frame) -> None:
    """Write one whole frame. Raises ``BrokenPipeError`` if the other side is gone."""
    header = json.dumps(frame.header).encode()
    pipe.write(_HEAD.pack(len(header), len(frame.payload)) + header)
    if frame.payload:
        pipe.write(frame.payload)
    pipe.flush()


def _checked_sizes(head: bytes) -> tuple[int, int]:
    header_bytes, payload_bytes = _HEAD.unpack(head)
    if header_bytes > MAX_HEADER or payload_bytes > MAX_PAYLOAD:
        raise HostCrashed(_NO_FRAME)
    return header_bytes, payload_bytes


def _parsed(header: bytes | bytearray) -> Mapping[str, Any]:
    try:
        parsed = json.loads(header)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise HostCrashed(_NO_FRAME)
    return parsed


def read_frame(pipe: IO[bytes]) -> Frame | None:
    """Wait for one frame and return it; ``None`` if the pipe has ended. Raises ``HostCrashed`` if it is not a frame."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    header_bytes, payload_bytes = _checked_sizes(head)
    header, payload = pipe.read(header_bytes), pipe.read(payload_bytes)
    if len(header) < header_bytes or len(payload) < payload_bytes:
        return None
    return Frame(_parsed(header), payload)


class _Arriving:
    """One frame while it arrives, read straight into its final buffers. Reads nothing beyond this frame."""

    def __init__(self) -> None:
        self._head = bytearray(_HEAD.size)
        self._header: bytearray | None = None
        self._payload = io.BytesIO()
        self._unfilled = [memoryview(self._head)]

    def read(self, pipe: int) -> bool:
        """Read what is available, at least a byte. Return False if the pipe has ended."""
        got = os.readv(pipe, self._unfilled)
        if got == 0:
            return False
        while got:
            first = self._unfilled.pop(0)
            if got < len(first):
                self._unfilled.insert(0, first[got:])
            got -= min(got, len(first))
        if not self._unfilled and self._header is None:
            self._make_room()
        return True

    def frame(self) -> Frame | None:
        """Return the frame once it is whole, else ``None``. Raises ``HostCrashed`` if it is not a frame."""
        if self._header is None or self._unfilled:
            return None
        return Frame(_parsed(self._header), self._payload.getvalue())

    def _make_room(self) -> None:
        header_bytes, payload_bytes = _checked_sizes(bytes(self._head))
        self._header = bytearray(header_bytes)
        # Of all writable buffers, only BytesIO returns its content as bytes without a copy.
        self._payload = io.BytesIO(bytes(payload_bytes))
        self._unfilled = [view for view in (memoryview(self._header), self._payload.getbuffer()) if len(view)]


class Told:
    """Frames from a pipe that select(2) can wait for."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        os.set_blocking(pipe.fileno(), False)
        self._arriving = _Arriving()

    def next(self, timeout_s: float) -> Frame | None:
        """Return the next frame; ``None`` if none arrived within ``timeout_s`` seconds.

        Raises `EOFError` if the pipe has ended, `HostCrashed` if the data is not a frame.
        """
        deadline = time.monotonic() + timeout_s
        while (frame := self._arriving.frame()) is None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._pipe], [], [], left)[0]:
                return None
            if not self._arriving.read(self._pipe.fileno()):
                raise EOFError
        self._arriving = _Arriving()
        return frame

    def close(self) -> None:
        self._pipe.close()


class Overheard:
    """The same for systems where select(2) cannot wait for pipes (Windows): a thread reads instead."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._came: queue.SimpleQueue[Frame | Exception] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, name="frames", daemon=True)
        self._listener.start()

    def next(self, timeout_s: float) -> Frame | None:
        try:
            came = self._came.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
        if isinstance(came, Exception):
            self._came.put(came)  # a later call must raise the same
            raise came
        return came

    def close(self) -> None:
        self._listener.join(_LISTENER_S)
        if not self._listener.is_alive():  # a live thread holds the pipe, and closing would wait for it
            self._pipe.close()

    def _listen(self) -> None:
        try:
            while (frame := read_frame(self._pipe)) is not None:
                self._came.put(frame)
            self._came.put(EOFError())
        except HostCrashed as crash:
            self._came.put(crash)
