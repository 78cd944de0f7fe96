"""A clip that was spoken just so before is not spoken again; whatever could make it another clip makes it a new one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.gateway.models.pins import FRESH_S
from shared.machine.environment import comparable
from shared.scores import Reason, Score, Unscored
from tests.gateway.evaluating import HERE, LOCK, SUITE, evaluate, item, perform, settle
from tests.gateway.place import RICH, Place, opened
from tests.gateway.uploads import CLONER, recorded, upload, voiced

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A gateway that knows where its pin is spoken and by what is scored."""
    async with opened(tmp_path) as place:
        settle(place)
        yield place


async def again(place: Place, **changes: Any) -> dict[str, Any]:
    """The progress of the same evaluation once more."""
    progress: dict[str, Any] = (await evaluate(place, **changes))["progress"]
    return progress


async def test_what_was_spoken_and_scored_is_taken_as_it_is(place: Place) -> None:
    first = await evaluate(place)
    perform(place, 3)
    place.wake_ups.woken.clear()
    second = await evaluate(place)
    assert second["progress"] == {"clips": 3, "cached": 3, "spoken": 3, "scored": 3, "tracked": 0, "failed": 0}
    assert place.wake_ups.woken == ["judge"]
    jobs = [
        [clip["job"] for clip in (await place.http.get(one["links"]["clips"])).json()["data"]]
        for one in (first, second)
    ]
    assert jobs[0] == jobs[1]


async def test_only_what_is_new_is_spoken(place: Place) -> None:
    await evaluate(place, seeds=[0])
    perform(place, 3)
    progress = await again(place, seeds=[0, 1])
    assert (progress["clips"], progress["cached"]) == (6, 3)
    assert place.store.waiting(time.time()).families == {RICH.engine: 3}


async def test_an_item_is_known_again_in_another_suite(place: Place) -> None:
    await evaluate(place)
    perform(place, 3)
    progress = await again(place, suite={**SUITE, "name": "theirs", "items": SUITE["items"][:2]})  # type: ignore[index]
    assert progress["cached"] == progress["clips"] == 2


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"fresh": True}, id="asked for"),
        pytest.param({"suite": item(text="Hello!")}, id="text"),
        pytest.param({"suite": item(emotion="happy")}, id="emotion"),
        pytest.param({"seeds": [1]}, id="seed"),
        pytest.param({"params": {"speed": 1.1}}, id="speed"),
        pytest.param({"params": {"options": {"gap_ms": 11}}}, id="options"),
        pytest.param({"params": {"sample_rate": 8000}}, id="rate"),
        pytest.param({"params": {"voice": "ben"}}, id="voice"),
        pytest.param({"score": ["signal"]}, id="scorers"),
        pytest.param({"preprocessing": "plain"}, id="preprocessing"),
    ],
)
async def test_what_is_asked_for_otherwise_is_spoken(place: Place, changes: dict[str, Any]) -> None:
    await evaluate(place, suite=item())
    perform(place, 1)
    assert (await again(place, **{"suite": item(), **changes}))["cached"] == 0


async def test_what_does_not_move_a_sample_makes_no_new_clip(place: Place) -> None:
    await evaluate(place, suite=item())
    perform(place, 1)
    assert (await again(place, suite=item(tags=["new"]), priority=3, timeout_s=60, params={"speed": 1}))["cached"] == 1


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param({"lock_sha256": "12" * 32}, id="other bytes"),
        pytest.param({"environment": comparable({**HERE, "gpu": "H100"})}, id="another machine"),
        pytest.param({"environment": comparable({**HERE, "cuda": "cu130"})}, id="another CUDA"),
        pytest.param({"environment": None}, id="nobody knows where"),
    ],
)
async def test_a_pin_that_would_sound_otherwise_speaks_anew(place: Place, manifest: dict[str, Any]) -> None:
    await evaluate(place, suite=item())
    perform(place, 1)
    served = replace(RICH, environment=comparable(HERE))
    place.store.publish("worker", [replace(served, **manifest)], time.time())
    await asyncio.sleep(FRESH_S)
    assert (await again(place, suite=item()))["cached"] == 0


