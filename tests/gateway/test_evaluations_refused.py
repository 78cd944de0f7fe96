"""What is wrong with an evaluation is told at once, with its place, and leaves nothing behind."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import pytest

from services.gateway.models.admission import Admission
from services.gateway.requests.job_schemas import read_shape
from services.gateway.requests.study_schemas import ALLOWABLE, EvaluationRequest
from services.gateway.studies.evaluation_jobs import Production, script_of
from services.scorer.analysis.comparison.comparability import BLOCKING
from shared.errors import InvalidRequest
from shared.suites.document import suite_in
from shared.values.faults import AND_MORE, MOST_FAULTS
from tests.gateway.evaluating import SUITE, WANTED, item
from tests.gateway.place import BARE, RICH, Place, opened, refused
from tests.gateway.uploads import CLONER

pytestmark = pytest.mark.anyio
HEAD = "schema: 1\nname: Ours!\nversion: '1'\ntitle: One\nlicence: CC0-1.0\n"
BROKEN = f"{HEAD}items:\n  - id: one\n  - id: one\n    text: a\n"


async def told(place: Place, code: str, **changes: Any) -> dict[str, str]:
    """What the refusal of an evaluation says, by pointer."""
    wanted = {name: value for name, value in {**WANTED, **changes}.items() if value is not None}
    problem = refused(await place.http.post("/v1/evaluations", json=wanted), code)
    assert (await place.http.get("/v1/evaluations")).json()["data"] == []
    assert place.store.waiting(time.time()).families == {}
    return {error.pointer: error.detail for error in problem.errors or ()}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"suite": None}, "/suite"),
        ({"suite": 3}, "/suite"),
        ({"suite": {"notation": "toml", "text": ""}}, "/suite"),
        ({"suite": {"notation": "yaml"}}, "/suite"),
        ({"suite": {"notation": "yaml", "text": "", "name": "a"}}, "/suite"),
        ({"pin": None}, "/pin"),
        ({"pin": ""}, "/pin"),
        ({"seeds": 0}, "/seeds"),
        ({"seeds": 51}, "/seeds"),
        ({"seeds": True}, "/seeds"),
        ({"seeds": []}, "/seeds"),
        ({"seeds": [1, 1]}, "/seeds"),
        ({"seeds": [-1]}, "/seeds"),
        ({"seeds": [2**32]}, "/seeds"),
        ({"seeds": "three"}, "/seeds"),
        ({"score": False}, "/score"),
        ({"score": []}, "/score"),
        ({"score": ["taste"]}, "/score"),
        ({"params": {"text": "a"}}, "/params"),
        ({"params": {"seed": 1}}, "/params"),
        ({"params": []}, "/params"),
        ({"preprocessing": "fancy"}, "/preprocessing"),
        ({"preprocessing": "plain@9"}, "/preprocessing"),
        ({"fresh": "yes"}, "/fresh"),
        ({"priority": 11}, "/priority"),
        ({"timeout_s": 0}, "/timeout_s"),
        ({"ttl_s": 60}, "/ttl_s"),
    ],
)
async def test_a_wrong_field_is_named(place: Place, changes: dict[str, Any], pointer: str) -> None:
    assert set(await told(place, "invalid_request", **changes)) == {pointer}


async def test_everything_wrong_is_named_at_once(place: Place) -> None:
    wrong = await told(place, "invalid_request", seeds=0, score=False, preprocessing="fancy", colour="red")
    assert set(wrong) == {"/seeds", "/score", "/preprocessing", "/colour"}


async def test_a_pin_that_nobody_published_is_unknown(place: Place) -> None:
    await told(place, "pin_unknown", pin="nobody-v1")


async def test_a_suite_that_does_not_ship_is_unknown(place: Place) -> None:
    answer = await place.http.post("/v1/evaluations", json={**WANTED, "suite": "golden-xx"})
    assert "golden-en-emotion" in refused(answer, "suite_unknown").detail


async def test_the_faults_of_a_file_have_their_lines(place: Place) -> None:
    answer = await place.http.post("/v1/evaluations", json={**WANTED, "suite": {"notation": "yaml", "text": BROKEN}})
    lines = [error.detail.partition(": ")[0] for error in refused(answer, "suite_invalid").errors or ()]
    assert lines == ["line 2", "line 7", "line 7", "line 8", "line 8"]


async def test_the_faults_of_json_have_their_places(place: Place) -> None:
    items = [*SUITE["items"], {"id": "plain-1", "text": "", "colour": "red"}]  # type: ignore[misc]
    wrong = await told(place, "suite_invalid", suite={**SUITE, "schema": 2, "items": items})
    assert set(wrong) == {"/suite/schema", "/suite/items/3/id", "/suite/items/3/text", "/suite/items/3/colour"}
    assert "/items/0/id has an item of that id" in wrong["/suite/items/3/id"]


async def test_a_hash_that_is_not_the_items_is_told(place: Place) -> None:
    assert set(await told(place, "suite_invalid", suite={**SUITE, "sha256": "ab" * 32})) == {"/suite/sha256"}


async def test_what_the_pin_cannot_do_is_told_item_by_item_and_param_by_param(place: Place) -> None:
    wrong = await told(place, "invalid_request", pin=BARE.pin, params={"speed": 2, "options": {"style": 1}})
    assert set(wrong) == {
        "/params/speed",
        "/params/options/style",
        "/suite/items/1/emotion",
        "/suite/items/1/emotion/strength",
        "/suite/items/2/language",
        "/suite/items/2/voice",
    }
    assert wrong["/suite/items/2/language"] == "item chinese-1: bare-v1 does not speak zh"


async def test_one_kind_of_fault_keeps_its_code(place: Place) -> None:
    assert set(await told(place, "language_unsupported", suite=item(language="fr"))) == {"/suite/items/0/language"}
    assert set(await told(place, "control_unsupported", suite=item(), pin=BARE.pin, seeds=2)) == {"/seeds"}


async def test_a_voice_that_nobody_uploaded_is_told_where_it_is_named(place: Place) -> None:
    place.store.publish("worker", [CLONER], time.time())
    in_item = await told(place, "voice_not_found", pin=CLONER.pin, suite=item(reference="voice_1"))
    for_all = await told(place, "voice_not_found", pin=CLONER.pin, suite=item(), params={"reference": "voice_1"})
    assert (set(in_item), set(for_all)) == ({"/suite/items/0/reference"}, {"/params/reference"})


async def test_a_text_of_which_nothing_is_left_is_empty(place: Place) -> None:
    wrong = await told(place, "text_empty", suite=item(text="\u200b"), preprocessing="plain")
    assert set(wrong) == {"/suite/items/0/text"}


async def test_a_long_list_of_faults_is_cut_and_says_so(place: Place) -> None:
    items = [{"id": f"i{number}", "text": f"Number {number}.", "language": "fr"} for number in range(MOST_FAULTS + 30)]
    wrong = await told(place, "language_unsupported", suite={**SUITE, "items": items})
    assert len(wrong) == MOST_FAULTS + 1
    assert wrong[""] == AND_MORE


def test_after_as_many_faults_as_are_told_no_more_items_are_checked() -> None:
    """Each that is checked takes an id."""
    items = [{"id": f"i{number}", "text": f"Number {number}.", "language": "fr"} for number in range(5_000)]
    suite = suite_in({**SUITE, "items": items})
    request = read_shape(EvaluationRequest, {**WANTED, "seeds": 1})
    ids = itertools.count()
    production = Production("eval_1", "ann", time.time(), {}, lambda: f"job_{next(ids)}")
    with pytest.raises(InvalidRequest) as told:
        script_of(request, suite, Admission(RICH), production)
    assert len(told.value.errors) == MOST_FAULTS + 1
    assert next(ids) == MOST_FAULTS + 1


async def test_more_clips_than_are_taken_are_refused(place: Place) -> None:
    items = [{"id": f"i{number}", "text": f"Number {number}."} for number in range(101)]
    assert set(await told(place, "invalid_request", suite={**SUITE, "items": items}, seeds=50)) == {"/seeds"}


async def test_a_full_backlog_takes_no_evaluation(tmp_path: Path) -> None:
    async with opened(tmp_path, most_queued=2) as place:
        await told(place, "backlog_full")


def test_what_may_be_allowed_is_what_blocks() -> None:
    assert set(ALLOWABLE) == set(BLOCKING)
