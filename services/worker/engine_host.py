"""The parent's end of an engine host: one pin in a child process, called with deadlines and interrupted by cancels.

Owns how a crash, a hang and a cancel during a call become errors of a job. Knows no engine code: the child
(services/worker/engines/host.py) may run another Python with other packages.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from services.worker.engines.base import Snapshot, SpeakRequest
from services.worker.memory.amounts import NOTHING, Amount
from services.worker.memory.devices import rss_mb
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure
from shared.processes.hosting import Child, Frame, HostCrashed
from shared.processes.interpreter import run_module
from shared.sandbox.access import Access, with_targets

TICK_S = 0.2
"""While the child works, ``tick`` is called every so many seconds."""
GRACE_S = 0.5
"""Seconds that a child has to finish a call that was interrupted. If it does, it stays alive for the next request."""
ANSWER_S = 5.0
"""Seconds for a request that takes no work."""

HOST = run_module("services.worker.engines.host")
"""The command line of a host in this Python. The pin is appended."""

Tick = Callable[[], None]


def never_mind() -> None:
    """The ``tick`` of a caller that cannot be interrupted."""


class EngineHost:
    """One child process that serves one pin. For one thread at a time.

    Every call raises `JobFailure`:

    - ``engine_crashed`` if the child dies. It is not final: the call may succeed in a new host.
    - ``engine_timeout`` if the child does not answer in time. It is killed.
    - ``out_of_memory`` if the child takes more than `most_rss_mb`. It is killed.
    - the engine's own error otherwise.

    What ``tick`` raises passes through. A child that does not answer within `GRACE_S` after that is killed.
    """

    def __init__(
        self,
        pin: str,
        argv: Sequence[str] = HOST,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        *,
        snapshot: Snapshot | None = None,
        access: Access = Access(),  # noqa: B008 (it is frozen)
    ) -> None:
        """Start the child. ``pass_fds``: files that stay open as long as the child lives, even if this process dies.
        ``snapshot``: for a pin of the catalog; the child may read its files and those of no other pin. ``access``: what
        else it may open."""
        self.pin = pin
        self.most_rss_mb = math.inf
        """MB (1e6 bytes) of the machine's memory that the child may take during a call."""
        more = () if snapshot is None else ("--snapshot", json.dumps(snapshot.to_json()))
        if snapshot is not None:
            access = replace(access, read=(*access.read, *with_targets(snapshot.folder)))
        self._child = Child([*argv, "--pin", pin, *more], env, pass_fds, access=access)
        self._loaded: Manifest | None = None
        self._host_environment: Mapping[str, Any] = {}
        self._held = self._peak = NOTHING
        self._cpu_s = 0.0

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    @property
    def lock_sha256(self) -> str:
        """The lock of the weights that were loaded."""
        return self._manifest.lock_sha256

    @property
    def max_piece_chars(self) -> int:
        return self._manifest.max_piece_chars

    @property
    def host_environment(self) -> Mapping[str, Any]:
        """The loaded child's part of the environment: its Python, and the libraries that its pin is spoken with."""
        return self._host_environment

    @property
    def held(self) -> Amount:
        """The memory that the child held after its last answer."""
        return self._held

    @property
    def peak(self) -> Amount:
        """The most memory that it held while it worked on the last answer."""
        return self._peak

    @property
    def cpu_s(self) -> float:
        """CPU seconds, of all its threads, that the child has spent on speaking so far."""
        return self._cpu_s

    def manifest(self, timeout_s: float, tick: Tick = never_mind) -> Manifest:
        """Return what the pin can do, without loading it."""
        return Manifest.from_json(self._ask({"op": "manifest"}, timeout_s, tick).header["ok"])

    def look_around(self, timeout_s: float, tick: Tick = never_mind) -> Mapping[str, Any]:
        """Return what `host_environment` is once the model is loaded."""
        described: Mapping[str, Any] = self._ask({"op": "describe"}, timeout_s, tick).header["ok"]["host_environment"]
        return described

    def load(self, tick: Tick, timeout_s: float) -> None:
        """Bring the model into memory."""
        answer = self._ask({"op": "load"}, timeout_s, tick).header["ok"]
        self._host_environment = answer["host_environment"]
        self._loaded = Manifest.from_json(answer["manifest"])
        self._measured(answer["memory"])

    def limit_gpu(self, vram_mb: float) -> None:
        """Limit the engine's GPU memory to ``vram_mb`` MB. Beyond it, the engine is out of memory."""
        self._ask({"op": "limit", "vram_mb": vram_mb}, ANSWER_S, never_mind)

    def speak(self, request: SpeakRequest, *, sample_rate: int | None, deadline_s: float, tick: Tick) -> Audio:
        """Speak one piece within ``deadline_s`` seconds from now, at ``sample_rate`` Hz or at the pin's own rate."""
        (audio,) = self.speak_batch([request], sample_rate=sample_rate, deadline_s=deadline_s, tick=tick)
        return audio

    def speak_batch(
        self, requests: Sequence[SpeakRequest], *, sample_rate: int | None, deadline_s: float, tick: Tick
    ) -> list[Audio]:
        """Speak several texts in one call, at most the manifest's ``max_batch``. They differ only in text and seed."""
        with ExitStack() as brought:
            wanted = [self._brought(one, brought).to_json() for one in requests]
            asked = {"op": "speak", "requests": wanted, "sample_rate": sample_rate}
            frame = self._ask(asked, deadline_s, tick)
        answer = frame.header["ok"]
        self._measured(answer["memory"])
        self._cpu_s += answer["cpu_s"]
        return [Audio(pcm, answer["sample_rate"]) for pcm in _cut(frame.payload, answer["sizes"])]

    def close(self) -> None:
        """End the child. May be called again."""
        self._child.kill()

    def _brought(self, request: SpeakRequest, until: ExitStack) -> SpeakRequest:
        """Return the request with copies of its recordings. The child may read the copies, but not the other files
        beside the originals."""

        def copy(path: Path) -> Path:
            if not path.is_file():
                return path  # the engine itself reports that it takes none, or that the file is missing
            brought = self._child.bring(path)
            until.callback(brought.unlink, missing_ok=True)
            return brought

        emotion, reference = request.emotion, request.reference
        if emotion is not None and emotion.audio is not None:
            emotion = replace(emotion, audio=str(copy(Path(emotion.audio))))
        return replace(request, emotion=emotion, reference=None if reference is None else copy(reference))

    def _measured(self, memory: Mapping[str, float]) -> None:
        self._held = Amount(memory["rss_mb"], memory.get("vram_mb", 0.0))
        self._peak = Amount(memory["peak_rss_mb"], memory.get("peak_vram_mb", 0.0)).at_least(self._held)

    @property
    def _manifest(self) -> Manifest:
        assert self._loaded is not None, "load first"
        return self._loaded

    def _ask(self, header: Mapping[str, Any], timeout_s: float, tick: Tick) -> Frame:
        alive = self._child.alive
        try:
            self._child.send(header)
            frame = self._wait(timeout_s, tick)
        except HostCrashed as crash:
            self._child.kill()
            # The child died before this request: an earlier request or something outside ended it, not this job.
            before = not alive and self._loaded is not None
            raise JobFailure(FailureCode.ENGINE_CRASHED, str(crash), final=False, blameless=before) from crash
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
                f"the engine host used {taken:,.0f} MB; it may use {self.most_rss_mb:,.0f} MB",
            )

    def _settle(self) -> None:
        """Wait a moment for the answer to an interrupted call. If it stayed in the pipe, the next call would take it
        for its own."""
        try:
            answered = self._child.receive(GRACE_S) is not None
        except HostCrashed:
            answered = False
        if not answered:
            self._child.kill()


def _cut(payload: bytes | memoryview, sizes: Sequence[int]) -> list[bytes]:
    if len(sizes) == 1:
        return [bytes(payload)]  # no copy if it is bytes already
    ends = list(accumulate(sizes))
    return [bytes(payload[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
