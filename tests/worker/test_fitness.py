"""When a worker takes no jobs, and that it goes on by itself."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.fitness import IN_A_ROW, LONGEST_PAUSE_S, OF_A_SICK_WORKER, OF_PINS, Fitness
from shared.errors import FailureCode, JobFailure, StorageUnavailable
from shared.jobs import Job
from tests.shared.store.building import new_job

NOW = 1000.0


@dataclass
class Disk:
    """Room in units of the reserve; ``quota``: bytes that are taken. Implements ``BlobRoom``."""

    room: float = 10.0
    quota: int = 1 << 30
    away: bool = False
    rehearsed: list[int] = field(default_factory=list)

    def trouble(self, *, times: float = 1.0) -> str | None:
        if self.away:
            raise StorageUnavailable("not mounted")
        return "disk_full" if self.room < times else None

    def rehearse(self, size: int) -> None:
        self.rehearsed.append(size)
        if size > self.quota:
            raise StorageUnavailable("Disk quota exceeded", size)


@dataclass
class Bed:
    """A fitness, its disk and its time."""

    disk: Disk = field(default_factory=Disk)
    now: float = NOW

    def __post_init__(self) -> None:
        self.fitness = Fitness(self.disk, lambda: self.now)

    def later(self, seconds: float = LONGEST_PAUSE_S) -> bool:
        """Whether a job may be taken by then."""
        self.now += seconds
        return self.fitness.may_claim()

    def fail(self, name: str, pin: str = "a", code: FailureCode = FailureCode.ENGINE_ERROR) -> bool:
        return self.fitness.failed(a_job(name, pin), JobFailure(code, "it did not speak"))


def a_job(name: str, pin: str, **changes: Any) -> Job:
    return Job.accepted(new_job(name, pin=pin, **changes))


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_without_room_no_job_is_taken_and_with_room_again_they_are(bed: Bed) -> None:
    assert bed.fitness.may_claim()
    bed.disk.room = 0.9
    assert not bed.later()
    bed.disk.room = 1.5
    assert not bed.later()  # a little room comes and goes
    bed.disk.room = 2.0
    assert bed.later()


def test_a_disk_that_is_away_is_no_room(bed: Bed) -> None:
    bed.disk.away = True
    assert not bed.later()
    bed.disk.away = False
    assert bed.later()


def test_a_clip_that_found_no_room_is_rehearsed_before_the_next_job_is_taken(bed: Bed) -> None:
    bed.disk.quota = 0
    bed.fitness.hindered(StorageUnavailable("Disk quota exceeded", 4_000))
    assert not bed.later(0)
    for _ in range(5):
        assert not bed.later()
    assert set(bed.disk.rehearsed) == {4_000}
    bed.disk.quota = 1 << 20
    assert bed.later()
    assert not bed.later(0)  # one job shows it
    bed.fitness.succeeded()
    assert bed.later(0)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO])
def test_what_this_machine_lacks_is_tried_again_after_a_pause_that_grows(bed: Bed, number: int) -> None:
    pauses = []
    for _ in range(8):
        bed.fitness.hindered(OSError(number, "no"))
        waited = 0.0
        while not bed.later(0.5):
            waited += 0.5
        pauses.append(waited)
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1] <= LONGEST_PAUSE_S


def test_whatever_it_touches_fails(bed: Bed) -> None:
    spared = [bed.fail(f"job_{n}", f"pin-{n % OF_PINS}") for n in range(IN_A_ROW)]
    assert spared == [False] * (IN_A_ROW - 1) + [True]
    assert not bed.later(0)
    assert bed.later()


def test_a_pin_that_is_broken_fails_its_jobs(bed: Bed) -> None:
    assert not any(bed.fail(f"job_{n}") for n in range(10 * IN_A_ROW))
    assert bed.later(0)


def test_one_job_that_is_tried_again_and_again_is_one(bed: Bed) -> None:
    assert not any(bed.fail("job_1", pin) for pin in "abcdef" * IN_A_ROW)


def test_a_success_in_between_says_that_the_worker_is_well(bed: Bed) -> None:
    for n in range(10 * IN_A_ROW):
        assert not bed.fail(f"job_{n}", f"pin-{n % OF_PINS}")
        if n % (IN_A_ROW - 1) == 0:
            bed.fitness.succeeded()
    assert bed.later(0)


def test_no_job_is_spared_twice_so_that_what_is_really_broken_ends(bed: Bed) -> None:
    for n in range(IN_A_ROW):
        bed.fail(f"job_{n}", f"pin-{n}")
    bed.later()
    assert bed.fail("job_last", "pin-x")
    bed.later()
    assert not bed.fail("job_last", "pin-x")


@given(st.sampled_from([code for code in FailureCode if code not in OF_A_SICK_WORKER]))
def test_failures_that_say_nothing_of_other_pins_do_not_count(code: FailureCode) -> None:
    bed = Bed()
    assert not any(bed.fail(f"job_{n}", f"pin-{n}", code) for n in range(3 * IN_A_ROW))
    assert bed.later(0)


@given(st.lists(st.sampled_from(["full", "room", "hindered", "failed", "succeeded", "later"]), max_size=60))
def test_whatever_happened_a_worker_that_is_well_takes_jobs_again_soon(events: list[str]) -> None:
    bed = Bed()
    for number, event in enumerate(events):
        match event:
            case "full":
                bed.disk.room = 0.0
            case "room":
                bed.disk.room = 10.0
            case "hindered":
                bed.fitness.hindered(StorageUnavailable("no", 100))
            case "failed":
                bed.fail(f"job_{number}", f"pin-{number % 3}")
            case "succeeded":
                bed.fitness.succeeded()
            case "later":
                bed.later(1)
    bed.disk.room = 10.0
    assert bed.later()
    bed.fitness.succeeded()
    assert bed.later(0)
