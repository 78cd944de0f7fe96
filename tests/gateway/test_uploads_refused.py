"""Whatever is uploaded in place of a voice: it is refused by a documented code, and the gateway has noticed nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from services.gateway.voices.upload_decoder import ChildUploadDecoder
from shared.voices import MAX_FILE_BYTES
from tests.gateway.place import Place, opened, refused
from tests.gateway.uploads import CONSENT, form, recorded, upload, voiced

pytestmark = pytest.mark.anyio
GOOD = recorded(voiced())


class Bad(NamedTuple):
    """A recording that is none that is taken."""

    name: str
    content: bytes
    code: str
    detail: str


BAD_RECORDINGS = [
    Bad("empty", b"", "invalid_request", "cannot be decoded"),
    Bad("a text", b"to whom it may concern " * 100, "invalid_request", "cannot be decoded"),
    Bad("too short", recorded(voiced(0.49)), "invalid_request", "at least 0.5 s"),
    Bad("too long", recorded(voiced(60.1, 8_000), 8_000), "invalid_request", "longer than 60 s"),
    Bad("silent", recorded(np.zeros(16_000)), "invalid_request", "silent"),
    Bad("not numbers", recorded(voiced() * np.nan, subtype="FLOAT"), "invalid_request", "not numbers"),
    Bad("infinite", recorded(voiced() + np.inf, subtype="FLOAT"), "invalid_request", "not numbers"),
    Bad("low rate", recorded(voiced(1.0, 4_000), 4_000), "invalid_request", "found 4000"),
    Bad("high rate", recorded(voiced(1.0, 250_000), 250_000), "invalid_request", "found 250000"),
    Bad("many channels", recorded(voiced(1.0, 8_000, 9), 8_000), "invalid_request", "9 channels"),
    *(
        Bad(name, head + bytes(4096), "media_type_unsupported", f"found {name}")
        for name, head in {
            "MP4, as M4A": b"\0\0\0\x20ftypM4A ",
            "WebM or Matroska": b"\x1aE\xdf\xa3",
            "AAC": b"\xff\xf1\x50\x80",
            "AMR": b"#!AMR\n",
        }.items()
    ),
    Bad("another format", recorded(voiced(), form="AIFF"), "media_type_unsupported", "found AIFF"),
]


@pytest.mark.parametrize("bad", BAD_RECORDINGS, ids=lambda bad: bad.name)
async def test_a_file_that_is_no_voice_is_refused(place: Place, bad: Bad) -> None:
    problem = refused(await place.http.post("/v1/voices", **form(bad.content)), bad.code)
    assert "/file" in problem.detail
    assert bad.detail in problem.detail


DECODERS = {
    "crashes": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "hangs": "import time; time.sleep(60)",
    "says nothing": "",
    "says nonsense": "print('x' * 100)",
    "says half": "import sys; sys.stdout.buffer.write(b'\\x02\\0\\0\\0\\xff\\0\\0\\0{}')",
}


@pytest.mark.parametrize("how", DECODERS)
async def test_a_decoder_that_does_not_survive_the_file_refuses_it(tmp_path: Path, how: str) -> None:
    decoder = ChildUploadDecoder((sys.executable, "-c", DECODERS[how]), timeout_s=1.0)
    async with opened(tmp_path, decoder=decoder) as place:
        problem = refused(await place.http.post("/v1/voices", **form(GOOD)), "invalid_request")
    assert "cannot be decoded within" in problem.detail


async def test_a_decoder_that_is_not_installed_is_no_fault_of_the_file(tmp_path: Path) -> None:
    decoder = ChildUploadDecoder((sys.executable, "-c", "import sys; sys.exit(69)"))
    async with opened(tmp_path, decoder=decoder) as place:
        refused(await place.http.post("/v1/voices", **form(GOOD)), "internal_error")


BAD_FORMS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    (form(GOOD, "yes"), ("/consent",)),
    (form(GOOD, []), ("/consent",)),
    (form(GOOD, {"by": "Ann"}), ("/consent/at", "/consent/text")),
    (form(GOOD, {**CONSENT, "at": "yesterday"}), ("/consent/at",)),
    (form(GOOD, {**CONSENT, "at": "2025-01-31T12:00:00"}), ("/consent/at",)),
    (form(GOOD, {**CONSENT, "text": ""}), ("/consent/text",)),
    (form(GOOD, {**CONSENT, "text": "a\x00b"}), ("/consent/text",)),
    (form(GOOD, {**CONSENT, "how": "aloud"}), ("/consent/how",)),
    (form(GOOD, name=""), ("/name",)),
    (form(GOOD, colour="red"), ("/colour",)),
    ({"files": {"file": GOOD}}, ("/consent",)),
    ({"files": {"sound": GOOD}, "data": {"consent": json.dumps(CONSENT)}}, ("/file",)),
    ({"files": [("file", GOOD), ("file", GOOD)], "data": {"consent": json.dumps(CONSENT)}}, ("/file",)),
]


@pytest.mark.parametrize(("arguments", "pointers"), BAD_FORMS)
async def test_a_bad_form_is_refused(place: Place, arguments: dict[str, Any], pointers: tuple[str, ...]) -> None:
    problem = refused(await place.http.post("/v1/voices", **arguments), "invalid_request")
    assert tuple(error.pointer for error in problem.errors or ()) == pointers


HEAD = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
BODIES = [
    b"",
    b"--x",
    b"--x--",
    b"--x--\r\n",
    b"--y\r\n" + HEAD,
    HEAD,
    HEAD + b"abc\r\n--x",
    b"--x\r\n\r\n\r\n--x--",
    b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--",
    b'--x\r\nContent-Disposition: attachment; name="file"\r\n\r\nabc\r\n--x--',
    b'--x\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nabc\r\n--x--',
    b"--x\r\n" + b"A: b\r\n" * 10_000 + b"\r\nabc\r\n--x--",
    b"".join(b'--x\r\nContent-Disposition: form-data; name="%d"\r\n\r\na\r\n' % n for n in range(17)) + b"--x--",
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_body_that_is_no_form_is_refused(place: Place, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(await place.http.post("/v1/voices", content=body, headers=headers), "invalid_request")


@pytest.mark.parametrize("content_type", [None, "audio/wav", "multipart/form-data", "multipart/mixed; boundary=x"])
async def test_another_type_of_body_is_refused(place: Place, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    refused(await place.http.post("/v1/voices", content=GOOD, headers=headers), "media_type_unsupported")


async def test_a_body_that_does_not_end_is_cut_off_while_it_comes(place: Place) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield HEAD
        while True:
            sent += 1 << 20
            yield bytes(1 << 20)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(await place.http.post("/v1/voices", content=endless(), headers=headers), "body_too_large")
    assert sent <= MAX_FILE_BYTES + (2 << 20)


async def test_a_recording_of_the_largest_size_is_looked_at_and_a_larger_one_is_not(place: Place) -> None:
    largest = GOOD + bytes(MAX_FILE_BYTES - len(GOOD))
    await upload(place.http, largest)
    refused(await place.http.post("/v1/voices", **form(largest + b"\0")), "body_too_large")


async def test_nothing_is_kept_of_what_was_refused(place: Place, tmp_path: Path) -> None:
    await place.http.post("/v1/voices", **form(recorded(voiced(0.1))))
    await place.http.post("/v1/voices", **form(GOOD, "no consent"))
    assert (await place.http.get("/v1/voices")).json()["data"] == []
    assert not [path for path in (tmp_path / "recordings").rglob("*") if path.is_file()]
