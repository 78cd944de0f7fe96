"""An evaluation is one study and its jobs: accepted at once or not at all, watched, waited for, canceled, listed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from services.gateway.openapi.study_answer_schemas import ClipListDocument, EvaluationDocument, EvaluationListDocument
from shared.aliases import Alias, promoted, signed
from shared.studies import Study, StudyFilter
from shared.suites.reading import golden_suite
from tests.gateway.evaluating import SCORED, SUITE, WANTED, evaluate, finish, item, perform
from tests.gateway.place import BARE, RICH, Place, StoreAway, opened, refused
from tests.memory_store import MemoryJobStore, MemoryStudyStore

pytestmark = pytest.mark.anyio


async def test_it_is_accepted_with_its_address(place: Place) -> None:
    answer = await place.http.post("/v1/evaluations", json=WANTED)
    evaluation = EvaluationDocument.model_validate_json(answer.content)
    assert answer.status_code == 202
    assert answer.headers["location"] == evaluation.links.self == f"/v1/evaluations/{evaluation.id}"
    assert (evaluation.status, evaluation.result, evaluation.error) == ("running", None, None)
    assert evaluation.pin.model_dump(exclude_none=True) == {
        "name": RICH.pin,
        "engine": RICH.engine,
        "lock_sha256": RICH.lock_sha256,
    }
    assert (evaluation.suite.name, evaluation.suite.items) == ("ours", 3)
    assert (await place.http.get(evaluation.links.self)).json()["id"] == evaluation.id


async def test_every_item_is_spoken_with_every_seed(place: Place) -> None:
    evaluation = await evaluate(place, seeds=[7, 3])
    jobs = (await place.http.get(f"/v1/jobs?metadata.evaluation={evaluation['id']}")).json()["data"]
    asked = [(job["metadata"]["item"], job["input"]["seed"]) for job in reversed(jobs)]
    assert asked == [(one["id"], seed) for one in SUITE["items"] for seed in (3, 7)]  # type: ignore[index]
    assert [job["input"]["text"] for job in reversed(jobs)][::2] == [one["text"] for one in SUITE["items"]]  # type: ignore[index]


async def test_what_holds_for_all_items_gives_way_to_what_an_item_says(place: Place) -> None:
    await evaluate(
        place, params={"voice": "anna", "speed": 1.5, "options": {"gap_ms": 3}}, score=["signal"], priority=3
    )
    jobs = (await place.http.get("/v1/jobs")).json()["data"]
    used = [job["input"] for job in reversed(jobs)]
    assert [one["voice"] for one in used] == ["anna", "anna", "ben"]
    assert {(one["speed"], one["options"]["gap_ms"], *one["score"], one["priority"]) for one in used} == {
        (1.5, 3, "signal", 3)
    }


async def test_it_and_its_jobs_are_one_transaction_before_the_wake_ups(place: Place) -> None:
    await evaluate(place)
    assert place.wake_ups.woken == [RICH.engine, "judge"]
    assert place.wake_ups.queued_when_rung == [3]


async def test_without_a_commit_there_is_neither_study_nor_wake_up(tmp_path: Path) -> None:
    async with opened(tmp_path, store=StoreAway()) as place:
        refused(await place.http.post("/v1/evaluations", json=WANTED), "store_unavailable")
        assert place.wake_ups.woken == []
        assert (await place.http.get("/v1/evaluations")).json()["data"] == []


async def test_a_suite_that_ships_is_asked_for_by_name(place: Place) -> None:
    suite = golden_suite("golden-long")
    evaluation = await evaluate(place, suite="golden-long")
    assert evaluation["suite"] == {
        "name": suite.name,
        "version": suite.version,
        "sha256": suite.sha256,
        "items": len(suite.items),
    }


@pytest.mark.parametrize(
    "written",
    [
        ("yaml", "schema: 1\nname: ours\nversion: '1'\ntitle: One\nlicence: CC0-1.0\nlanguage: en\n"
                 "items:\n  - id: one\n    text: Hello.\n"),
        ("jsonl", '{"schema":1,"name":"ours","version":"1","title":"One","licence":"CC0-1.0","language":"en"}\n'
                  '{"id":"one","text":"Hello."}\n'),
    ],
    ids=["yaml", "jsonl"],
)  # fmt: skip
async def test_a_suite_of_ones_own_comes_as_its_file_or_as_json(place: Place, written: tuple[str, str]) -> None:
    notation, text = written
    as_file = await evaluate(place, suite={"notation": notation, "text": text})
    as_json = await evaluate(place, suite=item())
    assert as_file["suite"]["sha256"] == as_json["suite"]["sha256"]


async def test_texts_are_normalised_before_they_are_spoken_and_kept_as_they_were(place: Place) -> None:
    evaluation = await evaluate(place, suite=item(text="“Hi” — it’s  me"), preprocessing="plain")
    (job,) = (await place.http.get("/v1/jobs")).json()["data"]
    assert job["input"]["text"] == '"Hi" - it\'s me'
    assert evaluation["preprocessing"] == "plain@1"
    asked = place.studies.get([evaluation["id"]])[evaluation["id"]].asked
    assert asked["suite"]["items"][0]["text"] == "“Hi” — it’s  me"


async def test_what_says_nothing_is_no_parameter(place: Place) -> None:
    evaluation = await evaluate(place, params={"speed": 1, "pitch_scale": 1.0, "options": {}, "voice": None})
    assert evaluation["params"] == {}


async def test_a_pin_without_seeds_speaks_a_suite_once(place: Place) -> None:
    await evaluate(place, pin=BARE.pin, suite=item())
    (job,) = (await place.http.get("/v1/jobs")).json()["data"]
    assert (job["input"]["seed"], job["controls"]) == (0, {})


async def test_an_alias_means_one_pin_for_the_whole_of_it(place: Place) -> None:
    signature = signed("ann", "it sounds better", time.time())
    assert place.aliases.record(promoted({}, Alias("rich", "production"), RICH.pin, 0.0, signature))
    evaluation = await evaluate(place, pin="rich@production")
    assert (evaluation["pin"]["name"], evaluation["pin"]["alias"]) == (RICH.pin, "rich@production")


async def test_progress_tells_the_stages_and_how_long_it_will_take(place: Place) -> None:
    links = (await evaluate(place))["links"]
    place.speak()
    waiting = (await place.http.get(links["self"])).json()
    assert "eta_seconds" not in waiting
    place.score()
    going = EvaluationDocument.model_validate_json((await place.http.get(links["self"])).content)
    assert going.progress.model_dump() == {
        "clips": 3, "cached": 0, "spoken": 1, "scored": 1, "tracked": 0, "failed": 0,
    }  # fmt: skip
    assert going.eta_seconds is not None
    assert going.eta_seconds >= 0


async def test_its_result_is_shown_once_a_scorer_hands_it_in(place: Place) -> None:
    links = (await evaluate(place))["links"]
    perform(place, 3)
    finish(place, SCORED)
    done = EvaluationDocument.model_validate_json((await place.http.get(links["self"])).content)
    assert done.result is not None
    assert (done.status, done.result.model_dump()) == ("succeeded", SCORED)
    assert done.completed_at is not None


async def test_who_waits_is_answered_when_the_result_is_there(place: Place) -> None:
    evaluation = await evaluate(place, suite=item())
    waiting = asyncio.ensure_future(place.http.get(evaluation["links"]["self"], headers={"Prefer": "wait=20"}))
    await asyncio.sleep(0.05)
    perform(place, 1)
    assert finish(place, {}) == evaluation["id"]
    place.gateway.waiters.wake(evaluation["id"])
    answer = await asyncio.wait_for(waiting, 10)
    assert (answer.json()["status"], answer.headers["preference-applied"]) == ("succeeded", "wait=20")


async def test_who_waits_in_vain_is_told_how_it_stands(place: Place) -> None:
    evaluation = await evaluate(place)
    assert (await place.http.get(evaluation["links"]["self"] + "?wait=1")).json()["status"] == "running"


async def test_canceling_takes_its_jobs_along(place: Place) -> None:
    evaluation = await evaluate(place)
    for _ in range(2):
        answer = await place.http.post(evaluation["links"]["cancel"])
        assert (answer.status_code, EvaluationDocument.model_validate_json(answer.content).status) == (200, "canceled")
    jobs = (await place.http.get("/v1/jobs")).json()["data"]
    assert {job["status"] for job in jobs} == {"canceled"}


async def test_its_clips_are_listed_with_their_jobs(place: Place) -> None:
    evaluation = await evaluate(place, seeds=2)
    clips = ClipListDocument.model_validate_json((await place.http.get(evaluation["links"]["clips"])).content).data
    assert [(clip.item, clip.seed, clip.cached) for clip in clips[:2]] == [("plain-1", 0, False), ("plain-1", 1, False)]
    job = (await place.http.get(clips[0].links["job"])).json()
    assert (job["id"], job["input"]["text"]) == (clips[0].job, "Good morning.")


async def test_the_list_is_filtered_has_pages_and_no_results(place: Place) -> None:
    ids = [(await evaluate(place, suite=item(), pin=pin))["id"] for pin in (RICH.pin, BARE.pin, RICH.pin)]
    first = EvaluationListDocument.model_validate_json((await place.http.get("/v1/evaluations?limit=2")).content)
    rest = (await place.http.get(f"/v1/evaluations?limit=2&cursor={first.next_cursor}")).json()
    assert [one.id for one in first.data] + [one["id"] for one in rest["data"]] == ids[::-1]
    assert "result" not in rest["data"][0]
    ours = (await place.http.get(f"/v1/evaluations?pin={RICH.pin}&suite=ours")).json()["data"]
    assert [one["id"] for one in ours] == [ids[2], ids[0]]
    assert (await place.http.get("/v1/evaluations?suite=theirs")).json()["data"] == []


class Counted(MemoryStudyStore):
    """Remembers how many studies were read at a time."""

    def __init__(self, jobs: MemoryJobStore) -> None:
        super().__init__(jobs)
        self.read: list[int] = []

    def find(self, wanted: StudyFilter) -> list[Study]:
        found = super().find(wanted)
        self.read.append(len(found))
        return found


async def test_a_long_list_holds_few_suites_at_a_time(tmp_path: Path) -> None:
    jobs = MemoryJobStore()
    studies = Counted(jobs)
    async with opened(tmp_path, jobs, studies=studies) as place:
        ids = [(await evaluate(place, suite=item()))["id"] for _ in range(12)]
        listed = (await place.http.get("/v1/evaluations?limit=11")).json()
    assert [one["id"] for one in listed["data"]] == ids[:0:-1]
    assert listed["next_cursor"] == ids[1]
    assert (sum(studies.read), max(studies.read)) == (12, 5)


async def test_sent_twice_under_a_key_it_is_one(place: Place) -> None:
    headers = {"Idempotency-Key": "again"}
    first, second = [await place.http.post("/v1/evaluations", json=WANTED, headers=headers) for _ in range(2)]
    assert first.content == second.content
    assert first.headers["location"] == second.headers["location"]
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await place.http.get("/v1/jobs")).json()["data"]) == 3
    other = await place.http.post("/v1/evaluations", json={**WANTED, "seeds": 2}, headers=headers)
    refused(other, "idempotency_mismatch")


async def test_another_users_evaluation_is_not_there(place: Place) -> None:
    ann, bob = place.user("ann"), place.user("bob")
    links: dict[str, Any] = (await evaluate(place, ann))["links"]
    for path in (links["self"], links["clips"], links["items"]):
        refused(await place.http.get(path, headers=bob), "evaluation_not_found")
    refused(await place.http.post(links["cancel"], headers=bob), "evaluation_not_found")
    assert (await place.http.get("/v1/evaluations", headers=bob)).json()["data"] == []
    assert (await place.http.get(links["self"], headers=ann)).status_code == 200


@pytest.mark.parametrize("study_id", ["eval_1", "eval_" + "0" * 26, "job_" + "0" * 26, "%00"])
async def test_an_id_of_nothing_is_not_found(place: Place, study_id: str) -> None:
    refused(await place.http.get(f"/v1/evaluations/{study_id}"), "evaluation_not_found")
