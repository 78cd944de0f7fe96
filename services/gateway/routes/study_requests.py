"""What evaluations, comparisons and gates have in common over HTTP: they are accepted, read, waited for and listed, and
have files.

Owns the way from a request to one of these and back. The modules of their names own the addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.auth import user_of
from services.gateway.deps import MAX_JOB_BYTES, gateway_of, read_body, read_query
from services.gateway.http.json_bytes import as_json
from services.gateway.jobs.idempotency import read_request_key
from services.gateway.jobs.listing import next_cursor, read_names, read_page
from services.gateway.jobs.submit import Accepted, RequestKey, RunInTurn
from services.gateway.requests.json_text import parse_json
from services.gateway.requests.preferences import read_preference, read_wait
from services.gateway.routes.conditions import is_had, rfc9530
from services.gateway.studies.studies import Document, StudyLook
from services.gateway.studies.study_answers import PATHS
from services.gateway.studies.study_files import content_of, file_of
from shared.ids import ULID_PATTERN
from shared.studies import PREFIXES, Kind, StudyFilter

JSON = "application/json"
FORBIDDING = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; media-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of a report: it may run its own scripts and styles. It is served from the address of the API
and must not send requests to it."""
IDS = {kind: re.compile(prefix + ULID_PATTERN) for kind, prefix in PREFIXES.items()}
"""The form of a cursor, by kind: a cursor is the id of a study."""
_AT_ONCE_BYTES = 1 << 20

Describe = Callable[[StudyLook, bool], Document]
"""Makes the JSON of a study; False as second argument leaves out its result, for a list."""


def request_key(request: Request, user: str, body: object) -> RequestKey | None:
    """Return the identity of this request, or None if it has no key."""
    headers = request.headers.getlist("idempotency-key")
    return read_request_key(headers, user=user, method=request.method, path=request.url.path, body=body)


async def read_request(request: Request, user: str) -> tuple[object, RequestKey | None, RunInTurn | None]:
    """Return the body of a request that is not large, its identity, and how to run further checks of it."""
    content = await read_body(request, MAX_JOB_BYTES)
    run = gateway_of(request).intake.run_for(user, len(content))
    body = await run(partial(parse_json, content)) if run else parse_json(content)
    identify = partial(request_key, request, user, body)
    return body, await run(identify) if run else identify(), run


def accepted_response(kind: Kind, accepted: Accepted) -> Response:
    """Return the answer to an accepted study: 202, with its address."""
    study_id = orjson.loads(accepted.body)["id"]
    headers = {"Location": f"{PATHS[kind]}/{study_id}", "Cache-Control": "no-store"}
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(accepted.body, accepted.status, headers, JSON)


async def read_study(request: Request, kind: Kind, describe: Describe) -> Response:
    """Return a study as it is now, or once its result is there: with `?wait=n` or `Prefer: wait=n`."""
    gateway, user = gateway_of(request), await user_of(request)
    query = read_query(request, ("wait",))
    preference = read_wait(query["wait"]) if query else read_preference(request.headers.getlist("prefer"))
    study_id = request.path_params["study_id"]
    if preference.wait_s:
        await gateway.studies.wait(user, study_id, preference.wait_s, gone=request.is_disconnected)
    document = await gateway.studies.document(user, kind, study_id, lambda look: describe(look, True))
    return Response(document, 200, {**preference.headers, "Cache-Control": "no-store"}, JSON)


def study_response(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a document that may change, so that no cache keeps it."""
    return Response(as_json(document), 200, {**(headers or {}), "Cache-Control": "no-store"}, JSON)


async def list_studies(request: Request, kind: Kind, describe: Describe, *filters: str) -> Response:
    """Return a page of studies, newest first. ``filters``: names of parameters that are fields of `StudyFilter`."""
    gateway, user = gateway_of(request), await user_of(request)
    query = read_query(request, ("limit", "cursor", *filters))
    limit, before = read_page(query, IDS[kind])
    wanted = StudyFilter(user, kind, **read_names(query, filters), before=before, limit=limit + 1)
    found = await gateway.studies.find(wanted, lambda look: describe(look, False))
    data, cursor = [part.document for part in found[:limit]], next_cursor(found, limit)
    return study_response({"data": data, "next_cursor": cursor, "has_more": cursor is not None})


async def send_file(request: Request, kind: Kind, path: str) -> Response:
    """Return a file of a study. It never changes, so caches may keep it."""
    gateway, user = gateway_of(request), await user_of(request)
    look = await gateway.studies.look(user, kind, request.path_params["study_id"])
    file = await gateway.pools.files.run(user, lambda: file_of(look.study, path, gateway.blobs))
    etag = f'"{file.sha256}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Security-Policy": FORBIDDING,
    }
    if is_had(request, etag):
        return Response(status_code=304, headers=headers)
    headers |= {
        "Content-Length": str(file.size),
        "Content-Disposition": f'inline; filename="{look.study.id}-{file.name}"',
        "Repr-Digest": rfc9530(bytes.fromhex(file.sha256)),
    }
    if request.method == "HEAD":
        return Response(None, 200, headers, file.media_type)
    content = content_of(file, gateway.blobs)
    if file.size <= _AT_ONCE_BYTES:
        whole = await gateway.pools.files.run(user, lambda: b"".join(content))
        return Response(whole, 200, headers, file.media_type)
    return StreamingResponse(content, 200, headers, file.media_type)
