"""Keeps exactly one run per job and one per evaluation, on a server that has no such rule.

Owns how that is kept. For a job, look for its run before creating one, and look again after; keep one and delete the
others. A writer that is the only one need not look: whoever comes later finds its run. An evaluation's run exists while
its clips are logged, so the store records which one it is, by a compare-and-set. A holder whose lease has run out may
still be writing, so every step must be correct with two writers at work. Knows the server only as the
port `RunServer`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from services.scorer.tracking.runs import Logged, RunRecord, TrackerMissing, TrackerRefused

RunKey = tuple[str, str]
"""Experiment id, and the id of the job or evaluation."""

_WRITE_AGAIN = 3


@dataclass(frozen=True, slots=True)
class ServerRun:
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
    """The requests to the server. Each method is one request, unless it says otherwise."""

    def search(self, keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        """Return the runs of these subjects that are not deleted. One request if the server's filters allow it."""

    def create(self, experiment_id: str, record: RunRecord) -> ServerRun:
        """Create a run with its tags. The only request that is never sent twice."""

    def complete(self, run: ServerRun, record: RunRecord, files: Mapping[str, bytes]) -> None:
        """Write what a new or unfinished run lacks, its status last. Several requests; may be repeated.

        Raises `TrackerRefused` for a run that was deleted.
        """

    def read(self, run_id: str) -> ServerRun: ...

    def delete(self, run_id: str) -> None:
        """Mark a run as deleted: later writes to it are refused. Deleting it again changes nothing."""

    def restore(self, run_id: str) -> None: ...


class OneRun:
    """Writes the one run of a job or of an evaluation."""

    def __init__(self, server: RunServer) -> None:
        self._server = server
        self._looks = SharedSearch(server.search)

    def write(
        self,
        experiment_id: str,
        record: RunRecord,
        files: Mapping[str, bytes],
        *,
        still_sole: Callable[[], bool] | None = None,
    ) -> ServerRun:
        """Find or create the run of the job, and complete it unless it is finished. ``still_sole``: as for
        `runs.Tracker.log`.
        """
        for n in range(_WRITE_AGAIN):
            run = self._found_or_created(experiment_id, record, still_sole if n == 0 else None)
            try:
                if not run.finished:
                    self._server.complete(run, record, files)
            except TrackerRefused:
                if self._is_there(run):
                    raise
                continue  # most likely deleted by a writer that kept another run: the next try finds that one
            return run
        raise TrackerRefused(f"every run that was created for {record.subject} was deleted immediately")

    def _is_there(self, run: ServerRun) -> bool:
        try:
            return not self._server.read(run.run_id).deleted
        except TrackerMissing:
            return False

    def _found_or_created(
        self, experiment_id: str, record: RunRecord, still_sole: Callable[[], bool] | None
    ) -> ServerRun:
        key = (experiment_id, record.subject)
        found = self._looks.find(key) if still_sole is None else ()
        if not found:
            created = self._server.create(experiment_id, record)
            # Asked only now: a writer that begins after this answer looks for runs after this one was created.
            if still_sole is not None and still_sole():
                return created
            found = [run for run in self._looks.find(key) if run.run_id != created.run_id] + [created]
        return self.settle(found)

    def begin(self, experiment_id: str, record: RunRecord, keep: Callable[[ServerRun], Logged]) -> Logged:
        """Find or create the run of an evaluation. ``keep`` records a run and returns the one that was recorded first.

        A writer that finds another run than the recorded one deletes it. If it dies before that, `complete` deletes the
        run.
        """
        runs = self._looks.find((experiment_id, record.subject)) or [self._server.create(experiment_id, record)]
        kept = keep(min(runs, key=lambda run: (run.start_ms, run.run_id)))
        self._delete_others(runs, kept.run_id)
        return kept

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        """Complete a run that was begun, unless it is finished. Delete the runs that other writers began."""
        run = self._server.read(run_id)
        self._delete_others(self._looks.find((run.experiment_id, record.subject)), run_id)
        if not run.finished:
            self._server.complete(run, record, files)

    def _delete_others(self, runs: Sequence[ServerRun], kept: str) -> None:
        for run in runs:
            if run.run_id != kept:
                self._server.delete(run.run_id)

    def settle(self, found: Sequence[ServerRun], recorded: str | None = None) -> ServerRun:
        """Keep one run of a job and delete the others: the ``recorded`` one, else a finished one, else the oldest.

        Runs of one job have the same start time, so among new ones the id decides, in the same way for every writer.
        """
        stays, *others = sorted(found, key=lambda r: (r.run_id != recorded, not r.finished, r.start_ms, r.run_id))
        for other in others:
            self._server.delete(other.run_id)
            if stays.run_id != recorded and not stays.finished and self._server.read(other.run_id).finished:
                # Its writer finished it between the look and the delete, so it may already be recorded with the job.
                self._server.restore(other.run_id)
                self._server.delete(stays.run_id)
                stays = replace(other, finished=True)
        return stays


@dataclass
class _Round:
    """Keys that are searched for together."""

    keys: set[RunKey] = field(default_factory=set)
    found: Mapping[RunKey, Sequence[ServerRun]] | None = None
    error: Exception | None = None


class SharedSearch:
    """Runs one search at a time, for all keys that were asked for since the last one began.

    A search makes the server scan all its runs, so eight threads share one instead of paying for eight. An answer is
    never older than its question.
    """

    def __init__(self, search: Callable[[Collection[RunKey]], Mapping[RunKey, Sequence[ServerRun]]]) -> None:
        self._search = search
        self._gathering = _Round()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    @property
    def asking(self) -> int:
        """Number of jobs that the next search will look for."""
        with self._lock:
            return len(self._gathering.keys)

    def find(self, key: RunKey) -> Sequence[ServerRun]:
        """Return the runs of one job. Raises what the search raised, in every thread that shared it."""
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
        # Closed before the search begins: a later question must not get the answer of an earlier search.
        with self._lock:
            self._gathering = _Round()
        try:
            this.found = self._search(this.keys)
        except Exception as error:  # not handled here: every thread of the round raises it
            this.error = error
