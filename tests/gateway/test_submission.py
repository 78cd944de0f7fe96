"""What becomes of a good submission: a row, a wake-up after the commit, and a job that says what is used."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.gateway.jobs.submit import NOTHING_ACCEPTED
from services.gateway.openapi.answer_schemas import BatchDocument, JobDocument
from shared.catalog import PinState
from shared.scores import Reason, Score, Unscored
from tests.gateway.place import BARE, RATE, RICH, SENTENCE, Place, StoreAway, opened, refused

pytestmark = pytest.mark.anyio


async def test_a_job_is_accepted_with_its_address(place: Place) -> None:
    answer = await place.http.post("/v1/jobs", json=SENTENCE)
    assert answer.status_code == 202
    job = JobDocument.model_validate_json(answer.content)
    assert answer.headers["location"] == job.links.self == f"/v1/jobs/{job.id}"
    assert (await place.http.get(job.links.self)).json()["id"] == job.id


async def test_defaults_are_written_into_the_job_and_what_was_asked_is_kept(place: Place) -> None:
    job = await place.submit()
    assert job["input"] == {
        "text": SENTENCE["text"],
        "language": "en",
        "voice": "anna",
        "speed": 1.0,
        "pitch_scale": 1.0,
        "seed": 0,
        "options": {"gap_ms": 10},
        "score": True,
        "priority": 0,
        "ttl_s": 86400.0,
        "timeout_s": 300.0,
    }
    assert job["controls"] == {}
    assert place.store.get([job["id"]])[job["id"]].asked == SENTENCE


async def test_every_control_that_was_asked_for_says_how_it_is_honoured(place: Place) -> None:
    job = await place.submit(
        emotion={"name": "happy", "strength": 0.5}, speed=1.0, pitch_scale=1.2, seed=42, sample_rate=8000
    )
    assert job["controls"] == {
        "emotion": "native",
        "strength": "native",
        "speed": "native",
        "pitch_scale": "post",
        "seed": "no_effect",
        "sample_rate": "post",
    }


@pytest.mark.parametrize(
    ("asked", "used"),
    [
        ({"emotion": "happy"}, {"emotion": {"name": "happy", "strength": 1.0}}),
        ({"emotion": {"vector": [0.5] * 8}}, {"emotion": {"vector": [0.5] * 8, "strength": 1.0}}),
        ({"emotion": "rich:smug"}, {"emotion": {"name": "rich:smug", "strength": 1.0}}),
        ({"emotion": None}, {}),
        ({"text": "e\u0301a\tb\nc"}, {"text": "\u00e9a\tb\nc"}),
        ({"language": "ZH-Hant-TW"}, {"language": "zh"}),
        ({"language": "zh-yue-HK"}, {"language": "zh-yue"}),
        ({"voice": "ben"}, {"voice": "ben"}),
        ({"voice": "cmn+f2"}, {"voice": "cmn+f2"}),
        ({"options": {"style": "calm"}}, {"options": {"gap_ms": 10, "style": "calm"}}),
        ({"score": ["asr", "signal", "asr"]}, {"score": ["asr", "signal"]}),
        ({"score": []}, {"score": False}),
        ({"priority": -10, "ttl_s": 60, "timeout_s": 5}, {"priority": -10, "ttl_s": 60, "timeout_s": 5}),
        ({"text": "字" * 10_000}, {"text": "字" * 10_000}),
    ],
)
async def test_what_is_asked_becomes_what_is_used(place: Place, asked: dict[str, Any], used: dict[str, Any]) -> None:
    job = await place.submit(**asked)
    assert {name: job["input"].get(name) for name in used} == used
    reread = (await place.http.get(job["links"]["self"])).json()
    assert reread["input"] == job["input"]


async def test_asking_a_bare_pin_for_what_it_does_anyway_is_no_error(place: Place) -> None:
    job = await place.submit(pin=BARE.pin, speed=1, pitch_scale=1.0, sample_rate=BARE.sample_rate)
    assert job["controls"] == {}


async def test_the_wake_up_comes_after_the_commit(place: Place) -> None:
    await place.submit()
    assert place.wake_ups.woken == [RICH.engine]
    assert place.wake_ups.queued_when_rung == [1]


async def test_it_is_answered_after_the_wake_up_was_sent(place: Place) -> None:
    place.wake_ups.may_ring.clear()
    answer = asyncio.ensure_future(place.http.post("/v1/jobs", json=SENTENCE))
    while not place.store.waiting(time.time()).families:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    assert not answer.done()
    place.wake_ups.may_ring.set()
    assert (await answer).status_code == 202


async def test_a_batch_is_one_transaction_and_one_wake_up_per_family(place: Place) -> None:
    jobs = [SENTENCE, {**SENTENCE, "pin": BARE.pin}, SENTENCE, {"text": "no pin"}]
    answer = await place.http.post("/v1/jobs:batch", json={"jobs": jobs})
    batch = BatchDocument.model_validate_json(answer.content)
    assert answer.status_code == 202
    assert (batch.accepted, batch.refused) == (3, 1)
    assert [result.index for result in batch.data] == [0, 1, 2, 3]
    assert [result.job.pin.name for result in batch.data if result.job] == [RICH.pin, BARE.pin, RICH.pin]
    assert sorted(place.wake_ups.woken) == [BARE.engine, RICH.engine]
    assert place.wake_ups.queued_when_rung == [3, 3]
    ids = [result.job.id for result in batch.data if result.job]
    assert ids == sorted(ids), "jobs of a batch are spoken in its order"


async def test_a_batch_of_which_nothing_is_accepted_makes_nothing(place: Place) -> None:
    answer = await place.http.post("/v1/jobs:batch", json={"jobs": [{"text": "no pin"}]})
    assert answer.status_code == NOTHING_ACCEPTED
    assert BatchDocument.model_validate_json(answer.content).accepted == 0
    assert place.wake_ups.woken == []


async def test_a_thousand_jobs_fit_into_one_batch(place: Place) -> None:
    answer = await place.http.post("/v1/jobs:batch", json={"jobs": [SENTENCE] * 1000})
    assert answer.json()["accepted"] == 1000
    assert place.store.waiting(time.time()).families == {RICH.engine: 1000}


async def test_no_wake_up_without_a_commit(tmp_path: Path) -> None:
    store = StoreAway()
    async with opened(tmp_path, store=store) as place:
        await place.http.post("/v1/jobs", json=SENTENCE)
        assert place.wake_ups.woken == []


async def test_places_in_the_queue_are_told_while_it_waits(place: Place) -> None:
    first, second = await place.submit(), await place.submit()
    assert (await place.http.get(second["links"]["self"])).json()["queue_position"] == 2
    await place.http.post(first["links"]["cancel"])
    assert (await place.http.get(second["links"]["self"])).json()["queue_position"] == 1
    place.begin()
    assert "queue_position" not in (await place.http.get(second["links"]["self"])).json()


async def test_a_finished_job_tells_the_whole_story(place: Place) -> None:
    accepted = await place.submit(metadata={"ticket": "A-17"})
    place.speak()
    place.score(mos__nisqa=Score(3.9, "MOS", "ef" * 32), asr__wer=Unscored(Reason.LANGUAGE_NOT_COVERED))
    place.track()
    answer = await place.http.get(accepted["links"]["self"])
    job = JobDocument.model_validate_json(answer.content)
    assert job.status == "succeeded"
    assert job.audio is not None
    assert (job.audio.duration_s, job.audio.sample_rate, job.audio.channels) == (1.0, RATE, 1)
    assert job.audio.url == accepted["links"]["audio"]
    document = answer.json()
    assert document["scoring"] == {
        "status": "done",
        "scores": {
            "mos/nisqa": {"value": 3.9, "unit": "MOS", "scorer_lock": "ef" * 32},
            "asr/wer": {"unscored": "language_not_covered"},
        },
    }
    assert document["tracking"] == {"status": "done", "run_id": "run-1", "url": "http://mlflow/run-1"}
    assert document["timings"] == {"queue_s": 0.1, "speak_s": 0.2, "score_s": 0.9}
    assert document["metadata"] == {"ticket": "A-17"}
    assert document["created_at"] <= document["started_at"] <= document["completed_at"]


async def test_canceling_twice_is_the_same_as_once(place: Place) -> None:
    job = await place.submit()
    for _ in range(2):
        answer = await place.http.post(job["links"]["cancel"])
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert answer.json()["completed_at"] is not None


async def test_a_job_that_is_spoken_is_told_to_stop(place: Place) -> None:
    job = await place.submit()
    place.begin()
    assert (await place.http.post(job["links"]["cancel"])).json()["status"] == "processing"
    assert place.store.get([job["id"]])[job["id"]].cancel_requested


async def test_tracking_that_failed_can_be_asked_for_again(place: Place) -> None:
    job = await place.submit(score=False)
    place.speak()
    place.store.sweep(time.time() + 1, tracking_budget_s=0.0, idempotency_s=1e9)
    answer = await place.http.post(f"/v1/jobs/{job['id']}/tracking:retry")
    assert answer.status_code == 200
    assert answer.json()["tracking"]["status"] == "pending"


async def test_pins_are_listed_with_what_they_can_do(place: Place) -> None:
    listed = (await place.http.get("/v1/pins")).json()
    assert [pin["name"] for pin in listed["data"]] == [BARE.pin, RICH.pin]
    rich = listed["data"][1]
    assert (rich["live"], rich["state"], rich["controls"]["pitch_scale"]) == (True, "ready", "post")
    assert rich["options_schema"] == RICH.options_schema


async def test_a_pin_that_nobody_serves_any_more_still_takes_jobs(place: Place) -> None:
    place.store.retire("worker")
    assert [pin["live"] for pin in (await place.http.get("/v1/pins")).json()["data"]] == [False, False]
    assert (await place.submit())["status"] == "queued"


async def test_a_pin_that_was_refused_from_the_start_says_why(place: Place) -> None:
    damaged = replace(RICH, pin="damaged-v1", languages=(), state=PinState.REFUSED, detail="model_not_pulled: a.bin")
    place.store.publish("worker", [damaged], time.time())
    problem = refused(await place.http.post("/v1/jobs", json={**SENTENCE, "pin": "damaged-v1"}), "pin_unknown")
    assert problem.detail == "no worker has served damaged-v1: model_not_pulled: a.bin"


async def test_a_pin_that_is_refused_now_takes_jobs_as_it_did_when_it_was_served(place: Place) -> None:
    damaged = replace(RICH, languages=(), state=PinState.REFUSED, detail="model_not_pulled: a.bin")
    place.store.publish("worker", [damaged], time.time())
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, "pin": RICH.pin})
    assert answer.status_code == 202
