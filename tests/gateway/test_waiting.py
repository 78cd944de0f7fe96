"""Waiting for a job: answered as soon as it is finished, and never later than asked."""

from __future__ import annotations

import asyncio
import time

import pytest

from services.gateway.preferences import Preference, read_preference
from services.gateway.waiting import LOOK_AGAIN_S, Waiters
from tests.gateway.place import SENTENCE, Place

pytestmark = pytest.mark.anyio


async def test_a_submission_that_waits_is_answered_201_when_the_job_is_finished(place: Place) -> None:
    waiting = asyncio.create_task(place.http.post("/v1/jobs", json=SENTENCE, headers={"Prefer": "wait=10"}))
    await asyncio.sleep(0.1)
    job = place.speak()
    place.gateway.waiters.wake(job.id)
    answer = await waiting
    assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")
    assert answer.headers["preference-applied"] == "wait=10"
    assert answer.headers["location"] == f"/v1/jobs/{job.id}"


async def test_a_submission_that_waited_in_vain_is_answered_202(place: Place) -> None:
    started = time.monotonic()
    answer = await place.http.post("/v1/jobs", json=SENTENCE, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert 0.9 < time.monotonic() - started < 3


async def test_respond_async_is_stronger_than_wait(place: Place) -> None:
    answer = await place.http.post("/v1/jobs", json=SENTENCE, headers={"Prefer": "wait=10, respond-async"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"


async def test_an_announcement_wakes_at_once(place: Place) -> None:
    job = await place.submit()
    waiting = asyncio.create_task(place.http.get(job["links"]["self"] + "?wait=10"))
    await asyncio.sleep(0.1)
    place.speak()
    spoken = time.monotonic()
    place.gateway.waiters.wake(job["id"])
    assert (await waiting).json()["status"] == "succeeded"
    assert time.monotonic() - spoken < LOOK_AGAIN_S / 2


async def test_without_any_announcement_it_looks_again_by_itself(place: Place) -> None:
    job = await place.submit()
    waiting = asyncio.create_task(place.http.get(job["links"]["self"], headers={"Prefer": "wait=10"}))
    await asyncio.sleep(0.1)
    place.speak()
    answer = await waiting
    assert answer.json()["status"] == "succeeded"
    assert answer.headers["preference-applied"] == "wait=10"


async def test_cancel_wakes_whoever_waits(place: Place) -> None:
    job = await place.submit()
    waiting = asyncio.create_task(place.http.get(job["links"]["self"] + "?wait=10"))
    await asyncio.sleep(0.1)
    await place.http.post(job["links"]["cancel"])
    assert (await waiting).json()["status"] == "canceled"


async def test_a_gateway_that_ends_lets_everybody_go(place: Place) -> None:
    job = await place.submit()
    waiting = asyncio.create_task(place.http.get(job["links"]["self"] + "?wait=30"))
    await asyncio.sleep(0.1)
    place.gateway.waiters.close()
    assert (await waiting).json()["status"] == "queued"


async def test_nobody_who_has_gone_is_remembered() -> None:
    waiters = Waiters()
    with waiters.watch("job_1"), waiters.watch("job_1"):
        waiters.wake("job_1")
    assert waiters._events == {}


@pytest.mark.parametrize(
    ("headers", "preference"),
    [
        ([], Preference(0, None)),
        (["wait=5"], Preference(5, "wait=5")),
        (["WAIT = 5; foo=bar"], Preference(5, "wait=5")),
        (['wait="5"'], Preference(5, "wait=5")),
        (["wait=600"], Preference(60, "wait=60")),
        (["wait"], Preference(60, "wait=60")),
        (["wait=0"], Preference(0, "wait=0")),
        (["wait=soon"], Preference(0, None)),
        (["return=minimal, wait=3"], Preference(3, "wait=3")),
        (["return=minimal", "wait=3", "wait=9"], Preference(3, "wait=3")),
        (["respond-async, wait=3"], Preference(0, "respond-async")),
    ],
)
def test_preferences_are_read_as_the_rfc_says(headers: list[str], preference: Preference) -> None:
    assert read_preference(headers) == preference
