"""A job says how a part of its text is pronounced: it is checked, kept, shown, and part of what a clip is."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.gateway.studies.reuse import identity_of
from shared.jobs import SpeechInput
from shared.readings.pronunciation import Pronunciation
from shared.scores import HeardReading, Score
from tests.gateway.evaluating import LOCK, evaluate, item, perform, settle
from tests.gateway.place import SENTENCE, Place, opened, refused
from tests.shared.store.building import new_job

pytestmark = pytest.mark.anyio
READ = {"target": "read", "right": ["red"], "wrong": ["reed"]}
TEXT = "She read it."


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with opened(tmp_path) as place:
        settle(place)
        yield place


async def test_it_is_kept_and_shown_as_it_was_said(place: Place) -> None:
    job = await place.submit(text=TEXT, pronunciation=READ)
    assert job["input"]["pronunciation"] == READ
    (stored,) = place.store.get([job["id"]]).values()
    assert stored.input.pronunciation == Pronunciation("read", ("red",), ("reed",))
    assert SpeechInput.from_json(stored.input.to_json()) == stored.input


async def test_a_job_without_one_shows_none(place: Place) -> None:
    assert "pronunciation" not in (await place.submit())["input"]
    assert "pronunciation" not in (await place.submit(pronunciation=None))["input"]


async def test_a_verdict_is_shown_with_what_was_heard(place: Place) -> None:
    job = await place.submit(text=TEXT, pronunciation=READ)
    place.speak()
    heard = HeardReading("whisper", "red", True, 4.5)
    place.score(pronunciation__right=Score(1.0, "1", LOCK, readings=(heard,)))
    scores = (await place.http.get(f"/v1/jobs/{job['id']}")).json()["scoring"]["scores"]
    assert scores["pronunciation/right"]["readings"] == [
        {"recogniser": "whisper", "reading": "red", "right": True, "margin": 4.5}
    ]


@pytest.mark.parametrize(
    ("changes", "pointer", "detail"),
    [
        ({"target": "lead"}, "/pronunciation/target", "must occur once in the text (found 0 times)"),
        ({"target": "e"}, "/pronunciation/target", "must occur once in the text (found 2 times)"),
        ({"wrong": ["reed", "RED"]}, "/pronunciation/wrong/1", "is right as well"),
        ({"right": ["red", "red"]}, "/pronunciation/right/1", "appears twice"),
        ({"right": []}, "/pronunciation/right", "at least 1"),
        ({"right": ["a"] * 9}, "/pronunciation/right", "at most 8"),
        ({"right": "red"}, "/pronunciation/right", "list"),
        ({"right": [" "]}, "/pronunciation/right/0", "blank"),
        ({"right": ["a\nb"]}, "/pronunciation/right/0", "control characters"),
        ({"right": ["a" * 201]}, "/pronunciation/right/0", "at most 200"),
        ({"target": ""}, "/pronunciation/target", "at least 1"),
        ({"wrong": None}, "/pronunciation/wrong", "list"),
        ({"rite": ["red"]}, "/pronunciation/rite", "no such field; did you mean right?"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_it_is_told_with_its_place(
    place: Place, changes: dict[str, Any], pointer: str, detail: str
) -> None:
    body = {**SENTENCE, "text": TEXT, "pronunciation": {**READ, **changes}}
    problem = refused(await place.http.post("/v1/jobs", json=body), "invalid_request")
    (error,) = problem.errors or ()
    assert error.pointer == pointer
    assert detail in error.detail


async def test_an_item_hands_it_to_its_job(place: Place) -> None:
    await evaluate(place, suite=item(text=TEXT, pronunciation=READ))
    (job,) = place.store.claim("worker", ["rich-v1"], [], 60.0, time.time())
    assert job.input.pronunciation == Pronunciation("read", ("red",), ("reed",))


async def test_its_target_is_found_in_the_text_as_it_is_spoken(place: Place) -> None:
    judged = {"target": "“５kg”", "right": ["five kilos"], "wrong": ["five"]}
    await evaluate(place, suite=item(text="It has “５kg”.", pronunciation=judged), preprocessing="plain")
    (job,) = place.store.claim("worker", ["rich-v1"], [], 60.0, time.time())
    assert job.input.text == 'It has "5kg".'
    assert job.input.pronunciation is not None
    assert job.input.pronunciation.target == '"5kg"'


async def test_a_suite_is_refused_where_it_is_wrong(place: Place) -> None:
    wanted = {"suite": item(text=TEXT, pronunciation={**READ, "target": "lead"}), "pin": "rich-v1"}
    problem = refused(await place.http.post("/v1/evaluations", json=wanted), "suite_invalid")
    assert [error.pointer for error in problem.errors or ()] == ["/suite/items/0/pronunciation/target"]


def test_a_clip_is_what_it_was_and_is_judged_by() -> None:
    """As for `score`: the same sound judged by other readings is another clip, and without any it is as before."""
    job = new_job("job_1")
    plain = identity_of(job, "none")
    readings = [Pronunciation("a", ("b",), (wrong,)) for wrong in ("c", "d")]
    judged = {identity_of(replace(job, input=replace(job.input, pronunciation=one)), "none") for one in readings}
    assert len({plain, *judged}) == 3


@pytest.mark.parametrize(("judged", "cached"), [({}, 1), ({"pronunciation": READ}, 0)])
async def test_only_a_clip_with_readings_lacks_their_score(place: Place, judged: dict[str, Any], cached: int) -> None:
    """The pin of the recogniser is pulled after the clip was spoken and scored."""
    suite = item(text=TEXT, **judged)
    await evaluate(place, suite=suite)
    perform(place, 1)
    assert (await evaluate(place, suite=suite))["progress"]["cached"] == 1
    place.studies.publish_scorers({"pronunciation/right": "34" * 32}, time.time())
    assert (await evaluate(place, suite=suite))["progress"]["cached"] == cached
