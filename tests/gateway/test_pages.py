"""The page of the API: from this server alone, pinned, under a policy, and able to ask for something."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests import chromium as browsers
from tests.chromium import Chromium
from tests.gateway.place import Place, refused
from tests.gateway.served import Server, served

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "services" / "gateway" / "pages"
anyio = pytest.mark.anyio
PATHS = ["/docs", "/docs/docs.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/favicon-32x32.png"]


def test_the_libraries_are_the_bytes_that_are_pinned_and_have_their_licence() -> None:
    lock = json.loads((PAGES / "vendored.json").read_text())
    assert lock["version"].count(".") == 2
    assert lock["integrity"].startswith("sha512-")
    folder = PAGES / lock["folder"]
    assert {path.name for path in folder.iterdir()} == set(lock["files"]) >= {"LICENSE", "NOTICE"}
    for name, sha256 in lock["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == sha256, name
    assert lock["package"] in (ROOT / "NOTICE").read_text()


def test_no_page_names_another_host_or_has_a_script_in_it() -> None:
    for page in [*PAGES.glob("*.html"), *PAGES.glob("*.js")]:
        text = page.read_text()
        assert "://" not in text, page
        assert "<script>" not in text
        assert "onload" not in text
        assert "style=" not in text


@anyio
@pytest.mark.parametrize("path", PATHS)
async def test_what_a_page_needs_is_served_and_not_sent_twice(place: Place, path: str) -> None:
    answer = await place.http.get(path)
    assert answer.status_code == 200
    again = await place.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@anyio
@pytest.mark.parametrize("name", ["docs.html", "../app.py", "%2e%2e/app.py", "swagger-ui/LICENSE", "x" * 300])
async def test_nothing_else_is(place: Place, name: str) -> None:
    refused(await place.http.get(f"/docs/{name}"), "not_found")


@anyio
@pytest.mark.parametrize(
    "path", [*PATHS, "/openapi.json", "/healthz", "/readyz", "/v1/pins", "/v1/jobs/nothing", "/none"]
)
async def test_every_answer_tells_browsers_to_take_it_for_what_it_is(place: Place, path: str) -> None:
    headers = (await place.http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    (policy,) = headers.get_list("content-security-policy")
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'unsafe" not in policy
    assert ("script-src 'self'" in policy) == (path == "/docs")


def test_an_installed_gateway_has_its_pages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["services.gateway"]
    shipped = {path for pattern in patterns for path in PAGES.parent.glob(pattern)}
    assert {path for path in PAGES.rglob("*") if path.is_file()} <= shipped


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    yield from browsers.started(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with served() as server:
        yield server


UNTIL = """new Promise((found, missing) => {
  const until = Date.now() + 30000;
  const look = () => {
    const there = (%s);
    if (there) found(typeof there === "object" ? true : there);
    else if (Date.now() > until) missing(new Error("not there")); else setTimeout(look, 50);
  };
  look();
})"""


def test_in_a_browser_it_shows_the_api_and_asks_nobody_else(server: Server, chromium: Chromium) -> None:
    chromium.open(f"http://127.0.0.1:{server.port}/docs")
    shown = chromium.run(UNTIL % "document.querySelectorAll('.opblock').length")
    assert shown >= 30
    assert all(url.startswith(f"http://127.0.0.1:{server.port}/") for url in chromium.requests())
    assert chromium.complaints() == []


def test_in_a_browser_it_tries_a_request_out(server: Server, chromium: Chromium) -> None:
    chromium.open(f"http://127.0.0.1:{server.port}/healthz")
    chromium.open(f"http://127.0.0.1:{server.port}/docs#/jobs/createJob")
    operation = "document.querySelector('#operations-jobs-createJob %s')"
    for button in (".try-out__btn", ".execute"):
        chromium.run(UNTIL % operation % button)
        chromium.run((operation % button) + ".click()")
    status = chromium.run(UNTIL % operation % ".live-responses-table .response .response-col_status")
    said = chromium.run((operation % ".live-responses-table .response") + ".textContent")
    assert status is not None
    assert "pin_unknown" in said  # of the example, which is not served here: the request was taken
    assert not [one for one in chromium.complaints() if "Content Security Policy" in one]


class Foreign(BaseHTTPRequestHandler):
    """A page of another origin that does what such pages do, to the gateway at ``port``."""

    port = 0
    page = """<!doctype html><iframe name="frame"></iframe>
        <form method="post" enctype="multipart/form-data" target="frame" action="http://127.0.0.1:%(port)d/v1/voices">
        <input name="consent" value='{"by": "Ann", "text": "yes"}'></form>
        <img src="http://127.0.0.1:%(port)d/v1/jobs?limit=200">
        <script>
          document.forms[0].submit();
          const to = "http://127.0.0.1:%(port)d";
          const tried = [
            fetch(to + "/v1/voices", {method: "POST", mode: "no-cors", body: new FormData(document.forms[0])}),
            fetch(to + "/v1/jobs", {method: "POST", mode: "no-cors", body: "{}"}),
            fetch(to + "/v1/jobs/job_1?wait=60", {mode: "no-cors"}),
            fetch(to + "/v1/jobs", {method: "POST", body: "{}", headers: {"Content-Type": "application/json"}}),
          ];
          window.over = Promise.allSettled(tried).then(all => all.map(one => one.status));
        </script>"""

    def do_GET(self) -> None:
        content = (self.page % {"port": self.port}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_in_a_browser_a_foreign_page_gets_nothing(server: Server, chromium: Chromium, name: str) -> None:
    handler = type("Handler", (Foreign,), {"port": server.port})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as foreign:
        threading.Thread(target=foreign.serve_forever, daemon=True).start()
        chromium.open(f"http://{name}:{foreign.server_port}/")
        assert chromium.run("window.over")[-1] == "rejected"
        until = time.monotonic() + 30
        while 403 not in (statuses := answers(chromium, server)) and time.monotonic() < until:
            time.sleep(0.1)
        foreign.shutdown()
    assert 403 in statuses
    assert statuses <= {403, 405}  # 405: what it asks beforehand
    for path in ("voices", "jobs"):
        kept = server.ask(f"GET /v1/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert b'"data":[]' in kept


def answers(chromium: Chromium, server: Server) -> set[int]:
    """Statuses of what the gateway answered so far, as far as the browser tells."""
    chromium.run("0")
    answered = [one["response"] for one in chromium.of("Network.responseReceived")]
    return {one["status"] for one in answered if one["url"].startswith(f"http://127.0.0.1:{server.port}/v1/")}
