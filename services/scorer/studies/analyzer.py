"""Compares and decides in a child process, so that statistics and drawing neither delay scoring nor crash it.

Owns the life of that child, what is sent to it, and when it is given up. What the child does is in analysis_host.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.scorer.analysis.comparison import evaluated_json
from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.floors import MeasuredFloor
from shared.errors import RingtrueError
from shared.processes.hosting import Child, Frame, HostCrashed, HostTimeout
from shared.processes.interpreter import run_module

HOST = run_module("services.scorer.studies.analysis_host")
DEADLINE_S = 600.0
"""For one study, including the start of the child. A comparison of 350 clips takes seconds."""
_LOOK_EVERY_S = 0.2


class AnalysisFailed(RingtrueError):
    """The child died, hung or met an unexpected error. The same study may succeed at another time."""


class AnalysisRefused(RingtrueError):
    """The study cannot be computed, now or later. ``code`` and the message go into the study's error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class GivenUp(RingtrueError):
    """The caller does not want the answer any more: the lease was lost, or the scorer stops."""


@dataclass(frozen=True)
class Computed:
    """A result: the outcome as JSON, and files by their paths."""

    outcome: Mapping[str, Any]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Sides:
    """The two evaluations that a comparison compares."""

    baseline: Evaluated
    candidate: Evaluated

    def to_json(self) -> dict[str, Any]:
        return {
            "baseline": evaluated_json.to_json(self.baseline),
            "candidate": evaluated_json.to_json(self.candidate),
        }


class Analyzer:
    """Computes one study at a time in a child that the first study starts. Not thread-safe, except `give_up`.

    ``sound``: returns PCM by its hash, raises `KeyError` if it is gone. ``given_up``, an argument of the methods, is
    asked several times a second.
    """

    def __init__(
        self, sound: Callable[[str], bytes], host: Sequence[str] = HOST, deadline_s: float = DEADLINE_S
    ) -> None:
        self._sound = sound
        self._argv = tuple(host)
        self._deadline_s = deadline_s
        self._child: Child | None = None

    def compare(
        self,
        comparison_id: str,
        sides: Sides,
        floors: Mapping[str, MeasuredFloor],
        allow: Collection[str],
        given_up: Callable[[], bool],
    ) -> Computed:
        """Compare two evaluations and draw the report.

        Raises `AnalysisRefused` (not comparable), `AnalysisFailed` or `GivenUp`.
        """
        noise = {
            name: {**one.to_json(), "seeds": one.seeds, "evaluation": one.evaluation} for name, one in floors.items()
        }
        asked = {"id": comparison_id, "floors": noise, "allow": sorted(allow), **sides.to_json()}
        return self._judged("compare", asked, given_up)

    def decide(
        self,
        gate_id: str,
        comparison: Mapping[str, Any],
        sides: Sides,
        rules: Mapping[str, Any],
        given_up: Callable[[], bool],
    ) -> Computed:
        """Apply a gate's rules to a comparison. Raises the same errors as `compare`."""
        asked = {"id": gate_id, "comparison": comparison, "rules": rules, **sides.to_json()}
        return self._judged("decide", asked, given_up)

    def give_up(self) -> None:
        """End the child, from any thread: a send has no deadline, and the child may have stopped reading."""
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """End the child. The next study starts another one."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _judged(self, op: str, asked: Mapping[str, Any], given_up: Callable[[], bool]) -> Computed:
        until = time.monotonic() + self._deadline_s
        try:
            if self._child is None:
                self._child = Child(self._argv)
                # Wait for the child's "ready" before sending: a pipe holds less than a study, and sending has no
                # deadline.
                self._answer(self._child, given_up, until)
            self._child.send({"op": op}, json.dumps(asked).encode())
            answer = self._answer(self._child, given_up, until)
        except BaseException as error:
            self.close()
            if isinstance(error, HostCrashed | HostTimeout):
                raise AnalysisFailed(str(error)) from error
            raise
        return _verdict(answer)

    def _answer(self, child: Child, given_up: Callable[[], bool], until: float) -> Frame:
        """Return the answer to the request, after giving the child all the clips that it asks for first."""
        while True:
            frame = child.receive(_LOOK_EVERY_S)
            if given_up():
                raise GivenUp("the lease was lost, or this scorer is stopping")
            if time.monotonic() > until:
                raise HostTimeout(f"no answer within {self._deadline_s:g} s")
            if frame is not None and frame.header["op"] != "sound":
                return frame
            if frame is not None:
                self._give_sound(child, frame.header["pcm_sha256"])

    def _give_sound(self, child: Child, pcm_sha256: str) -> None:
        try:
            child.send({"op": "sound", "there": True}, self._sound(pcm_sha256))
        except KeyError:
            child.send({"op": "sound", "there": False})


def _verdict(answer: Frame) -> Computed:
    match answer.header["op"]:
        case "refused":
            raise AnalysisRefused(answer.header["code"], answer.header["message"])
        case "failed":
            raise AnalysisFailed(answer.header["error"])
    outcome, *contents = _parts(answer)
    return Computed(json.loads(outcome), dict(zip(answer.header["paths"], contents, strict=True)))


def _parts(answer: Frame) -> list[bytes]:
    """Cut the payload into the parts whose sizes the header names."""
    payload, parts, start = memoryview(answer.payload), [], 0
    for size in answer.header["sizes"]:
        parts.append(bytes(payload[start : start + size]))
        start += size
    return parts
