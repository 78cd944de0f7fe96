"""The runs of evaluations that the runs of their clips hang below.

Owns when one is made: with the first clip that is logged, or when the evaluation itself is. Which run counts is said by
the store.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.scorer.run_record import SuiteItem
from services.scorer.runs import Logged, StudyTracker
from services.scorer.study_records import begun_record
from shared.studies import Home, Study, StudyStore

_MOST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class _Parent:
    run: Logged
    preprocessing: str


class ParentRuns:
    """Safe to call from several threads. Raises as the tracker does."""

    def __init__(self, studies: StudyStore, tracker: StudyTracker) -> None:
        self._studies = studies
        self._tracker = tracker
        self._lock = threading.Lock()
        self._known: dict[str, _Parent] = {}

    def homes(self, job_ids: Collection[str]) -> Mapping[str, Home]:
        """By job id, of those that were spoken for an evaluation."""
        return self._studies.homes(job_ids) if job_ids else {}

    def item(self, home: Home) -> SuiteItem:
        """What the run of a clip says of its evaluation, whose run is there when this returns."""
        with self._lock:  # the first of many clips makes it, and the others wait
            if home.evaluation not in self._known:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                study = self._studies.get([home.evaluation])[home.evaluation]
                self._known[home.evaluation] = _Parent(self.run_of(study), study.asked["preprocessing"])
            parent = self._known[home.evaluation]
        return SuiteItem(home.suite, home.suite_sha256, home.item, parent.run.run_id, parent.preprocessing)

    def run_of(self, study: Study) -> Logged:
        """The run of an evaluation, made where there is none."""
        if study.run_id is not None:
            return Logged(study.run_id, study.run_url or "")

        def keep(run: Logged) -> Logged:
            return Logged(*self._studies.keep_run(study.id, run.run_id, run.url))

        return self._tracker.begin(begun_record(study, self._tracker.limits), keep)
