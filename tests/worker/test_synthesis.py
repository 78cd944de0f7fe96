"""One job from claim to audio, and every way in which it can end otherwise. Real engine hosts, a store in memory."""

from __future__ import annotations

import threading
import time

import pytest

from services.worker import synthesis
from shared.audio import Audio
from shared.errors import FailureCode
from shared.jobs import FacetStatus, Status
from tests.worker.workshop import Workshop

LONG = "The ferry left at noon. " * 60


def _soon(workshop: Workshop, job_id: str, status: Status) -> None:
    deadline = time.monotonic() + 20
    while workshop.job(job_id).status is not status:
        assert time.monotonic() < deadline, workshop.job(job_id)
        time.sleep(0.02)


def test_a_job_becomes_audio_that_is_stored_by_its_hash(workshop: Workshop) -> None:
    job_id = workshop.add("The ferry left at noon.")
    synthesis.run(workshop.deps)
    job = workshop.job(job_id)
    assert job.status is Status.SUCCEEDED
    assert job.audio is not None
    audio = Audio(workshop.deps.blobs.get(job.audio.pcm_sha256), job.audio.sample_rate)
    assert (audio.sha256, audio.duration_s) == (job.audio.pcm_sha256, job.audio.duration_s)
    assert job.audio.pieces[-1].end_s == job.audio.duration_s


def test_the_scorer_is_told_once_there_is_audio(workshop: Workshop) -> None:
    job_id = workshop.add("The ferry left at noon.")
    synthesis.run(workshop.deps)
    assert workshop.sounds.woken[-1] == "scorer"
    events = [event for named, event in workshop.sounds.announced if named == job_id]
    assert events == ["starting", "processing", "succeeded"]


def test_a_long_text_is_spoken_in_pieces_that_follow_one_another(workshop: Workshop) -> None:
    job_id = workshop.add(LONG)
    synthesis.run(workshop.deps)
    audio = workshop.job(job_id).audio
    assert audio is not None
    assert len(audio.pieces) > 1
    for before, after in zip(audio.pieces, audio.pieces[1:], strict=False):
        assert before.start_s < before.end_s < after.start_s


def test_one_wake_up_is_answered_with_all_that_is_queued(workshop: Workshop) -> None:
    job_ids = [workshop.add(f"Number {number}.") for number in range(5)]
    synthesis.run(workshop.deps)
    assert {workshop.job(job_id).status for job_id in job_ids} == {Status.SUCCEEDED}


def test_whoever_takes_a_job_sends_a_wake_up_for_the_next_before_speaking_it(workshop: Workshop) -> None:
    workshop.add("The ferry left at noon.")
    synthesis.run(workshop.deps)
    assert workshop.sounds.woken.index("espeak") < workshop.sounds.woken.index("scorer")


def test_another_lock_than_the_accepted_one_is_not_spoken(workshop: Workshop) -> None:
    job_id = workshop.add("The ferry left at noon.", lock_sha256="f" * 64)
    synthesis.run(workshop.deps)
    job = workshop.job(job_id)
    assert job.error is not None
    assert (job.status, job.error.code) == (Status.FAILED, "model_lock_mismatch")


def test_a_control_of_a_newer_version_is_refused_by_name_and_other_jobs_are_spoken(workshop: Workshop) -> None:
    newer = workshop.add("The ferry left at noon.", controls={"speed": "native", "vibrato": "native"})
    known = workshop.add("The ferry left at noon.", controls={"speed": "native"})
    synthesis.run(workshop.deps)
    failed = workshop.job(newer)
    assert (failed.status, workshop.job(known).status) == (Status.FAILED, Status.SUCCEEDED)
    assert failed.error is not None
    assert failed.error.message == "this worker's version does not know vibrato"


def test_an_engine_that_cannot_speak_a_text_fails_the_job_at_once(workshop: Workshop) -> None:
    job_id = workshop.add("…")
    synthesis.run(workshop.deps)
    job = workshop.job(job_id)
    assert job.error is not None
    assert (job.status, job.attempt) == (Status.FAILED, 1)
    assert job.error.code == "engine_returned_nothing"
    assert (job.scoring.status, job.tracking.status) == (FacetStatus.SKIPPED, FacetStatus.PENDING)


