"""Whatever is sent: the answer is a documented one, of a bounded size, and all that is accepted can be listed."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.requests.json_size import MAX_CONTAINERS, MAX_VALUES, check_size
from services.gateway.requests.values import MAX_JSON_DEPTH
from shared.errors import FieldError, InvalidRequest, Refused
from shared.values.faults import AND_MORE, MOST_FAULTS
from tests.gateway.place import SENTENCE, Place, refused
from tests.gateway.uploads import CONSENT, form, recorded, upload, voiced

pytestmark = pytest.mark.anyio
MARKS = "a" + "\u0301\u0316" * 200
MANY = 40_000
SOUND = recorded(voiced(0.6, 8_000), 8_000)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "a text of marks": ({"text": MARKS}, "/text"),
    "a pin of marks": ({"pin": MARKS[:100]}, "/pin"),
    "a voice of marks": ({"voice": MARKS[:100]}, "/voice"),
    "a feeling of marks": ({"emotion": {"text": MARKS}}, "/emotion/text"),
    "a key of marks": ({"metadata": {MARKS[:40]: ""}}, f"/metadata/{MARKS[:40]}"),
    "a value of marks": ({"metadata": {"k": MARKS}}, "/metadata/k"),
    "an option of marks": ({"options": {"style": MARKS}}, "/options"),
    "an option's name of marks": ({"options": {MARKS: 1}}, "/options"),
    "many metadata": ({"metadata": {str(n): 1 for n in range(MANY)}}, "/metadata"),
    "many options": ({"options": {str(n): 1 for n in range(MANY)}}, "/options"),
    "many strangers in an emotion": ({"emotion": {str(n): 1 for n in range(MANY)}}, "/emotion"),
    "a long vector": ({"emotion": {"vector": [9] * MANY}}, "/emotion/vector"),
    "many families": ({"score": [str(n) for n in range(MANY)]}, "/score"),
    "a nested family": ({"score": [nested(900)]}, "/score"),
    "a nested option": ({"options": {"a": nested(900)}}, "/options"),
    "a nested text": ({"text": nested(900)}, "/text"),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_field_is_told_by_its_place_in_a_few_words(place: Place, name: str) -> None:
    changes, pointer = HOSTILE[name]
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, **changes})
    problem = refused(answer, "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == [pointer]
    assert len(answer.content) < 4_000


async def test_many_members_that_nobody_reads_are_one_fault(place: Place) -> None:
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, **{str(n): 1 for n in range(MANY)}})
    assert f"{MANY + 2} members" in refused(answer, "invalid_request").detail


async def test_names_of_any_length_are_told_in_short(place: Place) -> None:
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, "x" * 500_000: 1, "metadata": {"y" * 300_000: "z"}})
    refused(answer, "invalid_request")
    assert len(answer.content) < 4_000


async def test_the_answer_to_a_batch_of_bad_jobs_is_bounded(place: Place) -> None:
    bad = {**SENTENCE, **{f"stranger-{n}": 1 for n in range(40)}, "emotion": {f"s{n}": "é" * 50 for n in range(40)}}
    answer = await place.http.post("/v1/jobs:batch", json={"jobs": [bad] * 1000})
    assert answer.json()["refused"] == 1000
    assert all(len(one["problem"]["errors"]) == 11 for one in answer.json()["data"])
    assert len(answer.content) < 4 << 20


async def test_faults_of_a_suite_end_at_a_hundred_in_every_form(place: Place) -> None:
    head = {"schema": 1, "name": "a", "version": "1", "title": "A", "licence": "CC0-1.0"}
    items = [{"id": "a", "text": "", "colour": "red"}] * 3_000
    lines = "\n".join(map(json.dumps, [head, *items]))
    yaml = json.dumps({**head, "items": items}, indent=1)
    for suite in ({**head, "items": items}, {"notation": "jsonl", "text": lines}, {"notation": "yaml", "text": yaml}):
        answer = await place.http.post("/v1/evaluations", json={"suite": suite, "pin": SENTENCE["pin"]})
        errors = refused(answer, "suite_invalid").errors or []
        assert len(errors) == MOST_FAULTS + 1
        assert AND_MORE in errors[-1].detail
        assert len(answer.content) < 100_000


@pytest.mark.parametrize(
    "params", [{"voice": "a\0b"}, {"voice": nested(3)}, {"reference": 7}, {"options": {"a": "\0"}}]
)
async def test_params_are_checked_although_every_item_says_others(place: Place, params: dict[str, Any]) -> None:
    head = {"schema": 1, "name": "a", "version": "1", "title": "A", "licence": "CC0-1.0", "language": "en"}
    suite = {**head, "items": [{"id": "a", "text": "One.", "voice": "anna"}]}
    wanted = {"suite": suite, "pin": SENTENCE["pin"], "params": params}
    problem = refused(await place.http.post("/v1/evaluations", json=wanted), "invalid_request")
    assert {error.pointer for error in problem.errors or ()} == {f"/params/{name}" for name in params}


@pytest.mark.parametrize("address", ["evaluations", "comparisons", "gates"])
async def test_a_body_is_nested_as_deep_as_is_said(place: Place, address: str) -> None:
    answer = await place.http.post(f"/v1/{address}", json={"params": nested(MAX_JSON_DEPTH), "suite": "a", "pin": "b"})
    assert f"nested deeper than {MAX_JSON_DEPTH}" in refused(answer, "invalid_request").detail


@pytest.mark.parametrize(
    "consent",
    [
        {**CONSENT, "at": "9999-12-31T23:00:00-23:00"},
        {**CONSENT, "at": "9999-12-31T23:59:59.999999Z"},
        {**CONSENT, "at": "0001-01-01T00:00:00+23:00"},
        {**CONSENT, "at": "2016-12-31T23:59:60Z"},
        {**CONSENT, "at": "2025-01-31T12:00:00"},
        {**CONSENT, "at": 1e300},
        {**CONSENT, "at": nested(60)},
        {**CONSENT, "text": MARKS},
        {**CONSENT, "text": "x" * 4001},
        {**CONSENT, "text": "a\0b"},
        {**CONSENT, "by": "a\0b"},
        {**CONSENT, "by": MARKS[:50]},
        {**CONSENT, **{str(n): 1 for n in range(5000)}},
        nested(900),
        {"by": nested(900)},
        "[" * 5000,
        "9" * 5000,
        '{"by": "\\ud800"}',
    ],
)
async def test_a_consent_that_cannot_be_kept_is_refused_and_the_list_goes_on(place: Place, consent: Any) -> None:
    refused(await place.http.post("/v1/voices", **form(SOUND, consent)), "invalid_request")
    assert (await place.http.get("/v1/voices")).json()["data"] == []


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T22:59:59-01:00", 0])
async def test_a_consent_at_the_ends_of_time_is_shown_as_it_was_given(place: Place, at: Any) -> None:
    voice = await upload(place.http, SOUND, **form(SOUND, {**CONSENT, "at": at}))
    assert (await place.http.get("/v1/voices")).json()["data"] == [voice]


def test_an_error_is_bounded_whoever_makes_it() -> None:
    refusal = InvalidRequest([FieldError("/" + "p" * 9999, "d" * 9999)] * 9999)
    assert len(refusal.errors) == MOST_FAULTS + 1
    assert refusal.errors[-1].detail == AND_MORE
    assert len(refusal.detail) < 1100
    assert max(len(error.pointer) + len(error.detail) for error in refusal.errors) < 1000


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"{}," * MAX_CONTAINERS + b"{}]",
        b"[" + b"1," * MAX_VALUES + b"1]",
        b"[" + b'"",' * MAX_VALUES + b'"]"]',
        b"[" + b'"\\"",' * MAX_VALUES + b"1]",
    ],
)
def test_a_body_of_more_values_than_are_taken_is_not_parsed(body: bytes) -> None:
    with pytest.raises(Refused, match="values"):
        check_size(body)


@pytest.mark.parametrize("text", [b"," * (1 << 20), b"[{" * (1 << 20), rb"\",[" * (1 << 20), b"\\\\" * (1 << 20)])
def test_what_stands_in_texts_is_not_counted(text: bytes) -> None:
    check_size(b'{"text":"' + text + b'","pin":"a"}')


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=50), st.integers(0, 40))
def test_no_json_is_no_trouble(junk: bytes, times: int) -> None:
    with contextlib.suppress(Refused):
        check_size(junk * times * 10_000)


def test_values_are_counted_as_a_parser_has_them() -> None:
    check_size(orjson.dumps([{"a": "[,{"}] * (MAX_CONTAINERS // 2)))
