"""The parent's end of an engine host: one pin in a child process, asked with deadlines and an ear for cancels.

Owns what a crash, a hang and a cancel in mid-call come to, in the words of a job's errors. Knows no engine code: the
child (services/worker/engines/host.py) may run another Python with other packages.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from services.worker.engines.base import SpeakRequest
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure
from shared.hosting import Child, Frame, HostCrashed

TICK_S = 0.2
"""While the child works, ``tick`` is called this often."""
GRACE_S = 0.5
"""A child whose answer nobody wants any more has this long to give it, and so stays alive for the next request."""
STATS_S = 5.0

HOST = (sys.executable, "-m", "services.worker.engines.host")
"""The command line of a host in this Python; the pin follows."""

Tick = Callable[[], None]


def never_mind() -> None:
    """The tick of a caller that waits whatever happens."""


class EngineHost:
    """One child process that serves one pin. For one thread at a time.

    Every call raises `JobFailure`: ``engine_crashed`` (not final: it may go well in a new host) where the child dies,
    ``engine_timeout`` where it does not answer in time, after which it is killed, and else what the engine says. What
    ``tick`` raises passes through; a child that does not come to an answer within `GRACE_S` after that is killed.
    """

    def __init__(self, pin: str, argv: Sequence[str] = HOST, env: Mapping[str, str] | None = None) -> None:
        self.pin = pin
        self._child = Child([*argv, "--pin", pin], env)
        self._loaded: Manifest | None = None

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    @property
    def lock_sha256(self) -> str:
        """Of the bytes that were loaded."""
        return self._manifest.lock_sha256

    @property
    def max_piece_chars(self) -> int:
        return self._manifest.max_piece_chars

    def manifest(self, timeout_s: float, tick: Tick = never_mind) -> Manifest:
        """What the pin can do; loads nothing."""
        return Manifest.from_json(self._ask({"op": "manifest"}, timeout_s, tick).header["ok"])

    def load(self, tick: Tick, timeout_s: float) -> None:
        """Bring the model into memory."""
        self._loaded = Manifest.from_json(self._ask({"op": "load"}, timeout_s, tick).header["ok"])

    def speak(self, request: SpeakRequest, *, sample_rate: int | None, deadline_s: float, tick: Tick) -> Audio:
        """Speak one piece, at ``sample_rate`` Hz or at the pin's own rate, within ``deadline_s`` seconds from now."""
        header = {"op": "speak", "request": request.to_json(), "sample_rate": sample_rate}
        frame = self._ask(header, deadline_s, tick)
        return Audio(bytes(frame.payload), frame.header["ok"]["sample_rate"])

    def peak_rss_mb(self) -> float:
        """Most memory that the child has held so far, in MB (1e6 bytes)."""
        return float(self._ask({"op": "stats"}, STATS_S, never_mind).header["ok"]["peak_rss_mb"])

    def close(self) -> None:
        """End the child. May be called again."""
        self._child.kill()

    @property
    def _manifest(self) -> Manifest:
        assert self._loaded is not None, "load first"
        return self._loaded

    def _ask(self, header: Mapping[str, Any], timeout_s: float, tick: Tick) -> Frame:
        try:
            self._child.send(header)
            frame = self._wait(timeout_s, tick)
        except HostCrashed as crash:
            self._child.kill()
            raise JobFailure(FailureCode.ENGINE_CRASHED, str(crash), final=False) from crash
        if frame is None:
            self._child.kill()
            raise JobFailure(FailureCode.ENGINE_TIMEOUT, f"{header['op']} took longer than {timeout_s:.3g} s")
        if (error := frame.header.get("error")) is not None:
            raise JobFailure(FailureCode(error["code"]), error["message"])
        return frame

    def _wait(self, timeout_s: float, tick: Tick) -> Frame | None:
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            if (frame := self._child.receive(min(TICK_S, left))) is not None:
                return frame
            try:
                tick()
            except BaseException:
                self._settle()
                raise
        return None

    def _settle(self) -> None:
        """Wait a moment for the answer that nobody wants; without it the next one would be taken for the wrong one."""
        try:
            answered = self._child.receive(GRACE_S) is not None
        except HostCrashed:
            answered = False
        if not answered:
            self._child.kill()
