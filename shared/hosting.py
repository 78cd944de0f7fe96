"""A child process behind a framed pipe: how engines and metrics are kept apart from the services that use them.

Owns the frame format and the life of the child (exec, deadline, kill). Knows nothing of what is said over the pipe.

A frame is a JSON header and a binary payload: ``<u32 header bytes><u32 payload bytes><header><payload>``, the sizes
little-endian.
The child talks on its original stdin and stdout; what libraries print to stdout goes to stderr instead. A child whose
parent dies sees its stdin end and exits at once, also in the middle of a call.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from shared.errors import RingtrueError

_HEAD = struct.Struct("<II")
MAX_HEADER = 16 << 20
MAX_PAYLOAD = 1 << 30


class HostCrashed(RingtrueError):
    """The child is gone: it died by itself, or was killed from outside."""


class HostTimeout(RingtrueError):
    """The child did not answer in time."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message either way."""

    header: Mapping[str, Any]
    payload: bytes | memoryview = b""


def write_frame(pipe: IO[bytes], frame: Frame) -> None:
    """Write one frame whole. ``BrokenPipeError`` where the other side is gone."""
    header = json.dumps(frame.header).encode()
    pipe.write(_HEAD.pack(len(header), len(frame.payload)) + header)
    if frame.payload:
        pipe.write(frame.payload)
    pipe.flush()


def _checked_sizes(head: bytes) -> tuple[int, int]:
    header_bytes, payload_bytes = _HEAD.unpack(head)
    if header_bytes > MAX_HEADER or payload_bytes > MAX_PAYLOAD:
        raise HostCrashed("not a frame: something else was written to the pipe")
    return header_bytes, payload_bytes


def read_frame(pipe: IO[bytes]) -> Frame | None:
    """Read one frame, waiting for it; ``None`` where the pipe has ended."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    header_bytes, payload_bytes = _checked_sizes(head)
    header, payload = pipe.read(header_bytes), pipe.read(payload_bytes)
    if len(header) < header_bytes or len(payload) < payload_bytes:
        return None
    return Frame(json.loads(header), payload)


class Child:
    """The parent's end: one running child process. Not for use from several threads at once, except ``kill``."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: str | None = None) -> None:
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, cwd=cwd, start_new_session=True
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: IO[bytes] = self._process.stdin
        self._out: IO[bytes] = self._process.stdout
        os.set_blocking(self._out.fileno(), False)
        self._buffer = bytearray()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
        """Send one frame. ``HostCrashed`` where the child is gone."""
        try:
            write_frame(self._in, Frame(header, payload))
        except (BrokenPipeError, ValueError) as error:
            raise HostCrashed(self._epitaph()) from error

    def receive(self, timeout_s: float) -> Frame | None:
        """The next frame, or ``None`` where none came within ``timeout_s``. ``HostCrashed`` where the child is gone."""
        deadline = time.monotonic() + timeout_s
        while True:
            frame = self._take()
            if frame is not None:
                return frame
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._out], [], [], left)[0]:
                return None
            self._fill()

    def ask(self, header: Mapping[str, Any], payload: bytes | memoryview = b"", *, timeout_s: float) -> Frame:
        """Send a frame and wait for the answer. A child that does not answer in time is killed: ``HostTimeout``."""
        self.send(header, payload)
        frame = self.receive(timeout_s)
        if frame is None:
            self.kill()
            raise HostTimeout(f"no answer within {timeout_s:g} s")
        return frame

    def kill(self) -> None:
        """End the child and everything it started, for certain."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._in, self._out):
            with contextlib.suppress(OSError):
                pipe.close()

    def _fill(self) -> None:
        chunk = os.read(self._out.fileno(), 1 << 20)
        if not chunk:
            raise HostCrashed(self._epitaph())
        self._buffer += chunk

    def _take(self) -> Frame | None:
        if len(self._buffer) < _HEAD.size:
            return None
        header_bytes, payload_bytes = _checked_sizes(bytes(self._buffer[: _HEAD.size]))
        payload_at = _HEAD.size + header_bytes
        end = payload_at + payload_bytes
        if len(self._buffer) < end:
            return None
        header = json.loads(bytes(self._buffer[_HEAD.size : payload_at]))
        payload = bytes(memoryview(self._buffer)[payload_at:end])
        del self._buffer[:end]
        return Frame(header, payload)

    def _epitaph(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return f"host {self.pid} closed its pipe"
        if code < 0:
            return f"host {self.pid} died of {signal.Signals(-code).name}"
        return f"host {self.pid} exited with {code}"


class Served:
    """The child's end: requests as they come, and a way to answer."""

    def __init__(self) -> None:
        self._in = os.fdopen(os.dup(0), "rb")
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # a library that prints must not break the frames
        sys.stdout = sys.stderr
        self._requests: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="requests", daemon=True).start()

    def _listen(self) -> None:
        while (frame := read_frame(self._in)) is not None:
            self._requests.put(frame)
        os._exit(0)  # the parent is gone: nobody waits for what the main thread is doing

    def requests(self) -> Iterator[Frame]:
        """Requests in order, for ever."""
        while True:
            yield self._requests.get()

    def answer(self, header: Mapping[str, Any], payload: bytes | memoryview = b"") -> None:
        write_frame(self._out, Frame(header, payload))
