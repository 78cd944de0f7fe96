"""One user who asks for much, or for what takes long, stands in nobody else's way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.databases import LISTS, REQUESTS
from services.gateway.jobs.listing import MOST_METADATA, PREFIX, read_filter
from services.gateway.jobs.submit import FEW_JOBS, SMALL_BYTES
from services.gateway.requests.job_schemas import MAX_METADATA
from shared.errors import InvalidRequest, StoreTooSlow
from shared.jobs import Job
from shared.ports import JobFilter, Submission
from shared.store.sql.connection.database import TimeLimits
from tests.gateway.evaluating import WANTED
from tests.gateway.place import SENTENCE, Place, opened, refused
from tests.memory_store import MemoryJobStore

pytestmark = pytest.mark.anyio
PATIENCE_S = 30.0
T = TypeVar("T")


async def soon(answer: Awaitable[T]) -> T:
    return await asyncio.wait_for(answer, PATIENCE_S)


class SlowLists(MemoryJobStore):
    """Alice's lists take until ``go``; carol's too long."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def find(self, wanted: JobFilter) -> list[Job]:
        if wanted.user == "alice":
            assert self.go.wait(2 * PATIENCE_S)
        if wanted.user == "carol":
            raise StoreTooSlow("canceled")
        return super().find(wanted)


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[tuple[Place, SlowLists]]:
    store = SlowLists()
    async with opened(tmp_path, store=store) as place:
        yield place, store
        store.go.set()


async def test_lists_that_take_long_hold_up_no_other_users(slow: tuple[Place, SlowLists]) -> None:
    place, store = slow
    alice, bob = place.user("alice"), place.user("bob")
    stuck = [asyncio.create_task(place.http.get("/v1/jobs", headers=alice)) for _ in range(32)]
    await asyncio.sleep(0.1)
    for path in ("/v1/jobs", "/v1/evaluations", "/v1/comparisons", "/v1/gates", "/v1/voices"):
        assert (await soon(place.http.get(path, headers=bob))).status_code == 200
    assert (await soon(place.http.post("/v1/jobs", json=SENTENCE, headers=alice))).status_code == 202
    assert (await soon(place.http.get("/healthz"))).status_code == 200
    problem = refused(await soon(place.http.get("/v1/jobs", headers=alice)), "rate_limited")
    assert "32 lists of yours" in problem.detail
    store.go.set()
    assert {answer.status_code for answer in await soon(asyncio.gather(*stuck))} == {200}


async def test_a_list_that_takes_too_long_is_told_so(slow: tuple[Place, SlowLists]) -> None:
    place, _ = slow
    problem = refused(await place.http.get("/v1/jobs", headers=place.user("carol")), "store_unavailable")
    assert "fewer filters" in problem.detail


@pytest.mark.long
async def test_a_list_whose_store_never_answers_is_given_up(slow: tuple[Place, SlowLists]) -> None:
    place, _ = slow
    refused(await soon(place.http.get("/v1/jobs", headers=place.user("alice"))), "store_unavailable")


@pytest.mark.parametrize("limits", [LISTS, REQUESTS])
def test_no_statement_of_a_request_lasts_for_ever(limits: TimeLimits) -> None:
    """What the limits do is tested with the store. A list may take less than what changes something."""
    assert limits.statement_s is not None
    assert limits.lock_s is not None
    assert 0 < limits.lock_s < limits.statement_s <= (10 if limits is LISTS else 60)


@contextmanager
def many(place: Place, user: str, visits: int) -> Iterator[None]:
    """As many large requests of ``user`` under way."""
    with ExitStack() as under_way:
        for _ in range(visits):
            under_way.enter_context(place.gateway.pools.checking.visit(user))
        yield


def large(**more: Any) -> dict[str, Any]:
    return {**SENTENCE, "metadata": {f"k{number}": "x" * 512 for number in range(16)}, **more}


