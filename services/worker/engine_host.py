"""The parent's end of an engine host: one pin in a child process, asked with deadlines and an ear for cancels.

Owns what a crash, a hang and a cancel in mid-call come to, in the words of a job's errors. Knows no engine code: the
child (services/worker/engines/host.py) may run another Python with other packages.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from services.worker.engines.base import SpeakRequest
from services.worker.memory.amounts import NOTHING, Amount
from services.worker.memory.devices import rss_mb
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure
from shared.hosting import Child, Frame, HostCrashed

TICK_S = 0.2
"""While the child works, ``tick`` is called this often."""
GRACE_S = 0.5
"""A child whose answer nobody wants any more has this long to give it, and so stays alive for the next request."""
ANSWER_S = 5.0
"""For what takes no work."""

HOST = (sys.executable, "-m", "services.worker.engines.host")
"""The command line of a host in this Python; the pin follows."""

Tick = Callable[[], None]


def never_mind() -> None:
    """The tick of a caller that waits whatever happens."""


class EngineHost:
    """One child process that serves one pin. For one thread at a time.

    Every call raises `JobFailure`: ``engine_crashed`` (not final: it may go well in a new host) where the child dies,
    ``engine_timeout`` where it does not answer in time, after which it is killed, ``out_of_memory`` where it takes more
    than `most_rss_mb`, likewise, and else what the engine says. What ``tick`` raises passes through; a child that does
    not come to an answer within `GRACE_S` after that is killed.
    """

    def __init__(
        self,
        pin: str,
        argv: Sequence[str] = HOST,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        *,
        elsewhere: bool = False,
    ) -> None:
        """``pass_fds``: files that are open for as long as the child lives, whatever becomes of this process.
        ``elsewhere``: ``argv`` runs in another Python than this one."""
        self.pin = pin
        self.most_rss_mb = math.inf
        """So much of the machine's memory may the child take while a call lasts."""
        self._child = Child([*argv, "--pin", pin], env, pass_fds=pass_fds)
        self._loaded: Manifest | None = None
        self._elsewhere = elsewhere
        self._surroundings: Mapping[str, Any] = {}
        self._held = self._peak = NOTHING

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

    @property
    def surroundings(self) -> Mapping[str, Any]:
        """What the environment of a loaded child has otherwise than ours; nothing, unless it runs in another Python."""
        return self._surroundings

    @property
    def held(self) -> Amount:
        """What the child held after the last answer."""
        return self._held

    @property
    def peak(self) -> Amount:
        """The most that it held while it worked on the last answer."""
        return self._peak

    def manifest(self, timeout_s: float, tick: Tick = never_mind) -> Manifest:
        """What the pin can do; loads nothing."""
        return Manifest.from_json(self._ask({"op": "manifest"}, timeout_s, tick).header["ok"])

    def look_around(self, timeout_s: float, tick: Tick = never_mind) -> Mapping[str, Any]:
        """What the child's environment has otherwise than ours, as `surroundings` of a loaded one; loads nothing."""
        if not self._elsewhere:
            return {}
        described: Mapping[str, Any] = self._ask({"op": "describe"}, timeout_s, tick).header["ok"]["surroundings"]
        return described

    def load(self, tick: Tick, timeout_s: float) -> None:
        """Bring the model into memory."""
        answer = self._ask({"op": "load", "describe": self._elsewhere}, timeout_s, tick).header["ok"]
        self._surroundings = answer.get("surroundings", {})
        self._loaded = Manifest.from_json(answer["manifest"])
        self._measured(answer["memory"])

    def limit_gpu(self, vram_mb: float) -> None:
        """Let the engine take no more of its GPU than this; beyond it, it is out of memory."""
        self._ask({"op": "limit", "vram_mb": vram_mb}, ANSWER_S, never_mind)

    def speak(self, request: SpeakRequest, *, sample_rate: int | None, deadline_s: float, tick: Tick) -> Audio:
        """Speak one piece, at ``sample_rate`` Hz or at the pin's own rate, within ``deadline_s`` seconds from now."""
        (audio,) = self.speak_batch([request], sample_rate=sample_rate, deadline_s=deadline_s, tick=tick)
        return audio

    def speak_batch(
        self, requests: Sequence[SpeakRequest], *, sample_rate: int | None, deadline_s: float, tick: Tick
    ) -> list[Audio]:
        """Speak several in one go, at most the manifest's ``max_batch``; they differ in text and seed alone."""
        asked = {"op": "speak", "requests": [one.to_json() for one in requests], "sample_rate": sample_rate}
        frame = self._ask(asked, deadline_s, tick)
        answer = frame.header["ok"]
        self._measured(answer["memory"])
        return [Audio(pcm, answer["sample_rate"]) for pcm in _cut(frame.payload, answer["sizes"])]

    def close(self) -> None:
        """End the child. May be called again."""
        self._child.kill()

    def _measured(self, memory: Mapping[str, float]) -> None:
        self._held = Amount(memory["rss_mb"], memory.get("vram_mb", 0.0))
        self._peak = Amount(memory["peak_rss_mb"], memory.get("peak_vram_mb", 0.0)).at_least(self._held)

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
            self._watch()
            try:
                tick()
            except BaseException:
                self._settle()
                raise
        return None

    def _watch(self) -> None:
        if (taken := rss_mb(self.pid)) > self.most_rss_mb:
            self._child.kill()
            raise JobFailure(
                FailureCode.OUT_OF_MEMORY,
                f"its host took {taken:,.0f} MB, and {self.most_rss_mb:,.0f} MB are left for it",
            )

    def _settle(self) -> None:
        """Wait a moment for the answer that nobody wants; without it the next one would be taken for the wrong one."""
        try:
            answered = self._child.receive(GRACE_S) is not None
        except HostCrashed:
            answered = False
        if not answered:
            self._child.kill()


def _cut(payload: bytes | memoryview, sizes: Sequence[int]) -> list[bytes]:
    if len(sizes) == 1:
        return [bytes(payload)]  # the same object where it is bytes already
    ends = list(accumulate(sizes))
    return [bytes(payload[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
