"""Trouble of a worker's own is not its jobs': they are handed back or passed on, and done once it is over."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any

import pytest

from services.worker import synthesis
from services.worker.fitness import Fitness
from shared.blobs.folder import FolderBlobs
from shared.errors import StorageUnavailable, StoreUnavailable
from shared.jobs import MAX_ATTEMPTS, Status
from tests.memory_store import MemoryJobStore
from tests.worker.workshop import Workshop


@dataclass
class Failing(FolderBlobs):
    """A folder of audio that takes nothing while ``error`` is set."""

    within: FolderBlobs
    error: Exception | None = None

    def put(self, content: bytes) -> str:
        if self.error is not None:
            raise self.error
        return self.within.put(content)


def failing(workshop: Workshop, error: Exception) -> Failing:
    blobs = workshop.deps.blobs
    assert isinstance(blobs, FolderBlobs)
    workshop.deps.blobs = failing = Failing(blobs, error)
    return failing


def soon(workshop: Workshop) -> None:
    """No pause is to be waited for."""
    workshop.deps.fitness = Fitness()


TROUBLE = [
    StorageUnavailable("No space left on device", 100),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    OSError(errno.EIO, "Input/output error"),
    OSError(errno.EROFS, "Read-only file system"),
    OSError(errno.EMFILE, "Too many open files"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
]


@pytest.mark.parametrize("error", TROUBLE, ids=str)
def test_no_job_fails_and_none_loses_an_attempt_however_long_it_lasts(workshop: Workshop, error: Exception) -> None:
    job_ids = [workshop.add(f"Platform {number}.") for number in range(3)]
    blobs = failing(workshop, error)
    for _ in range(MAX_ATTEMPTS + 2):
        soon(workshop)
        synthesis.run(workshop.deps)
    assert {workshop.job(job_id).status for job_id in job_ids} == {Status.QUEUED}
    assert not workshop.deps.fitness.may_claim()
    blobs.error = None
    soon(workshop)
    synthesis.run(workshop.deps)
    assert {workshop.job(job_id).status for job_id in job_ids} == {Status.SUCCEEDED}


def test_it_stands_back_after_the_first_and_the_others_stay_untouched(workshop: Workshop) -> None:
    job_ids = [workshop.add(f"Platform {number}.") for number in range(4)]
    failing(workshop, TROUBLE[0])
    synthesis.run(workshop.deps)
    synthesis.run(workshop.deps)
    assert [workshop.job(job_id).attempt for job_id in job_ids] == [1, 0, 0, 0]


@pytest.mark.parametrize("method", ["begin", "finish", "hand_back"])
def test_a_store_that_is_away_for_a_moment_costs_no_attempt(workshop: Workshop, method: str) -> None:
    job_id = workshop.add("Platform seven.")
    workshop.deps.store = Flickering(workshop.store, method)
    if method == "hand_back":
        failing(workshop, TROUBLE[0])
    synthesis.run(workshop.deps)
    soon(workshop)
    workshop.deps.store = workshop.store
    if method == "hand_back":
        assert workshop.job(job_id).status is Status.QUEUED
        return
    synthesis.run(workshop.deps)
    assert workshop.job(job_id).status is Status.SUCCEEDED


class Flickering(MemoryJobStore):
    """The same store, but for the first call of one method."""

    def __init__(self, store: MemoryJobStore, method: str) -> None:
        vars(self).update(vars(store))
        self._method = method
        self._away = True

    def __getattribute__(self, name: str) -> Any:
        if name in ("begin", "finish", "hand_back") and name == self._method and self._away:
            self._away = False
            raise StoreUnavailable("restarting")
        return super().__getattribute__(name)


def test_what_fails_here_is_left_to_another_worker_that_serves_the_pin(workshop: Workshop) -> None:
    workshop.store.publish("there", workshop.loader.served_pins.manifests(), workshop.now)
    job_id = workshop.add("…")
    synthesis.run(workshop.deps)
    assert (workshop.job(job_id).status, workshop.job(job_id).attempt) == (Status.QUEUED, 1)
    (taken,) = workshop.store.claim("there/0", ["espeak-v2"], [], 60.0, workshop.now)
    assert taken.id == job_id


def test_a_job_that_fails_everywhere_ends_with_what_it_failed_with(workshop: Workshop) -> None:
    workshop.store.publish("there", workshop.loader.served_pins.manifests(), workshop.now)
    job_id = workshop.add("…")
    synthesis.run(workshop.deps)
    workshop.deps.slots.work(lambda slot: setattr(slot, "name", "there/0"))
    synthesis.run(workshop.deps)
    job = workshop.job(job_id)
    assert job.error is not None
    assert (job.status, job.error.code) == (Status.FAILED, "engine_returned_nothing")