class SlowCommits(MemoryJobStore):
    """Takes until ``go`` to add many jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.begun = threading.Event(), threading.Event()

    def add(self, submissions: Sequence[Submission]) -> list[bool]:
        if sum(len(submission.jobs) for submission in submissions) > FEW_JOBS:
            self.begun.set()
            assert self.go.wait(2 * PATIENCE_S)
        return super().add(submissions)


async def test_the_commit_of_a_large_batch_is_in_nobodys_way(tmp_path: Path) -> None:
    store = SlowCommits()
    async with opened(tmp_path, store=store) as place:
        alice, bob = place.user("alice"), place.user("bob")
        batch = {"jobs": [SENTENCE] * (FEW_JOBS + 1)}
        large = asyncio.create_task(place.http.post("/v1/jobs:batch", json=batch, headers=alice))
        await asyncio.to_thread(store.begun.wait, PATIENCE_S)
        assert (await soon(place.http.post("/v1/jobs", json=SENTENCE, headers=bob))).status_code == 202
        assert not large.done()
        store.go.set()
        assert (await soon(large)).status_code == 202


async def test_large_requests_of_one_user_keep_another_waiting_for_one_of_them_at_most(place: Place) -> None:
    alice, bob = place.user("alice"), place.user("bob")
    checking = place.gateway.pools.checking
    for _ in range(2):
        await checking._slots.acquire("alice")  # two of alice's that take long
    batch = {"jobs": [SENTENCE]}
    waiting = [asyncio.create_task(place.http.post("/v1/jobs:batch", json=batch, headers=alice)) for _ in range(5)]
    await asyncio.sleep(0.05)
    bobs = [
        asyncio.create_task(place.http.post(path, json=body, headers=bob))
        for path, body in (("/v1/jobs:batch", batch), ("/v1/evaluations", WANTED), ("/v1/jobs", large()))
    ]
    await asyncio.sleep(0.05)
    assert (await soon(place.http.post("/v1/jobs", json=SENTENCE, headers=bob))).status_code == 202, "one that is small"
    assert not any(task.done() for task in (*waiting, *bobs))
    checking._slots.release("alice")
    done, _ = await asyncio.wait([*waiting, *bobs], timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
    assert done <= set(bobs), "alice has a slot still, bob has none: it is his turn"
    checking._slots.release("alice")
    assert {answer.status_code for answer in await soon(asyncio.gather(*waiting, *bobs))} == {202}


@pytest.mark.parametrize("path", ["/v1/jobs:batch", "/v1/evaluations"])
async def test_too_many_large_requests_of_one_user_are_refused_before_they_are_read(place: Place, path: str) -> None:
    alice, bob = place.user("alice"), place.user("bob")

    async def never_read() -> AsyncIterator[bytes]:
        pytest.fail("the body was asked for")
        yield b""

    json = {"Content-Type": "application/json"}
    with many(place, "alice", 16):
        answer = await place.http.post(path, content=never_read(), headers={**alice, **json})
        assert "16 large requests of yours" in refused(answer, "rate_limited").detail
        body = {"jobs": [SENTENCE]} if path.endswith("batch") else WANTED
        assert (await place.http.post(path, json=body, headers=bob)).status_code == 202
    assert (await place.http.post(path, json=body, headers=alice)).status_code == 202


async def test_a_large_job_is_the_same_job_as_a_small_one(place: Place) -> None:
    body = large()
    answer = await place.http.post("/v1/jobs", json=body)
    assert len(answer.request.content) > SMALL_BYTES
    assert (answer.status_code, answer.json()["metadata"]) == (202, body["metadata"])
    problem = refused(await place.http.post("/v1/jobs", json=large(pin="no-such")), "pin_unknown")
    assert problem.status == 404
    refused(await place.http.post("/v1/jobs", json=large(speed="fast")), "invalid_request")
    answer = await place.http.post(
        "/v1/jobs", content=b"[" * SMALL_BYTES * 2, headers={"Content-Type": "application/json"}
    )
    refused(answer, "invalid_request")


async def test_uploads_of_one_user_are_counted_before_they_are_sent(place: Place) -> None:
    alice = place.user("alice")
    with ExitStack() as under_way:
        for _ in range(8):
            under_way.enter_context(place.gateway.pools.uploads.visit("alice"))
        answer = await place.http.post("/v1/voices", files={"file": ("a.wav", b"RIFF")}, headers=alice)
        assert "8 uploads of yours" in refused(answer, "rate_limited").detail


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text("abcé\n", max_size=3), st.sampled_from(["", "x", "\0"]), max_size=40))
def test_so_many_filters_by_metadata_are_taken_and_no_more(filters: dict[str, str]) -> None:
    query = {PREFIX + name: value for name, value in filters.items()}
    printable = all((name + value).isprintable() for name, value in query.items())
    if len(filters) <= MOST_METADATA and printable:
        assert read_filter(query, "ann")[0].metadata == filters
        return
    with pytest.raises(InvalidRequest) as refusal:
        read_filter(query, "ann")
    assert len(refusal.value.errors) <= MOST_METADATA
    if len(filters) > MOST_METADATA:
        assert f"at most {MOST_METADATA}" in str(refusal.value)


def test_as_many_filters_are_taken_as_a_job_has_metadata() -> None:
    assert MOST_METADATA == MAX_METADATA == 16


@pytest.mark.parametrize("name", ["metadata.{}", "{}"])
async def test_thousands_of_parameters_are_refused_in_a_short_answer(place: Place, name: str) -> None:
    query = httpx.QueryParams({name.format(number): "x" for number in range(2500)})
    answer = await place.http.get("/v1/jobs", params=query)
    refused(answer, "invalid_request")
    assert len(answer.content) < 20_000
