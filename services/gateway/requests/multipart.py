"""Splits a multipart/form-data body (RFC 7578) into parts: where each part is, not what it means.

Owns the limits of a form, and what its parser, python-multipart, leaves open: text before the first boundary, headers
that continue on a second line, and a missing end. Little is copied: a body in a file is read where it is, a chunk at a
time.
"""

from __future__ import annotations

import logging
import re
from email.message import Message
from mmap import mmap
from typing import NamedTuple

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused

_MOST_PARTS = 16
_HEAD_BYTES = 4096
_MOST_HEADERS = 64
"""Most headers of one part."""
_MOST_BOUNDARY_CHARS = 70
_MOST_HEADER_CHARS = 1000
"""Longer headers are refused: their parser takes quadratic time for quotation marks and semicolons."""
_PREAMBLE_BYTES = 64 << 10
_PIECE = 1 << 20
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_AS_IT_IS = (b"binary", b"8bit", b"7bit", b"")
_LINE_ENDS = "lines must end with CR and LF"
_SILENT = logging.Logger("python_multipart", logging.CRITICAL + 1)
"""The parser logs a line about every flaw: an uploader could fill the log."""


class FormPart(NamedTuple):
    """One field of a form. Its content is ``body[start:end]``."""

    name: str
    start: int
    end: int


def boundary_of(content_type: str) -> bytes:
    """Return the boundary between the parts, from the request's ``Content-Type``.

    Raises `Refused` if that is not a form, and `InvalidRequest` if the boundary is malformed."""
    if len(content_type) > _MOST_HEADER_CHARS:
        raise _malformed(f"Content-Type must have at most {_MOST_HEADER_CHARS} characters")
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, "Content-Type must be multipart/form-data; boundary=…")
    if not (boundary.isascii() and boundary.isprintable() and 1 <= len(boundary) <= _MOST_BOUNDARY_CHARS):
        raise _malformed("the boundary must have 1 to 70 ASCII characters")
    return boundary.encode()


def parts_of(body: mmap | bytes, boundary: bytes) -> dict[str, FormPart]:
    """Return the parts by name. Raises `InvalidRequest` if the body is not a form, or has a name twice."""
    first = _first_part(body, boundary)
    if first is None:
        return {}
    patches: dict[int, bytes] = {}
    while True:  # one more pass for each part with a header of several lines
        reading = _Reading(boundary, first)
        try:
            for at in range(first, len(body), _PIECE):
                reading.add(_patched(body, at, at + _PIECE, patches))
            return reading.parts()
        except MultipartParseError as error:
            at = first + reading.taken + error.offset
            fold = _fold(body, at)
            if fold is None or fold in patches or len(patches) >= _MOST_HEADERS:
                raise _malformed(_words(body, at)) from None
            patches |= _unfolded(body, fold)


class _Reading:
    """One pass of the parser over a form."""

    def __init__(self, boundary: bytes, first: int) -> None:
        self.taken = 0
        self._first = first
        self._parts: dict[str, FormPart] = {}
        self._piece = b""
        self._headers: list[tuple[bytearray, bytearray]] = []
        self._start: int | None = None
        self._length = self._head_bytes = 0
        self._over = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_begin": self._header,
                "on_header_field": lambda data, start, end: self._said(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._said(1, data[start:end]),
                "on_part_data": self._content,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_HEAD_BYTES,
        )
        self._parser.logger = _SILENT
        self._parser.write(b"--" + boundary + b"\r\n")

    def add(self, piece: bytes) -> None:
        """Parse the next bytes. Raises `MultipartParseError` and `InvalidRequest`."""
        self._piece = piece
        self._parser.write(piece)
        self.taken += len(piece)

    def parts(self) -> dict[str, FormPart]:
        if not self._over:
            raise _malformed("the body does not end with the boundary and two hyphens")
        return self._parts

    def _begin(self) -> None:
        self._headers, self._start, self._length, self._head_bytes = [], None, 0, 0

    def _header(self) -> None:
        self._headers.append((bytearray(), bytearray()))

    def _said(self, which: int, more: bytes) -> None:
        self._head_bytes += len(more)
        if self._head_bytes > _HEAD_BYTES:
            raise _malformed(f"the head of a part must have at most {_HEAD_BYTES} bytes")
        self._headers[-1][which].extend(more)

    def _content(self, data: bytes, start: int, end: int) -> None:
        if self._start is None:
            # Bytes that looked like a boundary at the end of the last chunk come in a buffer of their own: they were
            # before this one.
            before = start if data is self._piece else start - end
            self._start = self._first + self.taken + before
        self._length += end - start

    def _end(self) -> None:
        name = _name(self._headers)
        start = self._start or 0
        if name in self._parts:
            raise InvalidRequest((FieldError(f"/{name[:100]}", "given more than once"),))
        if len(self._parts) == _MOST_PARTS:
            raise _malformed(f"at most {_MOST_PARTS} parts are allowed")
        self._parts[name] = FormPart(name, start, start + self._length)

    def _finish(self) -> None:
        self._over = True


