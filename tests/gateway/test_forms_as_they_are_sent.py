"""Forms as clients write them and as RFC 2046 and 7578 allow: each is taken, or refused in words."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.requests.multipart import _PIECE, boundary_of, parts_of
from shared.errors import InvalidRequest, Refused
from tests.gateway.place import Place, refused
from tests.gateway.uploads import CONSENT, form, recorded, voiced

pytestmark = pytest.mark.anyio
GOOD = recorded(voiced())
SAID = json.dumps(CONSENT).encode()
B = b"----WebKitFormBoundary7MA4YWxkTrZu0gW"
TYPE = f"multipart/form-data; boundary={B.decode()}"


def part(head: bytes, content: bytes, boundary: bytes = B) -> bytes:
    return b"--" + boundary + b"\r\n" + head + b"\r\n\r\n" + content + b"\r\n"


CONSENTING = part(b'Content-Disposition: form-data; name="consent"', SAID)
FILE = part(b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav', GOOD)
END = b"--" + B + b"--\r\n"


def with_head(head: bytes) -> bytes:
    """A form in which the file has this head."""
    return CONSENTING + part(head, GOOD) + END


TAKEN: dict[str, bytes] = {
    "plain": CONSENTING + FILE + END,
    "a line end before it": b"\r\n" + CONSENTING + FILE + END,
    "line ends before it": b"\r\n\r\n\r\n" + CONSENTING + FILE + END,
    "a preamble": b"This is a multi-part message in MIME format.\r\n" + CONSENTING + FILE + END,
    "a preamble with hyphens": b"- --\r\n--" + B + b"x\r\n-- a\r\n\r\n" + CONSENTING + FILE + END,
    "an epilogue": CONSENTING + FILE + END + b"and so on\r\n--" + B + b"\r\n\r\n",
    "no line end at the end": CONSENTING + FILE + END[:-2],
    "spaces after boundaries": (CONSENTING + FILE).replace(B + b"\r\n", B + b" \t \r\n") + END,
    "a header that is folded": with_head(b'Content-Disposition: form-data;\r\n name="file";\r\n\tfilename="a.wav"'),
    "several that are folded": with_head(
        b'Content-Type: audio/wav;\r\n  x="y"\r\nContent-Disposition: form-data;\r\n name="file"\r\nX-A: b\r\n c\r\n d'
    ),
    "headers in small letters": with_head(b'content-disposition:form-data; name="file"; filename="a.wav"'),
    "a name without quotes": with_head(b"Content-Disposition: form-data; name=file; filename=a.wav"),
    "a tab in a header": with_head(b'Content-Disposition:\tform-data;\tname="file"'),
    "another order": with_head(b'Content-Disposition: form-data; filename="a.wav"; name="file"'),
    "a semicolon in a file's name": with_head(b'Content-Disposition: form-data; filename="a; name=x"; name="file"'),
    "quotes in a file's name": with_head(b'Content-Disposition: form-data; name="file"; filename="a\\"b%22.wav"'),
    "a path as a file's name": with_head(b'Content-Disposition: form-data; name="file"; filename="C:\\a\\b.wav"'),
    "a file's name in UTF-8": with_head('Content-Disposition: form-data; name="file"; filename="声音.wav"'.encode()),
    "a file's name in Latin-1": with_head(b'Content-Disposition: form-data; name="file"; filename="\xe4.wav"'),
    "a file's name by RFC 5987": with_head(
        b'Content-Disposition: form-data; name="file"; filename*=UTF-8\'\'%E5%A3%B0.wav; filename="a.wav"'
    ),
    "encodings that are none": with_head(
        b'Content-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: binary\r\nContent-Length: 7'
    ),
    "a blob of consent": part(
        b'Content-Disposition: form-data; name="consent"; filename="blob"\r\nContent-Type: application/json', SAID
    )
    + FILE
    + END,
}


async def sent(place: Place, body: bytes, content_type: str = TYPE) -> Any:
    return await place.http.post("/v1/voices", content=body, headers={"Content-Type": content_type})


@pytest.mark.parametrize("name", TAKEN)
async def test_a_form_that_the_rfc_allows_is_taken(place: Place, name: str) -> None:
    answer = await sent(place, TAKEN[name])
    assert answer.status_code == 201, answer.text
    assert answer.json()["recording"]["duration_s"] == 1.0


REFUSED: dict[str, tuple[bytes, str]] = {
    "lines that end with LF alone": ((CONSENTING + END).replace(b"\r\n", b"\n"), "CR and LF"),
    "LF alone after the boundary": (CONSENTING.replace(B + b"\r\n", B + b"\n") + END, "CR and LF"),
    "another boundary": ((CONSENTING + END).replace(B, b"other"), "the boundary"),
    "a boundary that goes on": ((CONSENTING + END).replace(B, B + b"x"), "the boundary"),
    "a boundary within a line": (b"a" + CONSENTING + END, "a recording is required"),
    "a preamble without end": (b"a\r\n" * 30_000 + CONSENTING + END, "the boundary"),
    "no end": (CONSENTING + FILE, "does not end"),
    "an end in the middle of a part": (CONSENTING + FILE[:-100], "does not end"),
    "no colon": (with_head(b"Content-Disposition"), "not part of a header"),
    "a space in a header's name": (with_head(b'Content Disposition: form-data; name="file"'), "not part of a header"),
    "a fold before any header": (with_head(b' form-data; name="file"'), "not part of a header"),
    "a large head": (with_head(b"A: " + b"b" * 5_000), "4096 bytes"),
    "a large head of small headers": (with_head(b"\r\n".join([b"A: " + b"b" * 200] * 30)), "4096 bytes"),
    "many headers": (with_head(b"\r\n".join([b"A: b"] * 100)), "not part of a header"),
    "no name": (with_head(b"Content-Disposition: form-data"), "no name"),
    "a name by RFC 5987 alone": (with_head(b"Content-Disposition: form-data; name*=UTF-8''file"), "no name"),
    "a name in Latin-1": (with_head(b'Content-Disposition: form-data; name="\xe4"'), "not UTF-8"),
    "two dispositions": (with_head(b'Content-Disposition: form-data; name="file"\r\n' * 2 + b"A: b"), "no name"),
    "base64": (
        with_head(b'Content-Disposition: form-data; name="file"\r\nContent-Transfer-Encoding: base64'),
        "Content-Transfer-Encoding base64",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_another_form_is_refused_in_words(place: Place, name: str) -> None:
    body, said = REFUSED[name]
    problem = refused(await sent(place, body), "invalid_request")
    assert said in problem.detail
    assert len(problem.detail) < 300


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/form-data; boundary="a b:=?"', b"a b:=?"),
        ("Multipart/Form-Data; Boundary=X", b"X"),
        ("multipart/form-data; charset=utf-8; boundary=X", b"X"),
        ('multipart/form-data;boundary="X"; charset=utf-8', b"X"),
        ("multipart/form-data; boundary=" + "x" * 70, b"x" * 70),
    ],
)
def test_a_boundary_is_read_quoted_or_not(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary
    body = part(b'Content-Disposition: form-data; name="a"', b"1", boundary) + b"--" + boundary + b"--"
    assert [*parts_of(body, boundary)] == ["a"]


@pytest.mark.parametrize("boundary", ["", '""', "x" * 71, '"a\tb"', "é"])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(Refused):
        boundary_of(f"multipart/form-data; boundary={boundary}")


@pytest.mark.parametrize("over", range(-3, len(B) + 12))
def test_a_part_lies_where_it_lies_wherever_a_piece_of_the_reading_ends(over: int) -> None:
    content = bytes(_PIECE - len(part(b'Content-Disposition: form-data; name="a"', b"")) + 2 + over)
    almost = content + b"\r\n--" + B[:-1] + b"\r\n--" + B[:9]
    for inside in (content, almost, b"\r\n--" + B[:5] + almost):
        first = part(b'Content-Disposition: form-data; name="a"', inside)
        body = first + part(b'Content-Disposition: form-data; name="b"', inside) + END
        parts = parts_of(body, B)
        assert [body[one.start : one.end] for one in parts.values()] == [inside, inside]


NAMES = st.text('abc;="\\ %é声', min_size=1, max_size=8)
CONTENTS = st.binary(max_size=50) | st.sampled_from([b"\r\n--", b"\r\n--X", b"--X", b"\r\n--XX--", b"\r", b"\n\r\n-"])


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(NAMES, CONTENTS, max_size=5), st.sampled_from([b"", b"\r\n", b"a\r\n\r\n"]), st.booleans())
def test_what_was_written_is_read(fields: dict[str, bytes], preamble: bytes, folded: bool) -> None:
    body, fold = preamble, b"\r\n " if folded else b" "
    for name, content in fields.items():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"').encode()
        body += part(b"Content-Disposition: form-data;" + fold + b'name="' + quoted + b'"', content, b"XYZ")
    body += b"--XYZ--\r\n"
    assert {name: body[one.start : one.end] for name, one in parts_of(body, b"XYZ").items()} == fields


def test_mutated_forms_are_refused_or_read_as_the_standard_library_reads_them() -> None:
    chance = random.Random(1)
    whole = b"a preamble\r\n" + CONSENTING + part(b'Content-Disposition: form-data;\r\n name="x"', b"y\r\n-") + END
    taken = 0
    for _ in range(2_000):
        body = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 6)] = chance.choice(
                (b"", b"\r", b"\n", b"\r\n", b"--", B, b" ", b":", b'"')
            )
        try:
            parts = parts_of(bytes(body), B)
        except InvalidRequest:
            continue
        if re.search(rb"\r(?!\n)|(?<!\r)\n|" + B + rb"--(?!\Z|[ \t]*\r\n)", body):
            continue  # lines to the standard library and none to the RFC, and an end that goes on
        taken += 1
        assert len(parts) <= 16
        known = by_email(bytes(body))
        for name, one in parts.items():
            if known.get(name) is not None:
                assert bytes(body[one.start : one.end]) == known[name]
    assert taken > 200


def by_email(body: bytes) -> dict[str, bytes]:
    message = BytesParser().parsebytes(b"Content-Type: " + TYPE.encode() + b"\r\n\r\n" + body)
    found: dict[str, bytes] = {}
    for one in message.get_payload() if message.is_multipart() else ():
        assert isinstance(one, Message)
        name, content = one.get_param("name", header="content-disposition"), one.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes) and not one.defects:
            found[name] = content
    return found


async def test_the_parser_says_nothing_of_it(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    for body, _ in REFUSED.values():
        await sent(place, body)
    assert "boundary" not in caplog.text.lower()
    assert "header" not in caplog.text.lower()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not here")
async def test_the_form_of_curl_is_taken(place: Place, tmp_path: Path) -> None:
    body, content_type = captured(
        ["curl", "-sF", f"file=@{recording(tmp_path)};type=audio/wav", "-F", f"consent={SAID.decode()}"]
    )
    assert (await sent(place, body, content_type)).status_code == 201


FETCH = """
const fs = require("fs");
const data = new FormData();
data.append("file", new Blob([fs.readFileSync(process.argv[1])], {type: "audio/wav"}), "a.wav");
data.append("consent", new Blob([process.argv[2]], {type: "application/json"}));
fetch(process.argv[3], {method: "POST", body: data}).then(answer => answer.text());
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not here")
async def test_the_form_of_fetch_in_node_is_taken(place: Place, tmp_path: Path) -> None:
    body, content_type = captured(["node", "-e", FETCH, str(recording(tmp_path)), SAID.decode()])
    assert (await sent(place, body, content_type)).status_code == 201


async def test_the_form_of_httpx_is_taken(place: Place) -> None:
    assert (await place.http.post("/v1/voices", **form(GOOD))).status_code == 201


def recording(folder: Path) -> Path:
    path = folder / "声音 b.wav"
    path.write_bytes(GOOD)
    return path


def captured(command: list[str]) -> tuple[bytes, str]:
    """The body and the type that a program sends to the address that is its last argument."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    got: list[tuple[bytes, str]] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((body, self.headers["Content-Type"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Taking) as server:
        server.timeout = 20
        client = subprocess.Popen([*command, f"http://127.0.0.1:{server.server_port}/"], stdout=subprocess.DEVNULL)
        server.handle_request()
        assert client.wait(20) == 0
    return got[0]
