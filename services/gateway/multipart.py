"""A multipart/form-data body (RFC 7578) taken apart: where each part lies, not what it means.

Owns the form. Nothing is copied: a body that lies in a file is looked at as it lies there.
"""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from mmap import mmap
from typing import NamedTuple

from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused

_MOST_PARTS = 16
_HEAD_BYTES = 4096
_MOST_BOUNDARY_CHARS = 70


class Part(NamedTuple):
    """One field of a form: its content is ``body[start:end]``."""

    name: str
    start: int
    end: int


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts, by the request's ``Content-Type``; `Refused` where that is no form."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, "Content-Type: multipart/form-data; boundary=… is needed")
    if not (boundary.isascii() and 1 <= len(boundary) <= _MOST_BOUNDARY_CHARS):
        raise _malformed("the boundary has 1 to 70 ASCII characters")
    return boundary.encode()


def parts_of(body: mmap | bytes, boundary: bytes) -> dict[str, Part]:
    """The parts by name; `InvalidRequest` where the body is not of the form, or has a name twice."""
    parts: dict[str, Part] = {}
    for part in _parts(body, b"\r\n--" + boundary):
        if part.name in parts:
            raise InvalidRequest((FieldError(f"/{part.name[:100]}", "given more than once"),))
        if len(parts) == _MOST_PARTS:
            raise _malformed(f"at most {_MOST_PARTS} parts are taken")
        parts[part.name] = part
    return parts


def _parts(body: mmap | bytes, mark: bytes) -> Iterator[Part]:
    at = len(mark) - 2  # the first one has no line before it
    if body[:at] != mark[2:]:
        raise _malformed("it does not start with its boundary")
    while body[at : at + 2] != b"--":
        head_end = body.find(b"\r\n\r\n", at, at + _HEAD_BYTES)
        end = body.find(mark, head_end + 4)
        if body[at : at + 2] != b"\r\n" or head_end < 0 or end < 0:
            raise _malformed("a part has no head, or does not end")
        yield Part(_name(body[at + 2 : head_end]), head_end + 4, end)
        at = end + len(mark)


def _name(head: bytes) -> str:
    header = BytesHeaderParser().parsebytes(head)
    name = header.get_param("name", header="Content-Disposition")
    if header.get_content_disposition() != "form-data" or not isinstance(name, str) or not name.isprintable():
        raise _malformed("a part has no name")
    return name


def _malformed(detail: str) -> InvalidRequest:
    return InvalidRequest((FieldError("", f"not a form: {detail}"),))
