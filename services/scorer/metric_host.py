"""Measures clips in a metric host: a child process that may crash or hang without harm to the scorer.

Owns deadlines, restarts, and the words spoken with services/scorer/metrics/host.py. Knows no model library and no
metric's code; it reads the table of families for names and deadlines.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.scorer.metrics.table import TABLE, families_of
from shared.audio import Audio
from shared.catalog import lock_sha256
from shared.hosting import Child, Frame, HostCrashed, HostTimeout
from shared.scores import MetricInfo, Reason, Scored, Unscored, scored_from_json

LOAD_DEADLINE_S = 180.0
"""For starting the host and for loading one family: a cold torch on a busy disk takes most of a minute."""


Families = bool | Sequence[str]
"""As in a job's ``score``: True for the default ones, False for none, or their names."""


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """What one family measured of one clip."""

    family: str
    lock: Mapping[str, Any] | None
    """What decided the values; ``None`` where the family could not be loaded."""
    scores: Mapping[str, Scored]
    seconds: float
    """Wall time of measuring, loading left out."""

    @property
    def lock_sha256(self) -> str | None:
        """What each of the scores carries as ``scorer_lock``."""
        return None if self.lock is None else lock_sha256(self.lock)


def scorers_lock(results: Iterable[FamilyResult]) -> str:
    """SHA-256 over the locks of all families that were loaded, by name; the order of ``results`` does not matter."""
    return lock_sha256({result.family: result.lock_sha256 for result in results if result.lock is not None})


