"""Jobs that are spoken in one go: who goes together, and how a batch that fails still serves each of its jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.worker import synthesis
from services.worker.batches import JobBatch, gathered, smaller, without
from services.worker.loader import Loader
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.errors import FailureCode, JobFailure
from shared.jobs import Job, SpeechInput, Status
from tests.model_stores import ModelStores, tuning
from tests.shared.store.building import new_job
from tests.worker.budgets import budget
from tests.worker.workshop import Workshop

TEXTS = ("The ferry left at noon.", "Nobody was on it.", "The sea was calm.", "Then the rain came.", "It stayed.")


def job(id: str, text: str = "Hello there.", **how: object) -> Job:
    asked = SpeechInput(text, "en", **how)  # type: ignore[arg-type]
    return replace(Job.accepted(new_job(id)), input=asked)


def ids(batches: list[JobBatch]) -> list[list[str]]:
    return [[job.id for job in batch.jobs] for batch in batches]


def test_jobs_that_ask_for_the_same_but_text_and_seed_go_together() -> None:
    jobs = [job("a"), job("b", speed=1.5), job("c", "Another.", seed=7), job("d", speed=1.5), job("e", score=False)]
    assert ids(gathered(jobs, 8, 400)) == [["a", "c", "e"], ["b", "d"]]


def test_a_batch_is_no_larger_than_the_engine_takes() -> None:
    assert ids(gathered([job(name) for name in "abcde"], 2, 400)) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_text_of_several_pieces_goes_by_itself() -> None:
    jobs = [job("a"), job("b", "One is here. Two is there. Three is gone."), job("c")]
    assert ids(gathered(jobs, 8, 20)) == [["a", "c"], ["b"]]


def test_jobs_accepted_for_different_locks_do_not_go_together() -> None:
    assert ids(gathered([job("a"), replace(job("b"), lock_sha256="f" * 64)], 8, 400)) == [["a"], ["b"]]


def test_out_of_memory_is_tried_in_halves_then_with_nothing_beside_it_and_then_stands() -> None:
    failure = JobFailure(FailureCode.GPU_OUT_OF_MEMORY, "")
    (batch,) = gathered([job(name) for name in "abcd"], 8, 400)
    halves = smaller(batch, failure)
    assert ids(halves) == [["a", "b"], ["c", "d"]]
    single = smaller(halves[0], failure)[0]
    (alone,) = smaller(single, failure)
    assert alone.alone
    assert smaller(alone, failure) == []


def test_any_other_failure_of_a_batch_is_laid_on_nobody() -> None:
    failure = JobFailure(FailureCode.ENGINE_CRASHED, "")
    (batch,) = gathered([job(name) for name in "abc"], 8, 400)
    assert ids(smaller(batch, failure)) == [["a"], ["b"], ["c"]]
    assert smaller(smaller(batch, failure)[0], failure) == []


def test_who_left_a_batch_takes_nobody_along() -> None:
    (batch,) = gathered([job("a", "First."), job("b", "Second."), job("c", "Third.")], 8, 400)
    left = without(batch, [batch.jobs[1]])
    assert left is not None
    assert left.texts == ("First.", "Third.")
    assert without(batch, batch.jobs) is None


def test_memory_goes_by_the_longest_text_of_a_batch() -> None:
    (batch,) = gathered([job("a", "Short."), job("b", "Not so very short.")], 8, 400)
    assert batch.chars == 2 * len("Not so very short.")


@pytest.fixture(scope="module")
def served_pins(wobble_path: Path, tmp_path_factory: pytest.TempPathFactory) -> ServedPins:
    model_stores = ModelStores(tmp_path_factory.mktemp("model stores"))
    model_stores.put("several", tuning(max_batch=4))
    model_stores.put("crowded", tuning(max_batch=4, fit_at_once=2))
    model_stores.put("slow", tuning(max_batch=4, takes_s=1.0))
    model_stores.put("cramped", tuning(max_batch=4, fit_at_once=0))
    env = {**os.environ, "PYTHONPATH": str(wobble_path)}
    return ServedPins(
        env=env, catalog_pins=CatalogPins(model_stores.store, model_stores.lock_file), pins=list(model_stores.locks)
    )


@pytest.fixture
def workshop(served_pins: ServedPins, tmp_path: Path) -> Iterator[Workshop]:
    loader = Loader(served_pins, budget(tmp_path / "memory"))
    yield Workshop.around(loader, tmp_path)
    loader.close()


def spoken(workshop: Workshop, pin: str, *texts: str) -> list[Job]:
    added = [workshop.add(text, pin=pin) for text in texts]
    synthesis.run(workshop.deps)
    return [workshop.job(job_id) for job_id in added]


def batch_of(job: Job) -> tuple[str, ...]:
    assert job.audio is not None, job.error
    return job.audio.batch


def test_what_waits_is_spoken_in_full_batches_and_each_clip_says_with_whom(workshop: Workshop) -> None:
    jobs = spoken(workshop, "several", *TEXTS)
    assert {job.status for job in jobs} == {Status.SUCCEEDED}
    assert [batch_of(job) for job in jobs[:4]] == [tuple(job.id for job in jobs[:4])] * 4
    assert batch_of(jobs[4]) == ()


def test_a_job_by_itself_is_not_kept_waiting_for_others(workshop: Workshop) -> None:
    (job,) = spoken(workshop, "several", TEXTS[0])
    assert batch_of(job) == ()


def test_the_same_batch_is_the_same_sound_and_another_batch_another(workshop: Workshop) -> None:
    first, again, other = (spoken(workshop, "several", *texts)[0] for texts in (TEXTS[:3], TEXTS[:3], TEXTS[:2]))
    sounds = [job.audio.pcm_sha256 for job in (first, again, other) if job.audio]
    assert sounds[0] == sounds[1] != sounds[2]


def test_a_batch_that_does_not_fit_is_spoken_in_halves(workshop: Workshop) -> None:
    jobs = spoken(workshop, "crowded", *TEXTS[:4])
    assert [len(batch_of(job)) for job in jobs] == [2, 2, 2, 2]
    assert {job.attempt for job in jobs} == {1}


def test_what_does_not_fit_even_alone_fails_by_name_and_the_next_job_is_served(workshop: Workshop) -> None:
    jobs = spoken(workshop, "cramped", *TEXTS[:3])
    assert {job.error.code for job in jobs if job.error} == {FailureCode.GPU_OUT_OF_MEMORY}
    assert {job.status for job in jobs} == {Status.FAILED}
    assert spoken(workshop, "several", TEXTS[0])[0].status is Status.SUCCEEDED


def test_one_that_cannot_be_spoken_fails_alone(workshop: Workshop) -> None:
    jobs = spoken(workshop, "several", TEXTS[0], "…", TEXTS[1])
    assert [job.status for job in jobs] == [Status.SUCCEEDED, Status.FAILED, Status.SUCCEEDED]


def test_one_that_is_canceled_on_the_way_takes_nobody_along(workshop: Workshop) -> None:
    added = [workshop.add(text, pin="slow") for text in TEXTS[:3]]
    claimed = workshop.store.claim("here/0", ["slow"], [], 15.0, workshop.now, {"slow": 4})
    workshop.store.cancel(added[1], workshop.now)
    synthesis.speak(workshop.deps, synthesis.Slot("here/0", workshop.loader), claimed)
    statuses = [workshop.job(job_id).status for job_id in added]
    assert statuses == [Status.SUCCEEDED, Status.CANCELED, Status.SUCCEEDED]


def test_a_worker_that_is_told_to_stop_hands_all_of_a_batch_back(workshop: Workshop) -> None:
    added = [workshop.add(text, pin="several") for text in TEXTS[:3]]
    claimed = workshop.store.claim("here/0", ["several"], [], 15.0, workshop.now, {"several": 4})
    workshop.deps.grace_s = -1.0
    workshop.deps.stop()
    synthesis.speak(workshop.deps, synthesis.Slot("here/0", workshop.loader), claimed)
    assert {workshop.job(job_id).status for job_id in added} == {Status.QUEUED}
