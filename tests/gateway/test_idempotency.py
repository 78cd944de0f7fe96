"""The same request sent twice does nothing twice, whatever came in between."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.place import SENTENCE, Place, opened, refused

pytestmark = pytest.mark.anyio
KEY = {"Idempotency-Key": '"8e03978e"'}


def jobs_in(place: Place) -> int:
    return sum(place.store.waiting(time.time()).families.values())


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/jobs", SENTENCE), ("/v1/jobs:batch", {"jobs": [SENTENCE, {"text": ""}]})]
)
async def test_a_request_sent_again_is_answered_as_the_first_time(place: Place, path: str, body: Any) -> None:
    first = await place.http.post(path, json=body, headers=KEY)
    place.begin()  # the job goes on meanwhile
    again = await place.http.post(path, json=body, headers=KEY)
    assert again.status_code == first.status_code == 202
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers.get("location") == first.headers.get("location")
    assert "idempotent-replayed" not in first.headers
    assert jobs_in(place) == 0, "no second job waits"


async def test_sent_many_times_at_once_it_makes_one_job(place: Place) -> None:
    answers = await asyncio.gather(*(place.http.post("/v1/jobs", json=SENTENCE, headers=KEY) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert jobs_in(place) == 1


async def test_the_answer_is_recorded_with_the_job(place: Place) -> None:
    """There is no moment between the commit and the recorded answer in which a crash could come."""
    answer = await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    (kept,) = place.store._remembered.values()
    assert (kept.status, kept.body, kept.job_id) == (202, answer.content, answer.json()["id"])


async def test_another_body_under_the_same_key_is_a_mismatch(place: Place) -> None:
    await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    other = await place.http.post("/v1/jobs", json={**SENTENCE, "seed": 1}, headers=KEY)
    refused(other, "idempotency_mismatch")
    assert jobs_in(place) == 1


async def test_a_bad_body_under_a_used_key_is_a_mismatch_too(place: Place) -> None:
    await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    refused(await place.http.post("/v1/jobs", json={}, headers=KEY), "idempotency_mismatch")


async def test_white_space_and_the_order_of_members_make_no_other_request(place: Place) -> None:
    first = await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    turned = json.dumps(dict(reversed(SENTENCE.items())), indent=4)
    headers = {**KEY, "Content-Type": "application/json"}
    assert (await place.http.post("/v1/jobs", content=turned, headers=headers)).content == first.content


async def test_quotes_around_the_key_make_no_other_key(place: Place) -> None:
    first = await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    again = await place.http.post("/v1/jobs", json=SENTENCE, headers={"Idempotency-Key": "8e03978e"})
    assert again.json()["id"] == first.json()["id"]


async def test_a_key_is_its_users_own_and_of_one_address(place: Place) -> None:
    ann, ben = place.user("ann"), place.user("ben")
    ids = set()
    for user in (ann, ben):
        answer = await place.http.post("/v1/jobs", json=SENTENCE, headers={**KEY, **user})
        ids.add(answer.json()["id"])
    answer = await place.http.post("/v1/jobs:batch", json={"jobs": [SENTENCE]}, headers={**KEY, **ann})
    ids.add(answer.json()["data"][0]["job"]["id"])
    assert len(ids) == 3


async def test_a_refusal_is_not_remembered(place: Place) -> None:
    refused(await place.http.post("/v1/jobs", json={**SENTENCE, "pin": "later-v1"}, headers=KEY), "pin_unknown")
    assert (await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)).status_code == 202


async def test_what_was_accepted_is_replayed_when_the_backlog_is_full(tmp_path: Path) -> None:
    async with opened(tmp_path, most_queued=1) as place:
        first = await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
        refused(await place.http.post("/v1/jobs", json=SENTENCE), "backlog_full")
        assert (await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)).content == first.content


async def test_a_replay_can_wait_for_the_job_as_well(place: Place) -> None:
    first = await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    place.speak()
    again = await place.http.post("/v1/jobs", json=SENTENCE, headers={**KEY, "Prefer": "wait=5"})
    assert (again.status_code, again.json()["status"]) == (201, "succeeded")
    assert again.json()["id"] == first.json()["id"]


async def test_after_a_day_the_key_is_free_again(place: Place) -> None:
    first = await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    place.store.sweep(time.time() + 1, tracking_budget_s=1e9, idempotency_s=0.0)
    again = await place.http.post("/v1/jobs", json=SENTENCE, headers=KEY)
    assert again.json()["id"] != first.json()["id"]