class MetricHost:
    """One metric host, started at first use and again after it died. Not for use from several threads at once.

    ``models``: the folder of fetched weights. ``lock_file``: catalog.lock, for families whose weights are its pins.
    ``funasr_python``: the interpreter that has FunASR, where it is another than this one.
    ``threads``: how many one model may use. ``table``: the module whose `FAMILIES` it measures. ``load_deadline_s``:
    see `LOAD_DEADLINE_S`.
    """

    def __init__(
        self,
        *,
        models: Path,
        lock_file: Path | None = None,
        funasr_python: Path | None = None,
        threads: int = 1,
        table: str = TABLE,
        load_deadline_s: float = LOAD_DEADLINE_S,
    ) -> None:
        self._argv = [sys.executable, "-m", "services.scorer.metrics.host"]
        self._argv += ["--models", str(models), "--threads", str(threads), "--table", table]
        self._argv += [] if lock_file is None else ["--lock", str(lock_file)]
        self._argv += [] if funasr_python is None else ["--funasr-python", str(funasr_python)]
        self._infos = {name: family.info for name, family in families_of(table).items()}
        self._load_deadline_s = load_deadline_s
        self._locks: dict[str, str] = {}
        self._child: Child | None = None
        self._holds: Frame | None = None
        """The clip that the living child has been given."""

    @property
    def infos(self) -> Mapping[str, MetricInfo]:
        """What each family is, by name, in the order in which they are measured."""
        return self._infos

    @property
    def locks(self) -> Mapping[str, str]:
        """By quantity, the ``scorer_lock`` of the families that were loaded so far."""
        return self._locks

    def families(self, asked: Families) -> list[str]:
        """The families that a job's ``score`` names, in the table's order; those that nobody has come last."""
        if isinstance(asked, bool):
            return [name for name, info in self._infos.items() if asked and info.default]
        unknown = sorted(set(asked) - set(self._infos))
        return [name for name in self._infos if name in asked] + unknown

    def names(self, asked: Families) -> list[str]:
        """The names of all values that ``asked`` may give; an unknown family stands for itself."""
        return [name for family in self.families(asked) for name in self._names(family)]

    def measure(
        self,
        audio: Audio,
        *,
        text: str | None = None,
        language: str | None = None,
        reference: Audio | None = None,
        emotion: str | None = None,
        cost: Mapping[str, float] | None = None,
        families: Families = True,
    ) -> list[FamilyResult]:
        """Measure a clip by each of ``families``, in the table's order.

        Never raises for what a metric or a model does: a crash, a hang or missing weights cost the values of that
        family, and the others are measured by a new host. A family that nobody has is one `Unscored` by its name.
        ``reference``: the voice that it should sound like. ``emotion``: its name, where one was asked for by name.
        ``cost``: what the worker measured; members that are no cost are passed over.
        """
        header = {"op": "clip", "sample_rate": audio.sample_rate, "pcm_bytes": len(audio.pcm)}
        header |= {"reference_rate": reference and reference.sample_rate, "text": text, "language": language}
        header |= {"emotion": emotion}
        clip = Frame({**header, "cost": dict(cost or {})}, audio.pcm + (reference.pcm if reference else b""))
        return [self._family(name, clip) for name in self.families(families)]

    def measure_all(
        self,
        audio: Audio,
        *,
        text: str | None = None,
        language: str | None = None,
        reference: Audio | None = None,
        emotion: str | None = None,
        cost: Mapping[str, float] | None = None,
        families: Families = True,
    ) -> tuple[dict[str, Scored], str]:
        """As `measure`, all values in one mapping, and their `scorers_lock`."""
        known: dict[str, Any] = {"text": text, "language": language, "reference": reference, "emotion": emotion}
        results = self.measure(audio, **known, cost=cost, families=families)
        return {name: scored for result in results for name, scored in result.scores.items()}, scorers_lock(results)

    def warm(self, families: Families = True) -> dict[str, Unscored]:
        """Load ``families`` ahead; those that cannot be loaded, and why."""
        refused: dict[str, Unscored] = {}
        for name in self.families(families):
            try:
                self._load(name)
            except _NoValue as error:
                refused[name] = error.why
        return refused

    def close(self) -> None:
        """End the host; the next call starts another."""
        if self._child is not None:
            self._child.kill()
        self._child = self._holds = None

    def __enter__(self) -> MetricHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _names(self, family: str) -> tuple[str, ...]:
        return self._infos[family].names if family in self._infos else (family,)

    def _family(self, family: str, clip: Frame) -> FamilyResult:
        lock: Mapping[str, Any] | None = None
        start = time.monotonic()
        try:
            lock = self._load(family)
            self._give(clip)
            start = time.monotonic()
            deadline_s = self._infos[family].deadline_s
            measured = self._ask(Frame({"op": "measure", "family": family}), deadline_s)["scores"]
            scores = {name: scored_from_json(value) for name, value in measured.items()}
        except _NoValue as error:
            scores = dict.fromkeys(self._names(family), error.why)
        return FamilyResult(family, lock, scores, time.monotonic() - start)

    def _load(self, family: str) -> Mapping[str, Any]:
        if family not in self._infos:
            raise _NoValue(Unscored(Reason.SCORER_ERROR, f"there is no metric family {family!r}"))
        answer = self._ask(Frame({"op": "load", "family": family}), self._load_deadline_s)
        if answer["op"] == "unavailable":
            raise _NoValue(Unscored(Reason(answer["reason"]), answer["detail"]))
        lock: Mapping[str, Any] = answer["lock"]
        self._locks |= dict.fromkeys(self._names(family), lock_sha256(lock))
        return lock

    def _give(self, clip: Frame) -> None:
        if self._holds is not clip:
            self._ask(clip, self._load_deadline_s)
            self._holds = clip

    def _ask(self, request: Frame, deadline_s: float) -> Mapping[str, Any]:
        if self._child is None:
            self._child = Child(self._argv)
        try:
            return self._child.ask(request.header, request.payload, timeout_s=deadline_s).header
        except HostTimeout as error:
            self.close()
            raise _NoValue(Unscored(Reason.SCORER_TIMEOUT, str(error))) from error
        except HostCrashed as error:
            self.close()
            raise _NoValue(Unscored(Reason.SCORER_ERROR, str(error))) from error


class _NoValue(Exception):
    """A family gives no value for this clip; ``why`` stands for each of them."""

    def __init__(self, why: Unscored) -> None:
        super().__init__(why.detail)
        self.why = why
