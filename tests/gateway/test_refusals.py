"""Every bad form of a request gets its problem document (RFC 9457) with a stable code.

One line per form: what is sent, and which code comes back; for wrong fields also where they are. The shape of the
document is held against the published one.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from services.gateway.http.errors import PROBLEMS
from services.gateway.openapi.answer_schemas import ProblemDocument
from shared.errors import RefusalCode
from tests.gateway.place import BARE, SENTENCE, Place, StoreAway, StoreBroken, opened, refused

pytestmark = pytest.mark.anyio


class Bad(NamedTuple):
    """A submission that is refused: what differs from a good one, the code, and the fields that are named."""

    name: str
    changes: dict[str, Any]
    code: str
    pointers: tuple[str, ...] = ()


BAD_JOBS = [
    Bad("empty text", {"text": ""}, "text_empty", ("/text",)),
    Bad("white space only", {"text": " \n\t "}, "text_empty", ("/text",)),
    Bad("text too long", {"text": "a" * 10_001}, "text_too_long", ("/text",)),
    Bad("control character", {"text": "a\x07b"}, "invalid_request", ("/text",)),
    Bad("SSML", {"text": 'a <break time="1s"/> b'}, "invalid_request", ("/text",)),
    Bad("C1 control", {"text": "a\x86b"}, "invalid_request", ("/text",)),
    Bad("text is a number", {"text": 5}, "invalid_request", ("/text",)),
    Bad("text is null", {"text": None}, "invalid_request", ("/text",)),
    Bad("unknown field", {"txet": "hello"}, "invalid_request", ("/txet",)),
    Bad("unknown nested field", {"emotion": {"name": "happy", "power": 1}}, "invalid_request", ("/emotion/power",)),
    Bad("two wrong fields", {"text": "", "speed": 9}, "invalid_request", ("/text", "/speed")),
    Bad("pin is a number", {"pin": 1}, "invalid_request", ("/pin",)),
    Bad("unknown pin", {"pin": "nobody-v1"}, "pin_unknown"),
    Bad("alias of a pin", {"pin": "rich-v1@champion"}, "pin_unknown"),
    Bad("speed too low", {"speed": 0.2}, "invalid_request", ("/speed",)),
    Bad("speed too high", {"speed": 4.1}, "invalid_request", ("/speed",)),
    Bad("speed as text", {"speed": "1.0"}, "invalid_request", ("/speed",)),
    Bad("speed as truth", {"speed": True}, "invalid_request", ("/speed",)),
    Bad("pitch too low", {"pitch_scale": 0.4}, "invalid_request", ("/pitch_scale",)),
    Bad("pitch too high", {"pitch_scale": 2.1}, "invalid_request", ("/pitch_scale",)),
    Bad("seed negative", {"seed": -1}, "invalid_request", ("/seed",)),
    Bad("seed too large", {"seed": 2**32}, "invalid_request", ("/seed",)),
    Bad("seed broken", {"seed": 1.5}, "invalid_request", ("/seed",)),
    Bad("sample rate too low", {"sample_rate": 4000}, "invalid_request", ("/sample_rate",)),
    Bad("sample rate too high", {"sample_rate": 96_000}, "invalid_request", ("/sample_rate",)),
    Bad("priority too high", {"priority": 11}, "invalid_request", ("/priority",)),
    Bad("ttl of nothing", {"ttl_s": 0}, "invalid_request", ("/ttl_s",)),
    Bad("timeout too long", {"timeout_s": 100_000}, "invalid_request", ("/timeout_s",)),
    Bad("language no tag", {"language": "en_US!"}, "invalid_request", ("/language",)),
    Bad("language unsupported", {"language": "fr"}, "language_unsupported", ("/language",)),
    Bad("voice unknown", {"voice": "zed"}, "invalid_request", ("/voice",)),
    Bad("voice with controls", {"voice": "a\x00"}, "invalid_request", ("/voice",)),
    Bad("emotion unknown", {"emotion": "bored"}, "emotion_unsupported", ("/emotion",)),
    Bad("emotion in no form", {"emotion": {"strength": 1}}, "invalid_request", ("/emotion",)),
    Bad("emotion in two forms", {"emotion": {"name": "happy", "text": "glad"}}, "invalid_request", ("/emotion",)),
    Bad("emotion a number", {"emotion": 1}, "invalid_request", ("/emotion",)),
    Bad("emotion too strong", {"emotion": {"name": "happy", "strength": 2}}, "invalid_request", ("/emotion/strength",)),
    Bad("vector too short", {"emotion": {"vector": [0.1]}}, "invalid_request", ("/emotion/vector",)),
    Bad("emotion by text", {"emotion": {"text": "glad"}}, "control_unsupported", ("/emotion",)),
    Bad("emotion by audio", {"emotion": {"audio": "voice_1"}}, "control_unsupported", ("/emotion",)),
    Bad("reference", {"reference": "voice_1"}, "control_unsupported", ("/reference",)),
    Bad("speed of a bare pin", {"pin": BARE.pin, "speed": 1.5}, "control_unsupported", ("/speed",)),
    Bad("seed of a bare pin", {"pin": BARE.pin, "seed": 0}, "control_unsupported", ("/seed",)),
    Bad("voice of a bare pin", {"pin": BARE.pin, "voice": "anna"}, "invalid_request", ("/voice",)),
    Bad("two complaints of a pin", {"language": "fr", "voice": "zed"}, "invalid_request", ("/language", "/voice")),
    Bad("unknown option", {"options": {"gapp": 1}}, "option_invalid", ("/options/gapp",)),
    Bad("option out of range", {"options": {"gap_ms": 501}}, "option_invalid", ("/options/gap_ms",)),
    Bad("option of a wrong type", {"options": {"gap_ms": "1"}}, "option_invalid", ("/options/gap_ms",)),
    Bad("option not offered", {"options": {"style": "wild"}}, "option_invalid", ("/options/style",)),
    Bad("options a list", {"options": []}, "invalid_request", ("/options",)),
    Bad("options very deep", {"options": {"a": [[[[[[[[[[]]]]]]]]]]}}, "invalid_request", ("/options",)),
    Bad("score unknown", {"score": ["charm"]}, "invalid_request", ("/score",)),
    Bad("score a word", {"score": "yes"}, "invalid_request", ("/score",)),
    Bad("metadata too many", {"metadata": {str(n): "" for n in range(17)}}, "invalid_request", ("/metadata",)),
    Bad("metadata key too long", {"metadata": {"k" * 65: ""}}, "invalid_request", ("/metadata/" + "k" * 65,)),
    Bad("metadata value too long", {"metadata": {"k": "v" * 513}}, "invalid_request", ("/metadata/k",)),
    Bad("metadata value a number", {"metadata": {"k": 1}}, "invalid_request", ("/metadata/k",)),
    Bad("metadata key to escape", {"metadata": {"a/b~": 1}}, "invalid_request", ("/metadata/a~1b~0",)),
]


@pytest.mark.parametrize("bad", BAD_JOBS, ids=lambda bad: bad.name)
async def test_a_bad_submission_is_refused_and_leaves_no_job(place: Place, bad: Bad) -> None:
    problem = refused(await place.http.post("/v1/jobs", json={**SENTENCE, **bad.changes}), bad.code)
    assert tuple(error.pointer for error in problem.errors or ()) == bad.pointers
    assert place.store.waiting(time.time()).families == {}
    assert place.wake_ups.woken == []


@pytest.mark.parametrize("bad", BAD_JOBS, ids=lambda bad: bad.name)
async def test_the_same_in_a_batch_is_told_in_its_place(place: Place, bad: Bad) -> None:
    answer = await place.http.post("/v1/jobs:batch", json={"jobs": [SENTENCE, {**SENTENCE, **bad.changes}]})
    good, other = answer.json()["data"]
    assert good["job"]["status"] == "queued"
    assert other["index"] == 1
    problem = ProblemDocument.model_validate(other["problem"])
    assert problem.code == bad.code
    assert tuple(e.pointer for e in problem.errors or ()) == tuple(f"/jobs/1{at}" for at in bad.pointers)


async def test_a_control_that_is_unsupported_is_named(place: Place) -> None:
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, "emotion": {"text": "glad"}})
    assert "emotion_text is unsupported by rich-v1" in refused(answer, "control_unsupported").detail


@pytest.mark.parametrize(
    ("path", "body", "meant"),
    [
        ("/v1/jobs", {**SENTENCE, "langauge": "en"}, "language"),
        ("/v1/jobs", {**SENTENCE, "emotion": {"name": "happy", "strenght": 1}}, "strength"),
        ("/v1/jobs:batch", {"jobs": [SENTENCE], "job": 1}, "jobs"),
        ("/v1/evaluations", {"suite": "golden", "pin": BARE.pin, "seed": 1}, "seeds"),
    ],
)
async def test_a_mistyped_field_is_told_with_the_one_that_is_meant(
    place: Place, path: str, body: dict[str, Any], meant: str
) -> None:
    problem = refused(await place.http.post(path, json=body), "invalid_request")
    assert [error.detail for error in problem.errors or ()] == [f"no such field; did you mean {meant}?"]


class BadBody(NamedTuple):
    """A request body that is refused before its fields are looked at."""

    name: str
    content: bytes
    content_type: str | None
    code: str


GOOD = b'{"text":"hello","pin":"rich-v1"}'
BAD_BODIES = [
    BadBody("no body", b"", "application/json", "invalid_request"),
    BadBody("no JSON", b'{"text":', "application/json", "invalid_request"),
    BadBody("not UTF-8", b'{"text":"\xff","pin":"rich-v1"}', "application/json", "invalid_request"),
    BadBody("half a character", b'{"text":"\\ud83d","pin":"rich-v1"}', "application/json", "invalid_request"),
    BadBody("not a number", b'{"text":"a","pin":"rich-v1","speed":NaN}', "application/json", "invalid_request"),
    BadBody("a list", b"[]", "application/json", "invalid_request"),
    BadBody("null", b"null", "application/json", "invalid_request"),
    BadBody("no content type", GOOD, None, "media_type_unsupported"),
    BadBody("a form", b"text=hello", "application/x-www-form-urlencoded", "media_type_unsupported"),
    BadBody("text", GOOD, "text/plain", "media_type_unsupported"),
    BadBody("another charset", GOOD, "application/json; charset=latin-1", "media_type_unsupported"),
    BadBody("too large", b" " * (1 << 20) + GOOD, "application/json", "body_too_large"),
]


@pytest.mark.parametrize("bad", BAD_BODIES, ids=lambda bad: bad.name)
async def test_a_bad_body_is_refused(place: Place, bad: BadBody) -> None:
    headers = {} if bad.content_type is None else {"Content-Type": bad.content_type}
    refused(await place.http.post("/v1/jobs", content=bad.content, headers=headers), bad.code)


async def test_a_compressed_body_is_refused(place: Place) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused(await place.http.post("/v1/jobs", content=GOOD, headers=headers), "media_type_unsupported")


BAD_BATCHES: list[tuple[Any, str]] = [
    ({}, "/jobs"),
    ({"jobs": {}}, "/jobs"),
    ({"jobs": []}, "/jobs"),
    ({"jobs": [SENTENCE] * 1001}, "/jobs"),
    ({"jobs": [SENTENCE], "pin": "rich-v1"}, "/pin"),
    ([SENTENCE], "/jobs"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD_BATCHES)
async def test_a_bad_batch_is_refused_whole(place: Place, body: Any, pointer: str) -> None:
    problem = refused(await place.http.post("/v1/jobs:batch", json=body), "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == [pointer]


BAD_QUERIES = [
    ("/v1/jobs?status=done", "/status"),
    ("/v1/jobs?scoring=queued", "/scoring"),
    ("/v1/jobs?limit=0", "/limit"),
    ("/v1/jobs?limit=many", "/limit"),
    ("/v1/jobs?cursor=../etc", "/cursor"),
    ("/v1/jobs?created_after=yesterday", "/created_after"),
    ("/v1/jobs?colour=red", "/colour"),
    ("/v1/jobs?metadata.k=%00", "/metadata.k"),
    ("/v1/jobs?limit=1&limit=2", "/limit"),
    ("/v1/jobs?pin=%00", "/pin"),
    ("/v1/jobs/job_X?wait=61", "/wait"),
    ("/v1/jobs/job_X?wait=-1", "/wait"),
    ("/v1/jobs/job_X?wait=soon", "/wait"),
    ("/v1/jobs/job_X?wiat=1", "/wiat"),
]


@pytest.mark.parametrize(("path", "pointer"), BAD_QUERIES)
async def test_a_bad_query_is_refused(place: Place, path: str, pointer: str) -> None:
    problem = refused(await place.http.get(path), "invalid_request")
    assert [error.pointer for error in problem.errors or ()] == [pointer]


@pytest.mark.parametrize("key", ["", '""', "a b", "x" * 256, '"ab', "käse"])
async def test_a_bad_idempotency_key_is_refused(place: Place, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    refused(await place.http.post("/v1/jobs", json=SENTENCE, headers=headers), "invalid_request")


@pytest.mark.parametrize("path", ["/nothing", "/v1/jobs/", "/v1/jobs/a/b/c", "/problems/none"])
async def test_an_address_that_is_not_there(place: Place, path: str) -> None:
    refused(await place.http.get(path), "not_found")


async def test_who_opens_the_address_of_the_gateway_is_told_of_the_docs(place: Place) -> None:
    assert "/docs" in (refused(await place.http.get("/"), "not_found").detail or "")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/jobs", "GET, HEAD, POST"),
        ("GET", "/v1/jobs:batch", "POST"),
        ("PUT", "/v1/jobs/job_X", "GET, HEAD"),
        ("POST", "/v1/jobs/job_X/audio", "GET, HEAD"),
        ("OPTIONS", "/healthz", "GET, HEAD"),
        ("OPTIONS", "/v1/voices", "GET, HEAD, POST"),
    ],
)
async def test_a_method_that_is_not_taken(place: Place, method: str, path: str, allowed: str) -> None:
    answer = await place.http.request(method, path)
    refused(answer, "method_not_allowed")
    assert answer.headers["allow"] == allowed


NOBODYS = "job_01JD0000000000000000000000"
JOB_ADDRESSES = [("GET", ""), ("POST", "/cancel"), ("GET", "/audio"), ("POST", "/tracking:retry"), ("GET", "?wait=1")]


@pytest.mark.parametrize(("method", "below"), JOB_ADDRESSES)
async def test_a_job_that_is_not_there(place: Place, method: str, below: str) -> None:
    refused(await place.http.request(method, f"/v1/jobs/{NOBODYS}{below}"), "job_not_found")


@pytest.mark.parametrize(("method", "below"), JOB_ADDRESSES)
async def test_another_users_job_is_as_good_as_none(place: Place, method: str, below: str) -> None:
    job = await place.submit()
    answer = await place.http.request(method, f"/v1/jobs/{job['id']}{below}", headers=place.user("eve"))
    refused(answer, "job_not_found")
    assert place.store.get([job["id"]])[job["id"]].status == "queued"


async def test_audio_that_is_not_there_yet(place: Place) -> None:
    job = await place.submit()
    refused(await place.http.get(job["links"]["audio"]), "audio_not_ready")


async def test_a_range_after_the_end(place: Place) -> None:
    job = await place.submit()
    place.speak(b"\0\0" * 100)
    answer = await place.http.get(job["links"]["audio"], headers={"Range": "bytes=100000-"})
    refused(answer, "range_not_satisfiable")
    assert answer.headers["content-range"].startswith("bytes */")


async def test_tracking_that_is_done_cannot_be_asked_for_again(place: Place) -> None:
    job = await place.submit(score=False)
    place.speak()
    place.track()
    refused(await place.http.post(f"/v1/jobs/{job['id']}/tracking:retry"), "already_finished")


async def test_a_backlog_that_is_full(tmp_path: Path) -> None:
    async with opened(tmp_path, most_queued=4) as place:
        await place.submit()
        refused(await place.http.post("/v1/jobs:batch", json={"jobs": [SENTENCE] * 2}), "backlog_full")
        await place.submit()
        refused(await place.http.post("/v1/jobs", json=SENTENCE), "backlog_full")


async def test_a_store_that_is_away(tmp_path: Path) -> None:
    async with opened(tmp_path, store=StoreAway()) as place:
        refused(await place.http.post("/v1/jobs", json=SENTENCE), "store_unavailable")
        refused(await place.http.get(f"/v1/jobs/{NOBODYS}"), "store_unavailable")


async def test_a_bug_is_answered_without_its_traceback(tmp_path: Path) -> None:
    async with opened(tmp_path, store=StoreBroken()) as place:
        answer = await place.http.post("/v1/jobs", json=SENTENCE)
        refused(answer, "internal_error")
        assert "secret" not in answer.text


def test_every_code_has_a_status_and_a_sentence() -> None:
    assert set(PROBLEMS) == set(RefusalCode)
    assert all(problem.sentence.endswith(".") for problem in PROBLEMS.values())


async def test_every_type_leads_to_its_sentence(place: Place) -> None:
    for code, problem in PROBLEMS.items():
        answer = await place.http.get("/problems/" + code.value.replace("_", "-"))
        assert answer.status_code == 200
        assert problem.sentence in answer.text
        assert code.value in answer.text
        assert (await place.http.get(f"/problems/{code.value}")).text == answer.text


async def test_a_request_id_that_came_along_is_kept(place: Place) -> None:
    answer = await place.http.get("/nothing", headers={"X-Request-Id": "trace-7"})
    assert refused(answer, "not_found").request_id == "trace-7"


async def test_a_request_id_that_is_no_token_is_replaced(place: Place) -> None:
    answer = await place.http.get("/healthz", headers={"X-Request-Id": "two words"})
    assert answer.headers["x-request-id"].startswith("req_")


async def test_who_sends_too_long_a_text_is_told_what_to_do(place: Place) -> None:
    answer = await place.http.post("/v1/jobs", json={**SENTENCE, "text": "a" * 10_001})
    assert "Split the text" in refused(answer, "text_too_long").detail
