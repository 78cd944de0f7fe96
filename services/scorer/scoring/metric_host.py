"""Measures clips in a metric host: a child process that may crash or hang without harm to the scorer.

Owns the deadlines, the restarts and this side of the protocol with services/scorer/metrics/host.py. Knows no model
library and no metric's code; it reads names and deadlines from the table of families.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.scorer.metrics.table import TABLE, families_of
from shared.audio import Audio
from shared.catalog import lock_sha256
from shared.errors import RingtrueError
from shared.processes.hosting import Child, Frame, HostCrashed, HostTimeout
from shared.processes.interpreter import run_module
from shared.readings.pronunciation import Pronunciation
from shared.sandbox.access import Access, readable
from shared.sandbox.room import Room
from shared.scores import MetricInfo, Reason, Scored, Unscored, scored_from_json

LOAD_DEADLINE_S = 180.0
"""Seconds to start the host and load one family. A cold torch on a busy disk takes most of a minute."""


Families = bool | Sequence[str]
"""As in a job's ``score``: True for the default families, False for none, or the names of families."""


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """The values that one family measured in one clip."""

    family: str
    lock: Mapping[str, Any] | None
    """What the values depend on: weights, versions, parameters. ``None`` if the family could not be loaded."""
    scores: Mapping[str, Scored]
    seconds: float
    """Wall time of the measurement, without loading."""

    @property
    def lock_sha256(self) -> str | None:
        """The hash that each score carries as ``scorer_lock``."""
        return None if self.lock is None else lock_sha256(self.lock)


def scorers_lock(results: Iterable[FamilyResult]) -> str:
    """Return a SHA-256 over the locks of all families that were loaded. The order of ``results`` does not matter."""
    return lock_sha256({result.family: result.lock_sha256 for result in results if result.lock is not None})


