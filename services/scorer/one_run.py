"""Exactly one run per job and one per evaluation, on a server that knows no such rule.

Owns how that is kept. A job's run: look for it before creating, look again after; one stays and the others are deleted.
An evaluation's run lives on while its clips are logged, so the store says which one it is, by a compare-and-set.
Whoever holds a lease that has run out may still be writing, so every step must hold with two writers at work. Knows the
server only as the port `RunServer`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from services.scorer.runs import Logged, RunRecord, TrackerRefused

RunKey = tuple[str, str]
"""Experiment id, and id of the job or evaluation."""

_WRITE_AGAIN = 3


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the server has it. ``finished``: its status says that everything was written."""

    run_id: str
    experiment_id: str
    subject: str
    start_ms: int
    finished: bool
    artifact_uri: str
    deleted: bool = False
    new: bool = False
    """Created by this call, with its tags."""


class RunServer(Protocol):
    """What is asked of the server. Each method is one request, unless it says otherwise."""

    def search(self, keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[Run]]:
        """Runs of these subjects that are not deleted; one request wherever the server's filters allow."""

    def create(self, experiment_id: str, record: RunRecord) -> Run: ...

    def complete(self, run: Run, record: RunRecord, files: Mapping[str, bytes]) -> None:
        """Write what a new or unfinished run lacks, its status last. Several requests; may be repeated.

        Raises `TrackerRefused` for a run that was deleted."""

    def read(self, run_id: str) -> Run: ...

    def delete(self, run_id: str) -> None:
        """Mark as deleted: what is written to it from now on is refused. Deleting again changes nothing."""

    def restore(self, run_id: str) -> None: ...


class OneRun:
    """Writes the one run of a job or of an evaluation."""

    def __init__(self, server: RunServer) -> None:
        self._server = server
        self._looks = SharedSearch(server.search)

    def write(self, experiment_id: str, record: RunRecord, files: Mapping[str, bytes]) -> Run:
        """Find or create the run of the job, and complete it unless it is finished."""
        for _ in range(_WRITE_AGAIN):
            run = self._found_or_created(experiment_id, record)
            try:
                if not run.finished:
                    self._server.complete(run, record, files)
            except TrackerRefused:
                if not self._server.read(run.run_id).deleted:
                    raise
                continue  # another writer of this job settled on another run: that one is completed
            return run
        raise TrackerRefused(f"every run made for {record.subject} was deleted at once")

    def _found_or_created(self, experiment_id: str, record: RunRecord) -> Run:
        key = (experiment_id, record.subject)
        found = self._looks.find(key)
        if not found:
            created = self._server.create(experiment_id, record)
            found = [run for run in self._looks.find(key) if run.run_id != created.run_id] + [created]
        return self.settle(found)

    def begin(self, experiment_id: str, record: RunRecord, keep: Callable[[Run], Logged]) -> Logged:
        """Find or create the run of an evaluation; ``keep`` records one and says which one was recorded first.

        Whoever meets another run than the recorded one deletes it. What a writer leaves that dies in between is deleted
        by `complete`."""
        found = self._server.search([(experiment_id, record.subject)]).get((experiment_id, record.subject), ())
        runs = found or [self._server.create(experiment_id, record)]
        kept = keep(min(runs, key=lambda run: (run.start_ms, run.run_id)))
        self._delete_others(runs, kept.run_id)
        return kept

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        """Complete a run that was begun, unless it is finished, and delete what others began."""
        run = self._server.read(run_id)
        found = self._server.search([(run.experiment_id, record.subject)]).get((run.experiment_id, record.subject), ())
        self._delete_others(found, run_id)
        if not run.finished:
            self._server.complete(run, record, files)

    def _delete_others(self, runs: Sequence[Run], kept: str) -> None:
        for run in runs:
            if run.run_id != kept:
                self._server.delete(run.run_id)

    def settle(self, found: Sequence[Run], recorded: str | None = None) -> Run:
        """Keep one run of a job and delete the others: the ``recorded`` one, else a finished one, else the oldest.

        Runs of one job start at the same time, so that among new ones the id decides, for every writer alike."""
        stays, *others = sorted(found, key=lambda r: (r.run_id != recorded, not r.finished, r.start_ms, r.run_id))
        for other in others:
            self._server.delete(other.run_id)
            if stays.run_id != recorded and not stays.finished and self._server.read(other.run_id).finished:
                # Its writer finished it between our look and our delete, so it may be recorded with the job already.
                self._server.restore(other.run_id)
                self._server.delete(stays.run_id)
                stays = replace(other, finished=True)
        return stays


@dataclass
class _Round:
    """Keys that are looked for together."""

    keys: set[RunKey] = field(default_factory=set)
    found: Mapping[RunKey, Sequence[Run]] | None = None
    error: Exception | None = None


class SharedSearch:
    """One search at a time, for everything that was asked for since the last one began.

    A search costs the server a scan over all its runs, so that eight threads share one rather than pay for eight. An
    answer is never older than its question."""

    def __init__(self, search: Callable[[Collection[RunKey]], Mapping[RunKey, Sequence[Run]]]) -> None:
        self._search = search
        self._gathering = _Round()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    @property
    def asking(self) -> int:
        """Jobs that the next search will look for."""
        with self._lock:
            return len(self._gathering.keys)

    def find(self, key: RunKey) -> Sequence[Run]:
        """Runs of one job. Raises what the search raised, for everybody who shared it."""
        with self._lock:
            mine = self._gathering
            mine.keys.add(key)
        with self._turn:
            if mine.found is None and mine.error is None:
                self._run(mine)
        if mine.error is not None:
            raise mine.error
        assert mine.found is not None
        return mine.found.get(key, ())

    def _run(self, this: _Round) -> None:
        with self._lock:
            self._gathering = _Round()
        try:
            this.found = self._search(this.keys)
        except Exception as error:  # not handled here: handed to every thread of the round
            this.error = error
