"""Answers to what never becomes a request: the usual problem documents, written straight to the connection."""

from __future__ import annotations

import uuid
from http import HTTPStatus

import orjson

from services.gateway.http.browsers import CONSTANT, NOTHING, POLICY
from services.gateway.http.errors import PROBLEM_JSON, PROBLEMS, problem_document, problem_headers
from shared.errors import Refused


def answer_bytes(refused: Refused, date: list[tuple[bytes, bytes]]) -> bytes:
    """Return the bytes of the whole answer, which ends the connection. ``date``: headers that the server adds to every
    answer."""
    status = PROBLEMS[refused.code].status
    request_id = f"req_{uuid.uuid4().hex}"
    body = orjson.dumps(problem_document(refused, instance="/", request_id=request_id))
    named = {
        "Content-Type": PROBLEM_JSON,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Request-Id": request_id,
        "Connection": "close",
        **problem_headers(refused),
    }
    headers = [*date, *CONSTANT, (POLICY, NOTHING.encode())]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()]
    lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode())]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
