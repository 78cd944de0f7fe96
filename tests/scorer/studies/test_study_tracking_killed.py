"""A logger of studies that is killed between any two of its steps leaves nothing twice and nothing out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import partial

import pytest

from services.scorer.tracking.runs import Keep, Logged, RunRecord, RunStatus
from shared.jobs import FacetStatus
from tests.scorer.studies.desk import Desk, logged
from tests.scorer.studies.fake_analyzer import FakeAnalyzer
from tests.scorer.studies.fake_tracker import FakeTracker


class Killed(BaseException):
    """The process is gone: nothing after it is done."""


class Fragile(FakeTracker):
    """Kills its process at its ``when``-th turn: before a request is made, or after it was."""

    def __init__(self, when: int) -> None:
        super().__init__()
        self._turns = itertools.count()
        self._when = when

    def begin(self, record: RunRecord, keep: Keep) -> Logged:
        self._turn()
        run = super().begin(record, partial(self._kept, keep))
        self._turn()
        return run

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        self._turn()
        super().complete(run_id, record, files)
        self._turn()

    def add(self, run_id: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        self._turn()
        super().add(run_id, files, tags)
        self._turn()

    def _kept(self, keep: Keep, run: Logged) -> Logged:
        self._turn()
        kept = keep(run)
        self._turn()
        return kept

    def _turn(self) -> None:
        if next(self._turns) == self._when:
            raise Killed


def until_killed(desk: Desk, tracker: FakeTracker) -> bool:
    """Judge and log until nothing is due; whether that was cut off."""
    try:
        desk.compute(FakeAnalyzer(), tracker)
    except Killed:
        return True
    return False


@pytest.mark.parametrize("when", range(8))
def test_whenever_the_logger_is_killed_everything_is_there_once(desk: Desk, when: int) -> None:
    first = desk.evaluation()
    tracker = Fragile(when + 6)  # so many turns are those of the first evaluation
    logged(desk, tracker, first)
    again = desk.evaluation(cached=desk.clips(first))
    comparison = desk.comparison(again, again)
    assert until_killed(desk, tracker)
    desk.now += 100
    desk.store.sweep(desk.now, tracking_budget_s=1e9, idempotency_s=1e9)
    assert not until_killed(desk, tracker)
    [(run_id, run)] = tracker.of(again).items()
    assert (run.status, run.written) == (RunStatus.FINISHED, 1)
    assert f"comparisons/{comparison}/report.html" in run.files
    assert desk.study(again).run_id == run_id
    assert {desk.study(id_).tracking.status for id_ in (again, comparison)} == {FacetStatus.DONE}
