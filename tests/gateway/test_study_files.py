"""What a study has come to is fetched as files: of the right type, by their hash, and unable to speak to the API."""

from __future__ import annotations

import hashlib

import pytest

from tests.gateway.evaluating import evaluate, finish, item, perform
from tests.gateway.place import Place, refused

pytestmark = pytest.mark.anyio
REPORT = b"<!doctype html><title>A report</title>"
FILES = {
    "report.html": (REPORT, "text/html; charset=utf-8"),
    "plots/forest.svg": (b"<svg/>", "image/svg+xml"),
    "comparison.json": (b"{}", "application/json"),
    "items.jsonl": (b"{}\n", "application/jsonl"),
    "junit.xml": (b"<testsuites/>", "application/xml"),
    "summary.md": ("# Bestanden ✓".encode(), "text/markdown; charset=utf-8"),
    "items.parquet": (b"PAR1" * 500_000, "application/vnd.apache.parquet"),
    "other": (b"\0", "application/octet-stream"),
}


async def compared(place: Place) -> str:
    """The address of a comparison with files."""
    sides = [await evaluate(place, suite=item(), seeds=[seed]) for seed in (0, 1)]
    body = {"baseline": sides[0]["id"], "candidate": sides[1]["id"]}
    links = (await place.http.post("/v1/comparisons", json=body)).json()["links"]
    perform(place, 2)
    finish(place, {})
    finish(place, {})
    files = {path: place.blobs.put(content) for path, (content, _) in FILES.items()}
    finish(place, {"comparison": {"headline": "better"}, "files": files})
    return str(links["self"])


@pytest.mark.parametrize("path", FILES)
async def test_a_file_has_its_type_and_its_bytes(place: Place, path: str) -> None:
    content, media_type = FILES[path]
    answer = await place.http.get(f"{await compared(place)}/files/{path}")
    assert (answer.content, answer.headers["content-type"]) == (content, media_type)
    assert answer.headers["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    assert int(answer.headers["content-length"]) == len(content)


async def test_files_are_named_by_the_document(place: Place) -> None:
    assert (await place.http.get(await compared(place))).json()["files"] == sorted(FILES)


async def test_the_report_has_an_address_of_its_own(place: Place) -> None:
    answer = await place.http.get(f"{await compared(place)}/report")
    assert (answer.content, answer.headers["content-type"]) == (REPORT, "text/html; charset=utf-8")


async def test_a_report_may_look_and_run_and_nothing_else(place: Place) -> None:
    headers = (await place.http.get(f"{await compared(place)}/report")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "script-src": "'unsafe-inline'",
        "img-src": "data:",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["x-content-type-options"] == "nosniff"


async def test_a_file_that_one_has_is_not_sent_again(place: Place) -> None:
    address = f"{await compared(place)}/report"
    etag = (await place.http.get(address)).headers["etag"]
    answer = await place.http.get(address, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("path", ["nothing.html", "plots", "../comparison.json", "%2e%2e/x", ""])
async def test_a_file_that_there_is_not_is_not_found(place: Place, path: str) -> None:
    answer = await place.http.get(f"{await compared(place)}/files/{path}")
    assert answer.status_code == 404


async def test_before_it_is_over_there_are_no_files(place: Place) -> None:
    evaluation = await evaluate(place, suite=item())
    assert "not finished" in refused(await place.http.get(evaluation["links"]["items"]), "file_not_ready").detail


async def test_a_file_whose_bytes_are_gone_is_not_found(place: Place) -> None:
    address = f"{await compared(place)}/report"
    place.blobs.delete(hashlib.sha256(REPORT).hexdigest())
    refused(await place.http.get(address), "file_not_ready")
