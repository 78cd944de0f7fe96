"""JSON as clients send it: types, character sets, byte order marks, and members that are there twice.

Each is taken as what it means or refused in words; nothing of it is dropped in silence.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.requests.json_text import parse_json
from shared.errors import InvalidRequest
from tests.gateway.place import RICH, SENTENCE, Place, refused
from tests.gateway.uploads import CONSENT, form, recorded, voiced

pytestmark = pytest.mark.anyio
GOOD = json.dumps(SENTENCE).encode()

TAKEN_TYPES = [
    "application/json",
    "Application/JSON",
    "application/json;",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json; charset=us-ascii",
    "application/json; version=1; odata.metadata=minimal",
    "application/vnd.api+json",
    "application/ld+json; charset=utf-8",
]


@pytest.mark.parametrize("content_type", TAKEN_TYPES)
async def test_a_type_of_json_is_taken(place: Place, content_type: str) -> None:
    answer = await place.http.post("/v1/jobs", content=GOOD, headers={"Content-Type": content_type})
    assert answer.status_code == 202, answer.text


REFUSED_TYPES = [
    ("application/json; charset=gbk", "found gbk"),
    ('application/json; charset="UTF-16"', "found utf-16"),
    ("application/json; charset=utf-8; charset=gbk", "found gbk"),
    ("text/json", "found text/json"),
    ("application/x-ndjson", "found application/x-ndjson"),
    ("application/json-seq", "found application/json-seq"),
    ("application/+json", "found application/+json"),
    ("application/json, text/plain", "found application/json, text/plain"),
    ("x" * 500, "Content-Type must be application/json"),
]


@pytest.mark.parametrize(("content_type", "said"), REFUSED_TYPES)
async def test_another_type_is_refused_by_its_name(place: Place, content_type: str, said: str) -> None:
    answer = await place.http.post("/v1/jobs", content=GOOD, headers={"Content-Type": content_type})
    detail = refused(answer, "media_type_unsupported").detail
    assert said in detail
    assert len(detail) < 200


@pytest.mark.parametrize("address", ["/v1/jobs:batch", "/v1/evaluations", "/v1/comparisons", "/v1/gates"])
async def test_every_address_names_the_character_set(place: Place, address: str) -> None:
    answer = await place.http.post(address, content=b"{}", headers={"Content-Type": "application/json; charset=gbk"})
    assert "found gbk" in refused(answer, "media_type_unsupported").detail


async def test_a_byte_order_mark_is_no_part_of_the_json(place: Place) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await place.http.post("/v1/jobs", content=GOOD.decode().encode("utf-8-sig"), headers=headers)
    assert answer.status_code == 202
    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        content = ("\ufeff" if encoding == "utf-16-be" else "") + GOOD.decode()
        answer = await place.http.post("/v1/jobs", content=content.encode(encoding), headers=headers)
        assert "must be UTF-8" in refused(answer, "invalid_request").detail


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
async def test_an_encoding_that_is_none_is_taken(place: Place, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    assert (await place.http.post("/v1/jobs", content=GOOD, headers=headers)).status_code == 202


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "zstd"])
async def test_another_encoding_is_refused_by_its_name(place: Place, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = await place.http.post("/v1/jobs", content=GOOD, headers=headers)
    assert f"found {encoding}" in refused(answer, "media_type_unsupported").detail


@pytest.mark.parametrize("accepted", ["gzip, deflate, br", "identity;q=0", "*;q=0", "", "nonsense;;q="])
async def test_an_answer_comes_as_it_is_whatever_encodings_are_accepted(place: Place, accepted: str) -> None:
    answer = await place.http.get("/v1/pins", headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


DOUBLED: list[tuple[str, list[str]]] = [
    ('{"text":"a","pin":"rich-v1","text":"b"}', ["/text"]),
    ('{"text":"a","pin":"rich-v1","te\\u0078t":"b"}', ["/text"]),
    ('{"text":"a","text":"a","pin":"rich-v1","pin":"rich-v1"}', ["/text", "/pin"]),
    ('{"text":"a: b, {c}","pin":"rich-v1","emotion":{"name":"happy","name":"sad"}}', ["/emotion/name"]),
    ('{"text":"\\\\\\":","pin":"rich-v1","metadata":{"a/b":"1","a/b":"1"}}', ["/metadata/a~1b"]),
    ('{"text":"a","pin":"rich-v1","metadata":{"":"1","":"1"}}', ["/metadata/"]),
]


@pytest.mark.parametrize(("content", "pointers"), DOUBLED)
async def test_a_member_that_is_there_twice_is_refused_by_its_place(
    place: Place, content: str, pointers: list[str]
) -> None:
    answer = await place.http.post("/v1/jobs", content=content.encode(), headers={"Content-Type": "application/json"})
    problem = refused(answer, "invalid_request")
    assert [(error.pointer, error.detail) for error in problem.errors or ()] == [
        (pointer, "given more than once") for pointer in pointers
    ]


async def test_so_it_is_in_a_batch_a_suite_and_a_consent(place: Place) -> None:
    headers = {"Content-Type": "application/json"}
    batch = b'{"jobs":[{"text":"a","pin":"rich-v1"},{"text":"a","pin":"rich-v1","seed":1,"seed":2}]}'
    answer = await place.http.post("/v1/jobs:batch", content=batch, headers=headers)
    assert [error.pointer for error in refused(answer, "invalid_request").errors or ()] == ["/jobs/1/seed"]
    suite = b'{"pin":"%s","suite":{"items":[{"id":"a","id":"b"}]}}' % RICH.pin.encode()
    answer = await place.http.post("/v1/evaluations", content=suite, headers=headers)
    assert [error.pointer for error in refused(answer, "invalid_request").errors or ()] == ["/suite/items/0/id"]
    consent = json.dumps(CONSENT)[:-1] + ', "by": "Eve"}'
    answer = await place.http.post("/v1/voices", **form(recorded(voiced()), consent))
    assert "given more than once" in refused(answer, "invalid_request").detail


async def test_thousands_of_doubled_members_are_told_in_a_few_words(place: Place) -> None:
    content = "{" + ",".join(f'"{"x" * 50}{n // 2}":1' for n in range(10_000)) + "}"
    answer = await place.http.post("/v1/jobs", content=content.encode(), headers={"Content-Type": "application/json"})
    assert len(refused(answer, "invalid_request").errors or ()) <= 101
    assert len(answer.content) < 30_000


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_json_without_doubled_members_is_what_it_was(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    try:
        written = text.encode()
    except UnicodeEncodeError:
        return  # half a character
    assert parse_json(written) == value


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.text('ab:\\"{}, ', max_size=5), VALUES, min_size=1, max_size=4), st.data())
def test_a_doubled_member_anywhere_is_found(members: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(members)))
    pairs = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in [*members.items(), (name, members[name])]]
    where = data.draw(st.sampled_from(["%s", "[%s]", '{"x":%s}', '{"x":[0,{"y":%s}]}', '["a:b",%s]']))
    with pytest.raises(InvalidRequest, match="given more than once"):
        parse_json(where.replace("%s", "{" + ",".join(pairs) + "}").encode())
