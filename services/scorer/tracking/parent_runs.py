"""The runs of evaluations, which are the parents of their clips' runs.

Owns when one is made: with the first clip that is logged, or with the evaluation itself. The store says which run
counts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.scorer.tracking.run_record import SuiteItem
from services.scorer.tracking.runs import Logged, StudyTracker
from services.scorer.tracking.study_records import begun_record
from shared.studies import Home, Study, StudyStore

_MOST_REMEMBERED = 1000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Parent:
    run: Logged
    preprocessing: str


class ParentRuns:
    """Finds or makes parent runs. Safe to call from several threads. Raises the same errors as the tracker."""

    def __init__(self, studies: StudyStore, tracker: StudyTracker) -> None:
        self._studies = studies
        self._tracker = tracker
        self._lock = threading.Lock()
        self._known: dict[str, _Parent] = {}

    def homes(self, job_ids: Collection[str]) -> Mapping[str, Home]:
        """Return the home of each job that was spoken for an evaluation."""
        return self._studies.homes(job_ids) if job_ids else {}

    def item(self, home: Home) -> SuiteItem:
        """Return what a clip's run says of its evaluation. The evaluation's run exists when this returns."""
        with self._lock:  # the first of many clips makes the run, and the others wait
            if home.evaluation not in self._known:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                study = self._studies.get([home.evaluation])[home.evaluation]
                self._known[home.evaluation] = _Parent(self.run_of(study), study.asked["preprocessing"])
            parent = self._known[home.evaluation]
        return SuiteItem(home.suite, home.suite_sha256, home.item, parent.run.run_id, parent.preprocessing)

    def run_of(self, study: Study) -> Logged:
        """Return the run of an evaluation, made if none is recorded."""
        if study.run_id is not None:
            return Logged(study.run_id, study.run_url or "")

        def keep(run: Logged) -> Logged:
            return Logged(*self._studies.keep_run(study.id, run.run_id, run.url))

        return self._tracker.begin(begun_record(study, self._tracker.limits), keep)

    def run_instead(self, study: Study, gone: str) -> Logged:
        """Return a new run of an evaluation whose run ``gone`` was permanently removed from the server."""
        log.warning("run %s of %s no longer exists in MLflow; creating another one", gone, study.id)
        self._studies.drop_run(study.id, gone)
        with self._lock:
            self._known.pop(study.id, None)
        return self.run_of(self._studies.get([study.id])[study.id])
