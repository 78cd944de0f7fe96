"""Waiting for a job: answered as soon as it is finished, and never later than asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from services.gateway.requests.preferences import Preference, read_preference
from services.gateway.sharing.waiting import LOOK_AGAIN_S, MOST_OF_ONE_USER, Waiters
from shared.errors import RefusalCode, Refused, StoreUnavailable
from shared.jobs import JobState
from shared.studies import Study, StudyState
from tests.gateway.evaluating import evaluate
from tests.gateway.place import SENTENCE, Place, opened, refused
from tests.memory_store import MemoryJobStore, MemoryStudyStore

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


class Rows:
    """States by id; keeps what it was asked, and is away where it is told to be."""

    def __init__(self, *ids: str, user: str = "ann") -> None:
        self.states = {id_: JobState(user, False) for id_ in ids}
        self.asked: list[list[str]] = []
        self.away = False

    def read(self, ids: Sequence[str]) -> dict[str, JobState]:
        self.asked.append(sorted(ids))
        if self.away:
            raise StoreUnavailable("away")
        return {id_: self.states[id_] for id_ in ids if id_ in self.states}

    def end(self, id_: str) -> None:
        self.states[id_] = JobState(self.states[id_].user, True)


async def stays() -> bool:
    return False


def wait(waiters: Waiters, id_: str, user: str = "ann", seconds: float = 30.0) -> asyncio.Task[None]:
    return asyncio.create_task(waiters.until_over(user, id_, seconds, stays))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def test_nobody_who_has_gone_is_remembered() -> None:
    rows = Rows("job_1")
    waiters = Waiters(rows.read)
    waiting = [wait(waiters, "job_1") for _ in range(3)]
    await until(lambda: len(rows.asked) > 1)
    waiting[0].cancel()
    rows.end("job_1")
    waiters.wake("job_1")
    await asyncio.wait(waiting)
    assert (waiters._over, waiters._users) == ({}, {})
    await until(lambda: waiters._looking is None)
    waiters.end()


async def test_many_who_wait_for_the_same_are_one_look() -> None:
    rows = Rows("job_1", "job_2")
    waiters = Waiters(rows.read)
    waiting = [wait(waiters, id_) for id_ in ("job_1", "job_2") for _ in range(100)]
    await until(lambda: ["job_1", "job_2"] in rows.asked)
    before = len(rows.asked)
    await asyncio.sleep(3 * LOOK_AGAIN_S)
    looks = rows.asked[before:]
    assert 1 <= len(looks) <= 4, "one for all of them, at intervals, and not one each"
    assert all(look == ["job_1", "job_2"] for look in looks)
    rows.end("job_1")
    waiters.wake("job_1")
    await asyncio.wait_for(asyncio.gather(*waiting[:100]), 20)
    assert not any(task.done() for task in waiting[100:])
    waiters.close()
    await asyncio.gather(*waiting)
    waiters.end()


async def test_who_waits_for_what_is_anothers_or_nobodys_is_told_at_once() -> None:
    rows = Rows("job_1", user="bob")
    waiters = Waiters(rows.read)
    await asyncio.wait_for(asyncio.gather(wait(waiters, "job_1"), wait(waiters, "job_2")), 20)
    waiters.end()


async def test_a_store_that_is_away_for_a_while_ends_no_wait() -> None:
    rows = Rows("job_1")
    waiters = Waiters(rows.read)
    waiting = wait(waiters, "job_1")
    await until(lambda: len(rows.asked) == 1)
    rows.away = True
    await until(lambda: len(rows.asked) > 3)
    rows.away = False
    rows.end("job_1")
    await asyncio.wait_for(waiting, 20)
    waiters.end()


async def test_one_user_and_all_together_may_wait_so_often() -> None:
    waiters = Waiters(Rows("job_1").read, most_of_one_user=2, most=3)
    waiting = [wait(waiters, "job_1") for _ in range(2)]
    await asyncio.sleep(0)
    for users in (["ann"], ["bob", "carol"]):
        waiting.append(wait(waiters, "job_1", users[0])) if len(users) > 1 else None
        await asyncio.sleep(0)
        with pytest.raises(Refused, match=r"at most 2 of one user and 3 of all users may") as refusal:
            await wait(waiters, "job_1", users[-1])
        assert (refusal.value.code, refusal.value.retry_after_s) == (RefusalCode.RATE_LIMITED, 2)
    waiters.close()
    await asyncio.gather(*waiting)
    waiters.end()


async def test_who_may_not_wait_is_refused_a_look_that_waits_and_no_other(place: Place) -> None:
    job, study = await place.submit(), await evaluate(place)
    waiting = []
    for _ in range(MOST_OF_ONE_USER):
        waiting.append(asyncio.create_task(place.http.get(job["links"]["self"] + "?wait=30")))
    await until(lambda: not place.gateway.waiters.has_room("local"))
    for path in (job["links"]["self"], study["links"]["self"]):
        refused(await place.http.get(path + "?wait=30"), "rate_limited")
        assert (await place.http.get(path)).status_code == 200
        assert (await place.http.get(path + "?wait=0")).status_code == 200
    accepted = await place.http.post("/v1/jobs", json=SENTENCE, headers={"Prefer": "wait=30"})
    assert (accepted.status_code, accepted.json()["status"]) == (202, "queued"), "it is accepted, and not waited for"
    place.gateway.waiters.close()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


class CountingStudies(MemoryStudyStore):
    """Counts reads of whole studies."""

    whole = 0

    def get(self, ids: Iterable[str]) -> dict[str, Study]:
        self.whole += 1
        return super().get(ids)

    def states(self, ids: Iterable[str]) -> dict[str, StudyState]:
        studies = super().get(ids)
        return {id_: StudyState(study.user, study.kind, study.over) for id_, study in studies.items()}


async def test_waiting_for_an_evaluation_reads_it_whole_at_the_end_only_and_once_for_many(tmp_path: Path) -> None:
    store = MemoryJobStore()
    studies = CountingStudies(store)
    async with opened(tmp_path, store=store, studies=studies) as place:
        path = (await evaluate(place))["links"]["self"]
        studies.whole = 0
        waiting = [asyncio.create_task(place.http.get(path + "?wait=30")) for _ in range(60)]
        await asyncio.sleep(4 * LOOK_AGAIN_S)
        assert studies.whole == 0
        await place.http.post(path + "/cancel")
        answers = await asyncio.wait_for(asyncio.gather(*waiting), 30)
        assert {answer.json()["status"] for answer in answers} == {"canceled"}
        assert studies.whole < 20, "those that ask at the same time share a read"


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
