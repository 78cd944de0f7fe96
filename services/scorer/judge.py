"""Compares and decides in a child process, so that statistics and drawing hold up no scoring and cannot take it along.

Owns the life of that child, what is said to it, and when it is given up. What it does is in judge_host.py.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.scorer.comparison import evaluated_json
from services.scorer.comparison.evaluated import Evaluated
from services.scorer.comparison.floors import MeasuredFloor
from shared.errors import RingtrueError
from shared.hosting import Child, Frame, HostCrashed, HostTimeout

HOST = (sys.executable, "-m", "services.scorer.judge_host")
DEADLINE_S = 600.0
"""For one study, the start of the child included; a comparison of 350 clips takes seconds."""
_LOOK_EVERY_S = 0.2


class JudgeFailed(RingtrueError):
    """The child died, hung, or met what nobody foresaw; the same study may succeed another time."""


class JudgeRefused(RingtrueError):
    """The study cannot be computed, now or ever."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class GivenUp(RingtrueError):
    """Whoever asked does not want the answer any more."""


@dataclass(frozen=True)
class Verdict:
    """What was computed: JSON, and files by their paths."""

    outcome: Mapping[str, Any]
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Sides:
    """What a comparison is made of."""

    baseline: Evaluated
    candidate: Evaluated

    def to_json(self) -> dict[str, Any]:
        return {
            "baseline": evaluated_json.to_json(self.baseline),
            "candidate": evaluated_json.to_json(self.candidate),
        }


class Judge:
    """One study at a time; not for use from several threads at once. The child starts with the first.

    ``sound``: PCM by its hash, `KeyError` where it is gone. ``given_up``: asked several times a second."""

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
    ) -> Verdict:
        """Compare and draw. Raises `JudgeRefused` (not comparable), `JudgeFailed`, `GivenUp`."""
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
    ) -> Verdict:
        """Hold rules against a comparison. Raises as `compare`."""
        asked = {"id": gate_id, "comparison": comparison, "rules": rules, **sides.to_json()}
        return self._judged("decide", asked, given_up)

    def close(self) -> None:
        """End the child; the next study starts another."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _judged(self, op: str, asked: Mapping[str, Any], given_up: Callable[[], bool]) -> Verdict:
        until = time.monotonic() + self._deadline_s
        try:
            if self._child is None:
                self._child = Child(self._argv)
                # Heard from first: a pipe holds less than a study, and sending has no deadline.
                self._answer(self._child, given_up, until)
            self._child.send({"op": op}, json.dumps(asked).encode())
            answer = self._answer(self._child, given_up, until)
        except BaseException as error:
            self.close()
            if isinstance(error, HostCrashed | HostTimeout):
                raise JudgeFailed(str(error)) from error
            raise
        return _verdict(answer)

    def _answer(self, child: Child, given_up: Callable[[], bool], until: float) -> Frame:
        """The answer to what was asked, after all sounds that the child wants to hear first."""
        while True:
            frame = child.receive(_LOOK_EVERY_S)
            if given_up():
                raise GivenUp("the study is not ours any more, or it is time to stop")
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


def _verdict(answer: Frame) -> Verdict:
    match answer.header["op"]:
        case "refused":
            raise JudgeRefused(answer.header["code"], answer.header["message"])
        case "failed":
            raise JudgeFailed(answer.header["error"])
    outcome, *contents = _parts(answer)
    return Verdict(json.loads(outcome), dict(zip(answer.header["paths"], contents, strict=True)))


def _parts(answer: Frame) -> list[bytes]:
    """The payload, cut as the header says."""
    payload, parts, start = memoryview(answer.payload), [], 0
    for size in answer.header["sizes"]:
        parts.append(bytes(payload[start : start + size]))
        start += size
    return parts