def _first_part(body: mmap | bytes, boundary: bytes) -> int | None:
    """Return where the first part begins, after the preamble (RFC 2046), which is ignored. None if there is no part."""
    line = rb"(\A|\r?\n)--" + re.escape(boundary) + rb"(?:[ \t]*(\r?\n)|--)"
    if (found := re.search(line, body[:_PREAMBLE_BYTES])) is None:
        raise _malformed(f"the boundary does not appear in the first {_PREAMBLE_BYTES} bytes")
    if b"\n" in (found[1], found[2]):
        raise _malformed(_LINE_ENDS)
    return found.end() if found[2] else None


def _patched(body: mmap | bytes, start: int, end: int, patches: dict[int, bytes]) -> bytes:
    piece = body[start:end]
    if not patches:
        return piece
    changed = bytearray(piece)
    for at, instead in patches.items():
        for index, byte in enumerate(instead, at - start):
            if 0 <= index < len(changed):
                changed[index] = byte
    return bytes(changed)


def _fold(body: mmap | bytes, at: int) -> int | None:
    """Return where the line ended that continues at ``at``. None if there is no continued line."""
    return at - 2 if at >= 2 and body[at - 2 : at] == b"\r\n" and body[at : at + 1] in (b" ", b"\t") else None


def _words(body: mmap | bytes, at: int) -> str:
    """Return what is wrong at ``at``. The parser itself only names its internal states."""
    if body[at : at + 1] == b"\n" or (body[at - 1 : at] == b"\n" and body[at - 2 : at] != b"\r\n"):
        return _LINE_ENDS
    most = f"{_MOST_HEADERS} headers and {_HEAD_BYTES} bytes of one part"
    return f"byte {at} is not part of a header or boundary, or it is beyond {most}"


def _unfolded(body: mmap | bytes, fold: int) -> dict[int, bytes]:
    """Return what to read instead of the line ends within headers, by offset, from ``fold`` to the end of the head."""
    end = body.find(b"\r\n\r\n", fold, fold + _HEAD_BYTES)
    head = body[fold : end if end >= 0 else fold + _HEAD_BYTES]
    return {fold + found.start(): b"  " for found in _FOLD.finditer(head)}


def _name(headers: list[tuple[bytearray, bytearray]]) -> str:
    for encoding in _values(headers, b"content-transfer-encoding"):
        if encoding.strip().lower() not in _AS_IT_IS:
            raise _malformed(f"Content-Transfer-Encoding {encoding[:20].decode('latin-1')} of a part is not supported")
    said = _values(headers, b"content-disposition")
    if len(said) != 1 or len(said[0]) > _MOST_HEADER_CHARS:
        raise _malformed("a part has no name")
    kind, parameters = parse_options_header(said[0].replace(b"\t", b" "))
    try:
        name = parameters[b"name"].decode()
    except (KeyError, UnicodeDecodeError):
        raise _malformed("a part has no name, or one that is not UTF-8") from None
    if kind != b"form-data" or not name.isprintable():
        raise _malformed("a part has no name")
    return name


def _values(headers: list[tuple[bytearray, bytearray]], wanted: bytes) -> list[bytes]:
    return [bytes(value) for name, value in headers if name.lower() == wanted]


def _malformed(detail: str) -> InvalidRequest:
    return InvalidRequest((FieldError("", f"not a form: {detail}"),))
