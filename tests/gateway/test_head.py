"""HEAD is answered wherever GET is: by the same status and headers, and without a body (RFC 9110, section 9.3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from services.gateway.http.json_bytes import as_json
from tests.gateway.evaluating import SCORED, evaluate, finish, perform, settle
from tests.gateway.place import Place
from tests.gateway.served import served
from tests.gateway.uploads import recorded, upload, voiced

pytestmark = pytest.mark.anyio
OF_THE_ANSWER = ("x-request-id", "content-digest")
"""A request's own; and the digest of a body, of which there is none."""


def headers_of(answer: httpx.Response) -> Mapping[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OF_THE_ANSWER}


async def addresses(place: Place) -> list[str]:
    """Of something of every kind that can be read."""
    settle(place)
    evaluation = (await evaluate(place))["id"]
    perform(place, 3)
    files = {"items.jsonl": place.blobs.put(as_json({"an": "item"}))}
    assert finish(place, {**SCORED, "files": files}) == evaluation
    job = await place.submit()
    place.speak()
    voice = (await upload(place.http, recorded(voiced())))["links"]["self"]
    jobs = [f"/v1/jobs/{job['id']}{below}" for below in ("", "?wait=1", "/audio")]
    evaluations = [f"/v1/evaluations/{evaluation}{below}" for below in ("", "/clips", "/files/items.jsonl")]
    lists = ["/v1/jobs", "/v1/voices", "/v1/evaluations", "/v1/comparisons", "/v1/gates", "/v1/pins"]
    pages = ["/healthz", "/readyz", "/openapi.json", "/docs", "/docs/docs.js", "/problems/not-found"]
    return [*jobs, *evaluations, voice, f"{voice}/audio", *lists, *pages, "/v1/gates/default-rules"]


async def test_it_says_what_get_says_and_sends_nothing(place: Place) -> None:
    for address in await addresses(place):
        got, asked = await place.http.get(address), await place.http.head(address)
        assert (got.status_code, asked.status_code) == (200, 200), address
        assert headers_of(asked) == headers_of(got), address
        assert int(asked.headers["content-length"]) == len(got.content), address
        assert (asked.content, bool(got.content)) == (b"", True), address


async def test_every_address_of_get_has_it(place: Place) -> None:
    transport: Any = place.http._transport
    methods: dict[str, set[str]] = {}
    for route in transport.app.routes:
        methods.setdefault(route.path, set()).update(route.methods)
    assert len(methods) >= 30
    assert [path for path, taken in methods.items() if "GET" in taken and "HEAD" not in taken] == []


@pytest.mark.parametrize(
    "address",
    ["/nothing", "/v1/jobs/job_X", "/v1/jobs?limit=0", "/v1/voices/voice_X", "/v1/models/files/0", "/docs/nothing"],
)
async def test_what_is_refused_is_refused_without_a_body(place: Place, address: str) -> None:
    got, asked = await place.http.get(address), await place.http.head(address)
    assert asked.status_code == got.status_code >= 400
    assert asked.headers["content-type"] == "application/problem+json"
    assert asked.content == b""


async def test_where_there_is_no_get_there_is_no_head(place: Place) -> None:
    answer = await place.http.head("/v1/jobs:batch")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_conditions_hold_and_ranges_do_not(place: Place) -> None:
    for address in await addresses(place):
        etag = (await place.http.head(address)).headers.get("etag")
        if etag is not None:
            assert (await place.http.head(address, headers={"If-None-Match": etag})).status_code == 304
            assert (await place.http.head(address, headers={"Range": "bytes=0-1"})).status_code == 200


async def test_a_key_is_asked_for_as_with_get(place: Place) -> None:
    place.user("ann")
    assert (await place.http.head("/v1/jobs")).status_code == 401
    assert (await place.http.head("/healthz")).status_code == 200


def test_on_the_wire_the_next_answer_follows_at_once() -> None:
    request = "HEAD {} HTTP/1.1\r\nHost: localhost\r\nConnection: {}\r\n\r\n"
    addresses = (("/healthz", "keep-alive"), ("/nothing", "keep-alive"), ("/openapi.json", "close"))
    with served() as server:
        said = server.ask("".join(request.format(*one) for one in addresses).encode())
    heads = said.split(b"\r\n\r\n")
    assert [head.split(b"\r\n")[0] for head in heads[:3]] == [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 404 Not Found",
        b"HTTP/1.1 200 OK",
    ]
    assert heads[3:] == [b""]
