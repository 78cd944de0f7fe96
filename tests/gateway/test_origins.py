"""Without keys the gateway is for programs of this machine and for its own pages: no proxy, no foreign page."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from services.gateway.http.origins import check_no_proxy, check_page
from shared.errors import Refused
from tests.gateway.place import SENTENCE, Place, opened, refused
from tests.gateway.uploads import form, recorded, voiced

pytestmark = pytest.mark.anyio
_NAMES = (
    "Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Forwarded-Prefix X-Forwarded"
    " X-Forwarded-Client-Cert X_Forwarded_For X-Real-IP Via X-Original-Host X-Original-URL X-Original-Forwarded-For"
    " CF-Connecting-IP CF-Ray True-Client-IP X-Client-IP X-Cluster-Client-IP Fastly-Client-IP Client-IP X-Remote-IP"
    " X-Remote-Addr X-Originating-IP WL-Proxy-Client-IP Proxy-Client-IP X-ProxyUser-Ip X-Envoy-External-Address"
    " X-Azure-ClientIP X-Azure-SocketIP Fly-Client-IP X-Appengine-User-IP X-Amzn-Trace-Id CDN-Loop X-ARR-LOG-ID"
    " X-Host X-Rewrite-URL DO-Connecting-IP X-Vercel-Forwarded-For X-Source-IP"
)
PROXIED = _NAMES.split()
OWN = "http://127.0.0.1:8000"
FOREIGN = (
    "https://evil.example", "http://evil.example:8000", "null", "http://127.0.0.1:9000", "http://127.0.0.1", "",
    "https://127.0.0.1:8000", "http://127.0.0.1:8000.evil.example", "http://127.0.0.1:8000@evil.example", "file://",
    "http://localhost:8000", "http://[::1]:8000", "http://127.0.0.1:80000", "chrome-extension://abc",
)  # fmt: skip
ASKED = ("POST /v1/jobs", "POST /v1/jobs:batch", "POST /v1/voices", "POST /v1/evaluations", "POST /v1/comparisons",
         "POST /v1/gates", "POST /v1/jobs/job_1/cancel", "DELETE /v1/voices/voice_1",
         "POST /v1/jobs/job_1/tracking:retry", "POST /v1/evaluations/eval_1/cancel", "GET /v1/jobs",
         "GET /v1/jobs/job_1?wait=60",
         "GET /v1/pins")  # fmt: skip


async def ask(place: Place, asked: str, **headers: str) -> httpx.Response:
    method, path = asked.split()
    host = {"Host": "127.0.0.1:8000"}
    return await place.http.request(
        method, path, headers={**host, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


@pytest.mark.parametrize("name", PROXIED)
async def test_without_keys_what_a_proxy_passed_on_is_refused_with_the_reason(place: Place, name: str) -> None:
    for asked in ("GET /v1/jobs", "POST /v1/jobs"):
        method, path = asked.split()
        answer = await place.http.request(method, path, headers={name: "192.0.2.1"})
        assert name.lower() in refused(answer, "forbidden").detail


@given(tail=st.from_regex(r"[A-Za-z0-9-]{0,20}", fullmatch=True), value=st.text("0123456789.:", max_size=20))
def test_any_name_that_begins_as_those_of_proxies_do_is_refused(tail: str, value: str) -> None:
    with pytest.raises(Refused):
        check_no_proxy(Headers({"host": "127.0.0.1", f"X-Forwarded-{tail}": value}))


@pytest.mark.parametrize(
    "name", ["Accept", "Prefer", "Idempotency-Key", "X-Request-Id", "traceparent", "User-Agent", "Viable", "Range"]
)
async def test_what_programs_send_is_no_sign_of_a_proxy(place: Place, name: str) -> None:
    assert (await place.http.get("/v1/pins", headers={name: "x"})).status_code == 200


async def test_with_keys_a_proxy_is_welcome(tmp_path: Path) -> None:
    async with opened(tmp_path) as place:
        headers = place.user("ann") | {"X-Forwarded-For": "192.0.2.1", "Host": "tts.example", "Via": "1.1 proxy"}
        assert (await place.http.post("/v1/jobs", json=SENTENCE, headers=headers)).status_code == 202


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("asked", ASKED)
async def test_without_keys_a_page_of_another_origin_gets_nothing(place: Place, asked: str, origin: str) -> None:
    assert "pages of another origin" in refused(await ask(place, asked, Origin=origin), "forbidden").detail


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site", "something"])
@pytest.mark.parametrize("asked", ASKED)
async def test_without_keys_a_page_of_another_site_gets_nothing(place: Place, asked: str, site: str) -> None:
    refused(await ask(place, asked, Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors", Sec_Fetch_Dest="image"), "forbidden")
    refused(
        await ask(place, asked, Sec_Fetch_Site=site, Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe"), "forbidden"
    )


async def test_a_form_of_a_foreign_page_makes_no_voice(place: Place, tmp_path: Path) -> None:
    sent = form(recorded(voiced(1.0)))
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        refused(await place.http.post("/v1/voices", **sent, headers=headers), "forbidden")
    assert (await place.http.get("/v1/voices")).json()["data"] == []
    assert not any(path.is_file() for path in (tmp_path / "recordings").rglob("*"))


async def test_a_link_elsewhere_may_lead_here_and_a_form_may_not(place: Place) -> None:
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert (await ask(place, "GET /v1/jobs", **followed)).status_code == 200
    refused(await ask(place, "POST /v1/jobs", **followed), "forbidden")


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "127.0.0.1", "LOCALHOST"])
async def test_our_own_page_is_answered(place: Place, host: str) -> None:
    page = {"Host": host, "Origin": f"http://{host.lower()}", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert (await place.http.post("/v1/jobs", json=SENTENCE, headers=page)).status_code == 202


@pytest.mark.parametrize(
    ("host", "origin"), [("localhost:80", "http://localhost"), ("localhost", "http://localhost:80")]
)
async def test_the_port_of_the_scheme_may_be_left_out(place: Place, host: str, origin: str) -> None:
    page = {"Host": host, "Origin": origin}
    assert (await place.http.post("/v1/jobs", json=SENTENCE, headers=page)).status_code == 202


async def test_no_other_origin_is_ever_allowed_by_a_preflight(place: Place) -> None:
    wanted = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
              "Access-Control-Request-Headers": "content-type",
              "Access-Control-Request-Private-Network": "true"}  # fmt: skip
    for path in ("/v1/jobs", "/v1/voices", "/healthz", "/docs"):
        answer = await place.http.request("OPTIONS", path, headers=wanted)
        refused(answer, "method_not_allowed")
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.example"},
    ],
)
async def test_a_key_that_something_adds_by_itself_is_no_use_to_a_foreign_page(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with opened(tmp_path, open_to_local=False) as place:
        ann = place.user("ann") | headers
        refused(await place.http.post("/v1/jobs", json=SENTENCE, headers=ann), "forbidden")
        assert (await place.http.get("/v1/jobs", headers=ann)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://tts.example", "Host": "tts.example"},
        {"Origin": "https://tts.example", "Host": "tts.example:443"},
        {"Origin": "https://tts.example", "Host": "gateway:8000", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://tts.example:8000", "Host": "tts.example:8000"},
    ],
)
async def test_with_keys_our_own_page_is_answered_behind_a_proxy_too(tmp_path: Path, headers: dict[str, str]) -> None:
    async with opened(tmp_path, open_to_local=False) as place:
        answer = await place.http.post("/v1/jobs", json=SENTENCE, headers=place.user("ann") | headers)
        assert answer.status_code == 202


@given(origin=st.text(st.characters(max_codepoint=0xFF), max_size=60))
def test_no_origin_but_our_own_passes(origin: str) -> None:
    headers = Headers(raw=[(b"host", b"127.0.0.1:8000"), (b"origin", origin.encode("latin-1"))])
    if origin.lower() != OWN:
        with pytest.raises(Refused):
            check_page("POST", headers, with_key=False)


@pytest.mark.parametrize("hosts", [[], ["127.0.0.1", "evil.example"], ["evil.example", "127.0.0.1"], ["127.0.0.1"] * 2])
async def test_a_host_that_is_not_there_once_is_none_of_ours(place: Place, hosts: list[str]) -> None:
    request = place.http.build_request("GET", "/v1/jobs")
    request.headers = httpx.Headers([("Host", host) for host in hosts])
    refused(await place.http.send(request), "forbidden")


async def test_two_keys_at_once_are_none(tmp_path: Path) -> None:
    async with opened(tmp_path, open_to_local=False) as place:
        key = place.user("ann")["Authorization"]
        headers = [("Authorization", key), ("Authorization", key)]
        refused(await place.http.get("/v1/jobs", headers=headers), "key_invalid")
