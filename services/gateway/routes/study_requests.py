"""What evaluations, comparisons and gates have in common over HTTP: they are accepted, looked at, waited for, listed,
and have files.

Owns the way from a request to one of these and back. The addresses are the modules' that bear their names.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.answers import as_json
from services.gateway.auth import user_of
from services.gateway.deps import gateway_of, read_query
from services.gateway.idempotency import read_request_key
from services.gateway.listing import read_names, read_page
from services.gateway.preferences import read_preference, read_wait
from services.gateway.routes.conditions import is_had, rfc9530
from services.gateway.studies import Document, StudyLook
from services.gateway.study_answers import PATHS
from services.gateway.study_files import content_of, file_of
from services.gateway.submit import Accepted, RequestKey
from shared.ids import ULID_PATTERN
from shared.studies import PREFIXES, Kind, StudyFilter

JSON = "application/json"
FORBIDDING = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; media-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a report may do: run and look as it is written. It stands at the address of the API and must not speak to it."""
IDS = {kind: re.compile(prefix + ULID_PATTERN) for kind, prefix in PREFIXES.items()}
"""A cursor is the id of one."""
_AT_ONCE_BYTES = 1 << 20

Describe = Callable[[StudyLook, bool], Document]
"""A document of a study; not whole for a list."""


def request_key(request: Request, user: str, body: object) -> RequestKey | None:
    """Identity of this request, if it has one."""
    headers = request.headers.getlist("idempotency-key")
    return read_request_key(headers, user=user, method=request.method, path=request.url.path, body=body)


def accepted_response(kind: Kind, accepted: Accepted) -> Response:
    """202, and where it is from now on."""
    study_id = orjson.loads(accepted.body)["id"]
    headers = {"Location": f"{PATHS[kind]}/{study_id}", "Cache-Control": "no-store"}
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(accepted.body, accepted.status, headers, JSON)


async def read_study(request: Request, kind: Kind, describe: Describe) -> Response:
    """A study now, or once its result is there: with `?wait=n` or `Prefer: wait=n`."""
    gateway, user = gateway_of(request), await user_of(request)
    query = read_query(request, ("wait",))
    preference = read_wait(query["wait"]) if query else read_preference(request.headers.getlist("prefer"))
    study_id = request.path_params["study_id"]
    if preference.wait_s:
        look = await gateway.studies.wait(user, kind, study_id, preference.wait_s, gone=request.is_disconnected)
    else:
        look = await gateway.studies.look(user, kind, study_id)
    return study_response(describe(look, True), preference.headers)


def study_response(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """A document that changes."""
    return Response(as_json(document), 200, {**(headers or {}), "Cache-Control": "no-store"}, JSON)


async def list_studies(request: Request, kind: Kind, describe: Describe, *filters: str) -> Response:
    """A page, newest first. ``filters``: names of parameters that are fields of `StudyFilter`."""
    gateway, user = gateway_of(request), await user_of(request)
    query = read_query(request, ("limit", "cursor", *filters))
    limit, before = read_page(query, IDS[kind])
    wanted = StudyFilter(user, kind, **read_names(query, filters), before=before, limit=limit + 1)
    found = await gateway.studies.find(wanted, lambda look: describe(look, False))
    more = len(found) > limit
    cursor = found[limit - 1]["id"] if more else None
    return study_response({"data": found[:limit], "next_cursor": cursor, "has_more": more})


async def send_file(request: Request, kind: Kind, path: str) -> Response:
    """A file of a study; it never changes."""
    gateway, user = gateway_of(request), await user_of(request)
    look = await gateway.studies.look(user, kind, request.path_params["study_id"])
    file = await asyncio.to_thread(file_of, look.study, path, gateway.blobs)
    etag = f'"{file.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Security-Policy": FORBIDDING,
        "X-Content-Type-Options": "nosniff",
    }
    if is_had(request, etag):
        return Response(status_code=304, headers=headers)
    headers |= {
        "Content-Length": str(file.size),
        "Content-Disposition": f'inline; filename="{look.study.id}-{file.name}"',
        "Repr-Digest": rfc9530(bytes.fromhex(file.sha256)),
    }
    content = content_of(file, gateway.blobs)
    if file.size <= _AT_ONCE_BYTES:
        return Response(await asyncio.to_thread(b"".join, content), 200, headers, file.media_type)
    return StreamingResponse(content, 200, headers, file.media_type)
