"""The outermost layer: an id for every request, and a problem document for everything that is refused or fails.

Owns the way from exceptions to answers. `errors.py` owns what the answers say.
"""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping, Sequence

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.http.browsers import CONSTANT, NOTHING, POLICY
from services.gateway.http.errors import PROBLEM_JSON, PROBLEMS, problem_document, problem_headers
from services.gateway.http.json_bytes import as_json
from shared.errors import RefusalCode, Refused, StorageUnavailable, StoreBusy, StoreTooSlow, StoreUnavailable

log = logging.getLogger("ringtrue.gateway")

_NO_PAGE = (POLICY, NOTHING.encode())
_AWAY = "the database does not answer"
_WHY: Mapping[type[Exception], str] = {
    StoreBusy: "another request or process holds a lock for too long; nothing was changed",
    StoreTooSlow: "the database did not answer in time",
    StorageUnavailable: "the storage of the audio does not answer",
}
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


class RequestIds:
    """Middleware for every request.

    It gives the request an id, or keeps the one it came with, and sends it back as ``X-Request-Id``. It adds the
    headers for browsers, and sends no body in answer to HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = _request_id(scope)

        named = (b"x-request-id", request_id.encode())

        bodiless = scope["method"] == "HEAD"

        async def send_with_id(message: Message) -> None:
            if bodiless and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                names = [name for name, _ in own]
                more = [header for header in (named, _NO_PAGE) if header[0] not in names]
                message["headers"] = [*own, *CONSTANT, *more]
            await send(message)

        await self._app(scope, receive, send_with_id)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(text := value.decode("latin-1")):
            return str(text)
    return f"req_{uuid.uuid4().hex}"


def refusal_response(request: Request, refused: Refused, headers: dict[str, str] | None = None) -> Response:
    """Return the answer that refuses a request."""
    document = problem_document(refused, instance=request.url.path, request_id=request.state.request_id)
    # Errors that pass the outermost layer are answered outside RequestIds, so the id is set here as well.
    own = {"X-Request-Id": request.state.request_id, "Cache-Control": "no-store"}
    return Response(
        as_json(document),
        status_code=PROBLEMS[refused.code].status,
        media_type=PROBLEM_JSON,
        headers={**own, **problem_headers(refused), **(headers or {})},
    )


def install(app: FastAPI) -> None:
    """Put this layer around ``app``."""
    app.add_middleware(RequestIds)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(StoreUnavailable, _store_unavailable)
    app.add_exception_handler(HTTPException, _of_the_framework)
    app.add_exception_handler(Exception, _unexpected)


def heads_of(routes: Sequence[BaseRoute]) -> list[BaseRoute]:
    """Return a HEAD route for every GET route (RFC 9110, section 9.3.2), except for paths that have one already."""
    known = [route for route in routes if isinstance(route, APIRoute)]
    own = {route.path for route in known if "HEAD" in (route.methods or ())}
    return [
        type(route)(route.path, route.endpoint, methods=["HEAD"], include_in_schema=False)
        for route in known
        if "GET" in (route.methods or ()) and route.path not in own
    ]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal_response(request, error)


async def _store_unavailable(request: Request, error: Exception) -> Response:
    log.warning("request %s: the store does not answer: %s", request.state.request_id, error)
    return refusal_response(request, Refused(RefusalCode.STORE_UNAVAILABLE, _WHY.get(type(error), _AWAY)))


async def _of_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(sorted(_methods(request)))
        refused = Refused(RefusalCode.METHOD_NOT_ALLOWED, f"{request.method} is not allowed here; allowed: {allowed}")
        return refusal_response(request, refused, {"Allow": allowed})
    if error.status_code == 404:
        nothing = f"there is nothing at {request.url.path[:200]}; /docs lists all addresses"
        return refusal_response(request, Refused(RefusalCode.NOT_FOUND, nothing))
    return refusal_response(request, Refused(RefusalCode.INVALID_REQUEST, str(error.detail)))


def _methods(request: Request) -> set[str]:
    """Return every method that some route takes at this path."""
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return methods


async def _unexpected(request: Request, error: Exception) -> Response:
    # The traceback is logged by the server, which sees the exception too.
    log.error("%s %s %s: %r", request.state.request_id, request.method, request.url.path, error)
    # This is answered outside RequestIds, so the headers for browsers are added here.
    headers = {name.decode(): value.decode() for name, value in (*CONSTANT, _NO_PAGE)}
    return refusal_response(request, Refused(RefusalCode.INTERNAL_ERROR, "an error occurred in the gateway"), headers)