async def test_a_machine_that_differs_in_what_moves_nothing_is_the_same(place: Place) -> None:
    await evaluate(place, suite=item())
    place.store.record_environment("env", {**HERE, "commit": "another", "os_release": "6.1"})
    perform(place, 1)
    assert (await again(place, suite=item()))["cached"] == 1


async def test_a_scorer_that_is_another_now_makes_it_new(place: Place) -> None:
    await evaluate(place, suite=item())
    perform(place, 1)
    place.studies.publish_scorers({"mos/nisqa": "12" * 32}, time.time())
    assert (await again(place, suite=item()))["cached"] == 0


@pytest.mark.parametrize(
    ("reason", "published", "cached"),
    [
        (Reason.LANGUAGE_NOT_COVERED, True, 1),
        (Reason.MODEL_NOT_PULLED, False, 1),
        (Reason.MODEL_NOT_PULLED, True, 0),
        (Reason.SCORER_TIMEOUT, True, 0),
    ],
)
async def test_a_missing_score_is_asked_for_again_where_it_can_be_had_now(
    place: Place, reason: Reason, published: bool, cached: int
) -> None:
    await evaluate(place, suite=item())
    perform(place, 1, mos__nisqa=Score(3.9, "MOS", LOCK), asr__wer=Unscored(reason))
    if published:
        place.studies.publish_scorers({"asr/wer": "34" * 32}, time.time())
    assert (await again(place, suite=item()))["cached"] == cached


@pytest.mark.parametrize(("score", "cached"), [(True, 0), (["asr"], 1)])
async def test_a_clip_from_before_a_pull_is_measured_again_where_the_pulled_is_measured_by_default(
    place: Place, score: bool | list[str], cached: int
) -> None:
    await evaluate(place, suite=item(), score=score)
    perform(place, 1)
    assert (await again(place, suite=item(), score=score))["cached"] == 1
    place.studies.publish_scorers({"mos/nisqa_tts": "34" * 32}, time.time())
    assert (await again(place, suite=item(), score=score))["cached"] == cached


async def test_what_is_not_scored_yet_or_failed_is_not_taken(place: Place) -> None:
    await evaluate(place, suite=item())
    place.speak()
    assert (await again(place, suite=item()))["cached"] == 0


async def test_audio_that_is_no_longer_kept_is_spoken_again(place: Place) -> None:
    await evaluate(place, suite=item())
    job = place.speak()
    place.score(mos__nisqa=Score(3.9, "MOS", LOCK))
    assert job.audio is not None
    place.blobs.delete(job.audio.pcm_sha256)
    assert (await again(place, suite=item()))["cached"] == 0


async def test_another_users_clips_are_theirs(place: Place) -> None:
    ann, bob = place.user("ann"), place.user("bob")
    await evaluate(place, ann, suite=item())
    perform(place, 1)
    assert (await evaluate(place, bob, suite=item()))["progress"]["cached"] == 0
    assert (await evaluate(place, ann, suite=item()))["progress"]["cached"] == 1


async def test_an_uploaded_voice_counts_by_what_is_heard_in_it(place: Place) -> None:
    place.store.publish("worker", [replace(CLONER, environment=comparable(HERE))], time.time())
    sound = recorded(voiced())
    first, same, other = [(await upload(place.http, one))["id"] for one in (sound, sound, recorded(voiced(seed=2)))]
    await evaluate(place, pin=CLONER.pin, suite=item(reference=first))
    (job,) = place.store.claim("worker", [CLONER.pin], [], 60.0, time.time())
    assert place.store.begin(job.id, job.attempt)
    place.finish(job)
    place.score(mos__nisqa=Score(3.9, "MOS", LOCK))
    cached = [(await again(place, pin=CLONER.pin, suite=item(reference=one)))["cached"] for one in (same, other)]
    assert cached == [1, 0]