def test_a_host_that_crashes_every_time_costs_the_attempts_and_no_more(workshop: Workshop) -> None:
    poison = workshop.add("kaboom", pin="wobble-crash")
    harmless = workshop.add("The ferry left at noon.", pin="wobble-crash")
    for _ in range(4):  # on a busy machine a turn is over with each crash
        synthesis.run(workshop.deps)
    assert (workshop.job(poison).status, workshop.job(poison).attempt) == (Status.FAILED, 3)
    assert workshop.job(harmless).status is Status.SUCCEEDED


def test_a_text_that_takes_too_long_ends_at_its_deadline(workshop: Workshop) -> None:
    job_id = workshop.add("standstill", pin="wobble-hang", timeout_s=0.5)
    synthesis.run(workshop.deps)
    error = workshop.job(job_id).error
    assert error is not None
    assert error.code == "engine_timeout"


def test_cancel_ends_a_job_in_the_middle_of_a_call(workshop: Workshop) -> None:
    job_id = workshop.add("Slowly.", pin="wobble-slow")
    worker = threading.Thread(target=synthesis.run, args=(workshop.deps,))
    worker.start()
    _soon(workshop, job_id, Status.PROCESSING)
    workshop.store.cancel(job_id, workshop.now)
    worker.join(10)
    assert workshop.job(job_id).status is Status.CANCELED


def test_what_a_late_worker_made_is_dropped(workshop: Workshop) -> None:
    job_id = workshop.add("Slowly.", pin="wobble-slow")
    worker = threading.Thread(target=synthesis.run, args=(workshop.deps,))
    worker.start()
    _soon(workshop, job_id, Status.PROCESSING)
    workshop.now += workshop.deps.lease_s + 1
    workshop.deps.stopping.set()  # it must not take the job a second time
    workshop.store.sweep(workshop.now, tracking_budget_s=1e6, idempotency_s=1e6)
    worker.join(10)
    assert (workshop.job(job_id).status, workshop.job(job_id).attempt) == (Status.QUEUED, 1)


def test_a_worker_that_is_stopped_hands_back_what_it_cannot_finish(workshop: Workshop) -> None:
    workshop.deps.grace_s = 0.2
    job_id = workshop.add("Slowly.", pin="wobble-slow")
    worker = threading.Thread(target=synthesis.run, args=(workshop.deps,))
    worker.start()
    _soon(workshop, job_id, Status.PROCESSING)
    workshop.deps.stop()
    worker.join(10)
    assert workshop.job(job_id).status is Status.QUEUED


def test_a_worker_that_is_stopped_takes_no_more_jobs(workshop: Workshop) -> None:
    workshop.deps.stop()
    job_id = workshop.add("The ferry left at noon.")
    synthesis.run(workshop.deps)
    assert workshop.job(job_id).status is Status.QUEUED


FAULTS = {
    "speechless": FailureCode.ENGINE_RETURNED_NOTHING,
    "slowed": FailureCode.AUDIO_INVALID,
    "undefined": FailureCode.AUDIO_INVALID,
    "inaudible": FailureCode.ENGINE_RETURNED_NOTHING,
    "truncated": FailureCode.ENGINE_RETURNED_NOTHING,
    "endless": FailureCode.AUDIO_INVALID,
    "overlong": FailureCode.AUDIO_INVALID,
    "twofold": FailureCode.AUDIO_INVALID,
    "exhausted": FailureCode.OUT_OF_MEMORY,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_an_engine_gives_instead_of_speech_is_a_failure_by_name(workshop: Workshop, fault: str) -> None:
    faulty = workshop.add(f"This text is {fault}.", pin="wobble-faulty")
    harmless = workshop.add("The ferry left at noon.", pin="wobble-faulty")
    for _ in range(2):  # on a busy machine the first job takes longer than a turn
        synthesis.run(workshop.deps)
    error = workshop.job(faulty).error
    assert error is not None
    assert error.code is FAULTS[fault]
    assert workshop.job(harmless).status is Status.SUCCEEDED