class MetricHost:
    """One metric host. It is started at its first use and again after it died. Not thread-safe.

    ``models``: the folder of fetched weights. ``lock_file``: catalog.lock, for families whose weights are pins in it.
    ``funasr_python``: the interpreter that has FunASR, if it is not this one. ``threads``: how many threads one model
    may use. ``table``: the module whose families are measured. ``load_deadline_s``: see `LOAD_DEADLINE_S`. ``env``:
    the environment that the host's own is chosen from; by default this process's.
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
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._argv = [*run_module("services.scorer.metrics.host")]
        self._argv += ["--models", str(models), "--threads", str(threads), "--table", table]
        self._lock_file, self._env = lock_file, env
        self._access = Access(read=(models, *_around(funasr_python)))
        self._argv += [] if funasr_python is None else ["--funasr-python", str(funasr_python)]
        self._infos = families_of(table)
        self._load_deadline_s = load_deadline_s
        self._locks: dict[str, str] = {}
        self._loaded: dict[str, Mapping[str, Any]] = {}
        """What the running child has loaded: the lock of each family."""
        self._child: Child | None = None
        self._room: Room | None = None
        self._shown: tuple[int, int] | None = None
        self._over = False
        self._holds: Frame | None = None
        """The clip that the running child was given last."""

    @property
    def infos(self) -> Mapping[str, MetricInfo]:
        """Each family's facts by its name, in the order in which families are measured."""
        return self._infos

    @property
    def locks(self) -> Mapping[str, str]:
        """The ``scorer_lock`` of each quantity whose family has been loaded so far."""
        return self._locks

    def families(self, asked: Families) -> list[str]:
        """Return the families that a job's ``score`` names, in the table's order. Unknown names come last."""
        if isinstance(asked, bool):
            return [name for name, info in self._infos.items() if asked and info.default]
        unknown = sorted(set(asked) - set(self._infos))
        return [name for name in self._infos if name in asked] + unknown

    def names(self, asked: Families) -> list[str]:
        """Return the names of all values that ``asked`` gives for certain. An unknown family is listed by its own
        name."""
        certain = (family for family in self.families(asked) if not self._where_pulled(family, asked))
        return [name for family in certain for name in self._names(family)]

    def measure(
        self,
        audio: Audio,
        *,
        text: str | None = None,
        language: str | None = None,
        reference: Audio | None = None,
        emotion: str | None = None,
        pronunciation: Pronunciation | None = None,
        cost: Mapping[str, float] | None = None,
        families: Families = True,
    ) -> list[FamilyResult]:
        """Measure a clip with each of ``families``, in the table's order.

        Does not raise for what a metric or a model does: a crash, a hang or missing weights cost the values of that
        family only, and a new host measures the other families. A name that is no family gives one `Unscored` under
        that name. Raises `MeasuringAbandoned` after `give_up`. ``reference``: the voice that the clip should sound
        like. ``emotion``: its name, if the job named one. ``cost``: what the worker measured; members that are no cost
        are ignored. ``pronunciation``: what is judged of it, if the job says so.
        """
        header = {"op": "clip", "sample_rate": audio.sample_rate, "pcm_bytes": len(audio.pcm)}
        header |= {"reference_rate": reference and reference.sample_rate, "text": text, "language": language}
        header |= {"emotion": emotion, "pronunciation": pronunciation and pronunciation.to_json()}
        clip = Frame({**header, "cost": dict(cost or {})}, audio.pcm + (reference.pcm if reference else b""))
        applying = [one for one in self.families(families) if pronunciation or not self._needs_one(one, families)]
        results = [self._family(name, clip) for name in applying]
        return [one for one in results if not self._left_out(one.family, one.scores.values(), families)]

    def measure_all(
        self,
        audio: Audio,
        *,
        text: str | None = None,
        language: str | None = None,
        reference: Audio | None = None,
        emotion: str | None = None,
        pronunciation: Pronunciation | None = None,
        cost: Mapping[str, float] | None = None,
        families: Families = True,
    ) -> tuple[dict[str, Scored], str]:
        """Return the values that `measure` gives, in one mapping, and their `scorers_lock`."""
        known: dict[str, Any] = {"text": text, "language": language, "reference": reference, "emotion": emotion}
        results = self.measure(audio, **known, pronunciation=pronunciation, cost=cost, families=families)
        return {name: scored for result in results for name, scored in result.scores.items()}, scorers_lock(results)

    def warm(self, families: Families = True) -> dict[str, Unscored]:
        """Load ``families`` before they are needed. Return those that cannot be loaded, with the reason."""
        refused: dict[str, Unscored] = {}
        for name in self.families(families):
            try:
                self._load(name)
            except _NoValue as error:
                if not self._left_out(name, (error.why,), families):
                    refused[name] = error.why
        return refused

    def give_up(self) -> None:
        """End the host for good, from any thread. A measurement in progress raises `MeasuringAbandoned`."""
        self._over = True
        if (child := self._child) is not None:
            child.kill()

    def close(self) -> None:
        """End the host. The next call starts another one."""
        if self._child is not None:
            self._child.kill()
        self._child = self._holds = None
        self._loaded = {}

    def __enter__(self) -> MetricHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _where_pulled(self, family: str, asked: Families) -> bool:
        """Whether ``asked`` wants the family only where its weights have been pulled."""
        return isinstance(asked, bool) and family in self._infos and self._infos[family].where_pulled

    def _needs_one(self, family: str, asked: Families) -> bool:
        """Whether ``asked`` wants the family only for clips that have a pronunciation to judge."""
        return isinstance(asked, bool) and family in self._infos and self._infos[family].needs_pronunciation

    def _left_out(self, family: str, scores: Iterable[Scored], asked: Families) -> bool:
        """Whether the family was not wanted without its weights, and has none."""
        missing = any(isinstance(one, Unscored) and one.reason is Reason.MODEL_NOT_PULLED for one in scores)
        return missing and self._where_pulled(family, asked)

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
            raise _NoValue(Unscored(Reason.SCORER_ERROR, f"unknown metric family {family!r}"))
        if family in self._loaded:
            return self._loaded[family]
        answer = self._ask(Frame({"op": "load", "family": family}), self._load_deadline_s)
        if answer["op"] == "unavailable":
            raise _NoValue(Unscored(Reason(answer["reason"]), answer["detail"]))
        lock: Mapping[str, Any] = answer["lock"]
        self._locks |= dict.fromkeys(self._names(family), lock_sha256(lock))
        self._loaded[family] = lock
        return lock

    def _give(self, clip: Frame) -> None:
        # A clip is sent once to each child and measured by all families. `close` forgets it together with the child.
        if self._holds is not clip:
            self._ask(clip, self._load_deadline_s)
            self._holds = clip

    def _start(self) -> Child:
        """Start a new host. It finds a copy of the lock in the inbox of its room."""
        self._room, self._shown = Room(), None
        named = [] if self._lock_file is None else ["--lock", str(self._room.inbox / self._lock_file.name)]
        return Child([*self._argv, *named], access=self._access, room=self._room, env=self._env)

    def _show_lock(self) -> None:
        """Bring the host's copy of the lock up to date with the file.

        The host may not read the file itself: a file that is replaced has a new inode, which the sandbox would not
        allow, and
        the rest of its folder is none of the host's business.
        """
        if self._lock_file is None or self._room is None:
            return
        try:
            status = self._lock_file.stat()
            if (seen := (status.st_mtime_ns, status.st_ino)) != self._shown:
                self._room.bring(self._lock_file)
                self._shown = seen
        except FileNotFoundError:
            (self._room.inbox / self._lock_file.name).unlink(missing_ok=True)
            self._shown = None

    def _ask(self, request: Frame, deadline_s: float) -> Mapping[str, Any]:
        if self._over:
            raise MeasuringAbandoned("this scorer stops")
        if self._child is None:
            self._child = self._start()
        self._show_lock()
        try:
            return self._child.ask(request.header, request.payload, timeout_s=deadline_s).header
        except HostTimeout as error:
            self.close()
            raise _NoValue(Unscored(Reason.SCORER_TIMEOUT, str(error))) from error
        except HostCrashed as error:
            self.close()
            if self._over:
                raise MeasuringAbandoned("this scorer stops") from error
            raise _NoValue(Unscored(Reason.SCORER_ERROR, str(error))) from error


def _around(python: Path | None) -> tuple[Path, ...]:
    """Return the paths that the other Python needs, for the sandbox of the host that starts it."""
    return () if python is None else tuple(map(Path, readable(Access(), str(python), {})))


class MeasuringAbandoned(RingtrueError):
    """The host was given up while it measured. Nothing is known of the clip, and another scorer may try."""


class _NoValue(Exception):
    """A family gives no value for this clip. ``why`` is recorded for each of its quantities."""

    def __init__(self, why: Unscored) -> None:
        super().__init__(why.detail)
        self.why = why
