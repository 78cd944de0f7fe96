"""The list of one's jobs: newest first, filtered, a page at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.gateway.openapi.answer_schemas import JobListDocument
from shared.ports import JobFilter, Page
from tests.gateway.place import BARE, RICH, Place, opened
from tests.memory_store import MemoryJobStore

pytestmark = pytest.mark.anyio


async def ids(place: Place, **query: Any) -> list[str]:
    answer = await place.http.get("/v1/jobs", params=query)
    assert answer.status_code == 200, answer.text
    return [job.id for job in JobListDocument.model_validate_json(answer.content).data]


async def test_pages_follow_each_other_from_the_newest_to_the_oldest(place: Place) -> None:
    made = [(await place.submit())["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for more in (True, True, False):
        page = (await place.http.get("/v1/jobs", params={"limit": 2, **cursor})).json()
        seen += [job["id"] for job in page["data"]]
        assert page["has_more"] is more
        assert (page["next_cursor"] is not None) is more
        cursor = {"cursor": page["next_cursor"]}
    assert seen == made[::-1]


async def test_a_page_that_is_just_full_is_the_last(place: Place) -> None:
    for _ in range(2):
        await place.submit()
    page = (await place.http.get("/v1/jobs?limit=2")).json()
    assert (len(page["data"]), page["next_cursor"], page["has_more"]) == (2, None, False)


async def test_what_came_meanwhile_does_not_move_the_next_page(place: Place) -> None:
    made = [(await place.submit())["id"] for _ in range(3)]
    page = (await place.http.get("/v1/jobs?limit=2")).json()
    await place.submit()
    assert await ids(place, cursor=page["next_cursor"]) == made[:1]


async def test_jobs_are_found_by_what_they_are(place: Place) -> None:
    spoken = await place.submit(score=False, metadata={"ticket": "A-17", "who": "ann"})
    place.speak()
    waiting = await place.submit(pin=BARE.pin, metadata={"ticket": "A-18"})
    both = [waiting["id"], spoken["id"]]
    found = {
        ("status", "succeeded"): [spoken["id"]],
        ("status", "queued"): [waiting["id"]],
        ("pin", BARE.pin): [waiting["id"]],
        ("pin", RICH.pin): [spoken["id"]],
        ("scoring", "skipped"): [spoken["id"]],
        ("tracking", "pending"): both,
        ("tracking", "done"): [],
        ("metadata.ticket", "A-17"): [spoken["id"]],
        ("metadata.ticket", "A-1"): [],
        ("created_after", "2020-01-01T00:00:00Z"): both,
        ("created_before", "2020-01-01T00:00:00Z"): [],
    }
    for (name, value), expected in found.items():
        assert await ids(place, **{name: value}) == expected, (name, value)


async def test_filters_narrow_each_other(place: Place) -> None:
    job = await place.submit(metadata={"a": "1", "b": "2"})
    await place.submit(metadata={"a": "1"})
    assert await ids(place, **{"metadata.a": "1", "metadata.b": "2", "status": "queued"}) == [job["id"]]


async def test_queued_jobs_in_the_list_say_their_places(place: Place) -> None:
    for _ in range(3):
        await place.submit()
    data = (await place.http.get("/v1/jobs")).json()["data"]
    assert [job["queue_position"] for job in data] == [3, 2, 1]


class EndsEarly(MemoryJobStore):
    """Looks at one job for a page and no more."""

    def find(self, wanted: JobFilter) -> Page:
        looked_at = super().find(JobFilter(wanted.user, before=wanted.before, limit=2)).jobs
        fitting = [job for job in looked_at[:1] if wanted.pin in (None, job.pin)]
        return Page(fitting, looked_at[0].id if len(looked_at) > 1 else None)


async def test_a_page_whose_search_ended_early_says_that_there_is_more(tmp_path: Path) -> None:
    async with opened(tmp_path, EndsEarly()) as place:
        made = [(await place.submit())["id"] for _ in range(2)]
        empty = (await place.http.get("/v1/jobs?pin=bare-v1")).json()
        assert (empty["data"], empty["has_more"], empty["next_cursor"]) == ([], True, made[1])
        last = (await place.http.get("/v1/jobs", params={"cursor": empty["next_cursor"]})).json()
        assert ([job["id"] for job in last["data"]], last["has_more"]) == ([made[0]], False)
