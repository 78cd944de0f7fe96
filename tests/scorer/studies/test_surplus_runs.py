"""Runs beside the recorded ones are deleted now and then, by one scorer of all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pytest

from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.runs import TrackerUnavailable
from services.scorer.tracking.surplus_runs import EVERY_S, LOOKED_BACK_S, SurplusRuns
from services.scorer.tracking.track_clips import MAX_BACKOFF_S
from tests.scorer.studies.desk import Desk, logged
from tests.scorer.studies.fake_tracker import FakeTracker
from tests.scorer.tracking_server import Reader, TrackingServer


class Reconciler:
    """Remembers since when it was asked, or raises what it is told to for a while."""

    def __init__(self, *troubles: Exception) -> None:
        self.asked: list[float] = []
        self._troubles = list(troubles)

    def reconcile(self, since: float, recorded: Callable[[Collection[str]], Mapping[str, str]]) -> int:
        self.asked.append(since)
        if self._troubles:
            raise self._troubles.pop(0)
        return 0


def surplus(desk: Desk, tracker: Reconciler | MlflowTracker, holder: str = "scorer-1") -> SurplusRuns:
    return SurplusRuns(tracker, desk.store, desk.studies, holder, lambda: desk.now)


def test_runs_beside_the_recorded_ones_are_deleted(desk: Desk, server: TrackingServer, reader: Reader) -> None:
    tracker, id_ = MlflowTracker(MlflowHttp(server.uri)), desk.evaluation()
    parent = logged(desk, tracker, id_)
    job = desk.jobs(id_)[0]
    experiment = reader.client.get_run(parent).info.experiment_id
    for tags in ({"tts.evaluation_id": id_}, {"tts.job_id": job.id}):
        reader.client.create_run(experiment, start_time=round(desk.now * 1000), tags=tags)
    surplus(desk, tracker).turn()
    assert [run.info.run_id for run in reader.evaluation_runs(id_, "ringtrue/little")] == [parent]
    assert [run.info.run_id for run in reader.runs(job.id, "ringtrue/little")] == [job.run_id]


def test_what_is_not_recorded_is_left_to_whoever_logs_it(desk: Desk) -> None:
    class Asks(Reconciler):
        def reconcile(self, since: float, recorded: Callable[[Collection[str]], Mapping[str, str]]) -> int:
            self.known = recorded([done, done_clip.job_id, waiting, waiting_clip.job_id, "job_unknown"])
            return 2

    done = desk.evaluation()
    run_id = logged(desk, FakeTracker(), done)
    waiting = desk.evaluation()
    done_clip, waiting_clip = desk.clips(done)[0], desk.clips(waiting)[0]
    tracker = Asks()
    surplus(desk, tracker).turn()
    assert tracker.known == {done: run_id, done_clip.job_id: desk.jobs(done)[0].run_id}


def test_one_scorer_of_all_looks_and_not_again_before_its_time(desk: Desk) -> None:
    tracker, began = Reconciler(), desk.now
    all_of_them = [surplus(desk, tracker, f"scorer-{number}") for number in range(3)]
    for wait_s in (0, 5, EVERY_S):
        desk.now += wait_s
        for one in all_of_them:
            one.turn()
    assert tracker.asked == [began - LOOKED_BACK_S, began + 5 + EVERY_S - LOOKED_BACK_S]


def test_a_server_that_is_away_is_asked_again_in_minutes(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    tracker = Reconciler(TrackerUnavailable("away"))
    one = surplus(desk, tracker)
    one.turn()
    one.turn()
    assert caplog.text.count("away") == len(tracker.asked) == 1
    desk.now += MAX_BACKOFF_S
    one.turn()
    assert len(tracker.asked) == 2


def test_what_nobody_foresaw_is_said_and_stops_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    one = surplus(desk, Reconciler(ZeroDivisionError("nobody foresaw")))
    one.turn()
    assert "nobody foresaw" in caplog.text
    desk.now += EVERY_S
    one.turn()
