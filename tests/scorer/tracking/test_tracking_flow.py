"""From a finished job to its recorded run: claims, leases, back-off, and what is missing."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.scorer.tracking import track_clips
from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.runs import (
    CURRENT_LIMITS,
    Logged,
    RunRecord,
    RunStatus,
    Tracker,
    TrackerLimits,
    TrackerRefused,
    TrackerUnavailable,
)
from services.scorer.tracking.surplus_runs import LOOKED_BACK_S
from services.scorer.tracking.track_clips import ClipTrackingDeps
from shared.audio import Audio
from shared.blobs.folder import FolderBlobs
from shared.jobs import FacetStatus, Job, Piece
from shared.scheduling.slots import Slots
from tests.scorer.tracking.tracked_jobs import HAPPY, PCM, Shop
from tests.scorer.tracking_server import Reader, TrackingServer

PNG = b"\x89PNG picture"


class FakeTracker:
    """Keeps records in a list, or raises what it is told to for a while."""

    def __init__(self, *troubles: Exception) -> None:
        self.logged: list[tuple[RunRecord, Mapping[str, bytes]]] = []
        self.most_at_once = 0
        self.may_be_sole: list[bool] = []
        self.was_sole: list[bool] = []
        self._troubles = list(troubles)
        self._at_once = itertools.count()
        self._lock = threading.Lock()
        self._in_flight = 0

    @property
    def limits(self) -> TrackerLimits:
        return CURRENT_LIMITS

    def log(
        self, record: RunRecord, files: Mapping[str, bytes], *, still_sole: Callable[[], bool] | None = None
    ) -> Logged:
        with self._lock:
            self.may_be_sole.append(still_sole is not None)
            self._in_flight += 1
            self.most_at_once = max(self.most_at_once, self._in_flight)
        try:
            self.during(record)
            if still_sole is not None:
                self.was_sole.append(still_sole())
            with self._lock:
                if self._troubles:
                    raise self._troubles.pop(0)
                self.logged.append((record, files))
            return Logged(f"run of {record.subject}", "http://tracker/run")
        finally:
            with self._lock:
                self._in_flight -= 1

    def during(self, record: RunRecord) -> None:
        """What happens while the run is logged."""


class FakePictures:
    def __init__(self, png: bytes | None = PNG) -> None:
        self._png = png

    def draw(self, audio: Audio, *, title: str, pieces: Sequence[Piece] = ()) -> bytes | None:
        return self._png


def run(
    shop: Shop, tracker: Tracker, *, png: bytes | None = PNG, clock: Callable[[], float] | None = None, **more: Any
) -> int:
    pictures, clock = FakePictures(png), clock or shop.clock
    deps = ClipTrackingDeps(Slots([tracker]), shop.store, shop.blobs, pictures, "tracker", clock=clock, **more)
    return track_clips.log_due(deps, tracker)


def tracking(job: Job) -> tuple[FacetStatus, str | None]:
    return job.tracking.status, job.run_id


def test_a_finished_job_is_logged_and_its_run_recorded(shop: Shop) -> None:
    job_id, tracker = shop.spoken(), FakeTracker()
    assert run(shop, tracker) == 1
    job = shop.job(job_id)
    assert tracking(job) == (FacetStatus.DONE, f"run of {job_id}")
    assert job.run_url == "http://tracker/run"


def test_a_run_has_the_audio_as_it_is_served_the_text_and_the_picture(shop: Shop) -> None:
    shop.spoken()
    tracker = FakeTracker()
    run(shop, tracker)
    [(record, files)] = tracker.logged
    assert sorted(files) == ["audio/happy.wav", "picture.png", "text.txt"]
    assert files["audio/happy.wav"].endswith(PCM)
    assert files["text.txt"].decode() == HAPPY.text
    assert files["picture.png"] == PNG
    assert record.tags["tts.model.repo"] == "team/espeak"


def test_without_a_picture_the_run_is_logged_all_the_same(shop: Shop) -> None:
    shop.spoken()
    tracker = FakeTracker()
    assert run(shop, tracker, png=None) == 1
    assert "picture.png" not in tracker.logged[0][1]


@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_a_job_without_audio_is_logged_with_its_text_alone(shop: Shop, end: str) -> None:
    getattr(shop, end)()
    tracker = FakeTracker()
    assert run(shop, tracker) == 1
    [(record, files)] = tracker.logged
    assert record.status is {"failed": RunStatus.FAILED, "canceled": RunStatus.KILLED}[end]
    assert list(files) == ["text.txt"]


def test_audio_whose_blob_is_gone_is_named_and_not_waited_for(shop: Shop) -> None:
    job_id, tracker = shop.spoken(), FakeTracker()
    spoken = shop.job(job_id).audio
    assert spoken is not None
    shop.blobs.delete(spoken.pcm_sha256)
    assert run(shop, tracker) == 1
    [(record, files)] = tracker.logged
    assert record.tags["tts.error"] == f"audio_missing: blob {spoken.pcm_sha256} is missing"
    assert list(files) == ["text.txt"]


def test_everything_due_is_logged_and_no_more_at_once_than_asked(shop: Shop) -> None:
    ids = [shop.spoken() for _ in range(20)]
    tracker = FakeTracker()
    assert run(shop, tracker, in_flight=3) == 20
    assert {record.subject for record, _ in tracker.logged} == set(ids)
    assert tracker.most_at_once <= 3


def test_runs_are_logged_side_by_side(shop: Shop) -> None:
    class Meets(FakeTracker):
        barrier = threading.Barrier(4)

        def during(self, record: RunRecord) -> None:
            self.barrier.wait(20)

    for _ in range(4):
        shop.spoken()
    assert run(shop, Meets(), in_flight=4) == 4


def test_nothing_due_is_nothing_done(shop: Shop) -> None:
    assert run(shop, FakeTracker()) == 0


def test_a_server_that_is_away_postpones_the_job_and_ends_the_round(shop: Shop) -> None:
    first, second = shop.spoken(), shop.spoken()
    assert run(shop, FakeTracker(TrackerUnavailable("away")), in_flight=1) == 0
    delayed = shop.job(first).tracking
    assert delayed.status is FacetStatus.PENDING
    assert delayed.due_at is not None
    assert shop.now + 1 <= delayed.due_at <= shop.now + 2
    assert shop.job(second).tracking.attempt == 0


def test_a_postponed_job_is_logged_once_it_is_due_again(shop: Shop) -> None:
    job_id, tracker = shop.spoken(), FakeTracker(TrackerUnavailable("away"))
    run(shop, tracker)
    assert run(shop, tracker) == 0
    shop.now += 3
    assert run(shop, tracker) == 1
    assert tracking(shop.job(job_id))[0] is FacetStatus.DONE
    assert tracker.may_be_sole == [True, False], "a tracker may skip its searches on the first attempt only"


def test_of_an_old_job_runs_are_looked_for_because_the_store_may_be_restored_from_a_backup(shop: Shop) -> None:
    shop.spoken()
    shop.now += LOOKED_BACK_S
    tracker = FakeTracker()
    assert run(shop, tracker) == 1
    assert tracker.may_be_sole == [False]


def test_waits_double_up_to_five_minutes_and_are_spread() -> None:
    for attempt, longest in ((1, 2), (2, 4), (5, 32), (9, 300), (2000, 300)):
        waits = [track_clips.backoff_s(attempt) for _ in range(50)]
        assert longest / 2 <= min(waits) < max(waits) <= longest


@pytest.mark.parametrize("trouble", [TrackerRefused("no such name"), ZeroDivisionError("nobody foresaw")])
def test_a_job_that_cannot_be_logged_does_not_stop_the_others(
    shop: Shop, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    refused, fine = shop.spoken(), shop.spoken()
    with caplog.at_level(logging.ERROR):
        assert run(shop, FakeTracker(trouble), in_flight=1) == 1
    assert shop.job(refused).tracking.due_at == shop.now + 300
    assert tracking(shop.job(fine))[0] is FacetStatus.DONE
    assert str(trouble) in caplog.text


def test_a_run_logged_after_the_lease_ran_out_is_not_recorded_twice(shop: Shop) -> None:
    class Slow(FakeTracker):
        def during(self, record: RunRecord) -> None:
            shop.now += 1000
            shop.store.sweep(shop.now, tracking_budget_s=86_400, idempotency_s=86_400)
            assert run(shop, FakeTracker()) == 1

    job_id, slow = shop.spoken(), Slow()
    assert run(shop, slow) == 0
    assert shop.job(job_id).tracking.attempt == 2
    assert slow.was_sole == [False], "the second writer began meanwhile, so the first must look for its run"


def test_a_run_that_takes_longer_than_its_lease_keeps_it(tmp_path: Path) -> None:
    shop = Shop(FolderBlobs(tmp_path), now=time.time())

    class Slow(FakeTracker):
        def during(self, record: RunRecord) -> None:
            time.sleep(1.0)
            swept = shop.store.sweep(time.time(), tracking_budget_s=86_400, idempotency_s=86_400)
            assert not swept.any

    shop.spoken()
    assert run(shop, Slow(), clock=time.time, lease_s=0.6) == 1


def test_told_to_stop_it_takes_no_more_jobs(shop: Shop) -> None:
    job_id, stopping = shop.spoken(), threading.Event()
    stopping.set()
    assert run(shop, FakeTracker(), stopping=stopping) == 0
    assert shop.job(job_id).tracking.attempt == 0


def test_the_whole_path_ends_in_mlflow(shop: Shop, server: TrackingServer, reader: Reader, tmp_path: Path) -> None:
    said = [HAPPY, replace(HAPPY, emotion=None), replace(HAPPY, text="好" * 9000)]
    ids = [*(shop.spoken(one) for one in said), shop.failed(), shop.canceled()]
    assert run(shop, MlflowTracker(MlflowHttp(server.uri))) == 5
    runs = [reader.run(job_id) for job_id in ids]
    assert [shop.job(job_id).run_id for job_id in ids] == [one.info.run_id for one in runs]
    assert [one.info.status for one in runs] == ["FINISHED"] * 3 + ["FAILED", "KILLED"]
    assert sorted(reader.files(runs[1], tmp_path)) == ["audio/plain.wav", "picture.png", "text.txt"]


def test_mlflow_may_be_stopped_and_started_again(shop: Shop, server: TrackingServer, reader: Reader) -> None:
    tracker = MlflowTracker(MlflowHttp(server.uri))
    before = shop.spoken()
    assert run(shop, tracker) == 1
    server.stop()
    try:
        during = shop.spoken()
        assert run(shop, tracker) == 0
        assert tracking(shop.job(during)) == (FacetStatus.PENDING, None)
    finally:
        server.start()
    shop.now += 3
    assert run(shop, tracker) == 1
    assert [reader.run(job_id).info.run_id for job_id in (before, during)] == [
        shop.job(before).run_id,
        shop.job(during).run_id,
    ]
