"""A child process behind a framed pipe: how engines and metrics are kept apart from the services that use them.

Owns the frame format and the life of the child (exec, deadline, kill). Knows nothing of what is said over the pipe.

A frame is a JSON header and a binary payload: ``<u32 header bytes><u32 payload bytes><header><payload>``, the sizes
little-endian.
The child talks on its original stdin and stdout; what libraries print to stdout goes to stderr instead. A child whose
parent dies sees its stdin end and exits at once, also in the middle of a call.
"""

from __future__ import annotations

import contextlib
import io
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

from shared import process_groups
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
    """Read one frame, waiting for it; ``None`` where the pipe has ended. ``HostCrashed`` where it is none."""
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    header_bytes, payload_bytes = _checked_sizes(head)
    header, payload = pipe.read(header_bytes), pipe.read(payload_bytes)
    if len(header) < header_bytes or len(payload) < payload_bytes:
        return None
    return Frame(_parsed(header), payload)


class _Arriving:
    """One frame while it comes, read straight into what it will lie in. Nothing is read that is not of this frame."""

    def __init__(self) -> None:
        self._head = bytearray(_HEAD.size)
        self._header: bytearray | None = None
        self._payload = io.BytesIO()
        self._unfilled = [memoryview(self._head)]

    def read(self, pipe: int) -> bool:
        """Take what is there, at least a byte. False where the pipe has ended."""
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
        """The frame, once it is whole. ``HostCrashed`` where it is none."""
        if self._header is None or self._unfilled:
            return None
        return Frame(_parsed(self._header), self._payload.getvalue())

    def _make_room(self) -> None:
        header_bytes, payload_bytes = _checked_sizes(bytes(self._head))
        self._header = bytearray(header_bytes)
        # Of all that can be written into, this alone gives its content away as bytes without a copy.
        self._payload = io.BytesIO(bytes(payload_bytes))
        self._unfilled = [view for view in (memoryview(self._header), self._payload.getbuffer()) if len(view)]


class _Told:
    """Frames from a pipe of which the system tells when there is something in it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        os.set_blocking(pipe.fileno(), False)
        self._arriving = _Arriving()

    def next(self, timeout_s: float) -> Frame | None:
        """``None`` where none came in time. `EOFError` where the pipe has ended, `HostCrashed` where it is no frame."""
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


class _Overheard:
    """The same where the system does not tell (Windows): a thread waits in our place."""

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
            self._came.put(came)  # whoever asks again is told the same
            raise came
        return came

    def close(self) -> None:
        self._listener.join(_LISTENER_S)
        if not self._listener.is_alive():  # else it holds the pipe, and closing would wait for it
            self._pipe.close()

    def _listen(self) -> None:
        try:
            while (frame := read_frame(self._pipe)) is not None:
                self._came.put(frame)
            self._came.put(EOFError())
        except HostCrashed as crash:
            self._came.put(crash)


def threads(number: int) -> dict[str, str]:
    """Variables that bound the threads of one call into linear algebra. Libraries read them when they are loaded; by
    themselves they take one per core, which wait for each other by turning in circles."""
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(number))


class Child:
    """The parent's end: one running child process. Not for use from several threads at once, except ``kill``."""

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """``pass_fds``: open files that the child is given under the same numbers."""
        self._process = process_groups.start(argv, env, cwd, pass_fds)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: IO[bytes] = self._process.stdin
        self._coming: _Told | _Overheard = (_Told if hasattr(os, "readv") else _Overheard)(self._process.stdout)

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
        except (OSError, ValueError) as error:  # Windows has other words for a broken pipe
            raise HostCrashed(self._epitaph()) from error

    def receive(self, timeout_s: float) -> Frame | None:
        """The next frame, or ``None`` where none came within ``timeout_s``. ``HostCrashed`` where the child is gone."""
        try:
            return self._coming.next(timeout_s)
        except (
            EOFError,
            OSError,
            ValueError,
        ) as error:  # the two last: another thread killed it, which closes the pipe
            raise HostCrashed(self._epitaph()) from error

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
        process_groups.end(self._process)
        for pipe in (self._in, self._coming):
            with contextlib.suppress(OSError):
                pipe.close()

    def _epitaph(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return f"host {self.pid} closed its pipe"
        if code < 0:
            return f"host {self.pid} died of {_signal_name(-code)}"
        return f"host {self.pid} exited with {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # of real time: but the first and the last have no name


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
