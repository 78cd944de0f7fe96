"""The outermost layer: an id for every request, and a problem document for everything that is refused or breaks.

Owns the way from exceptions to answers. What the answers say is `errors.py`'s.
"""

from __future__ import annotations

import logging
import re
import uuid

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.answers import as_json
from services.gateway.errors import PROBLEM_JSON, PROBLEMS, problem_document, problem_headers
from shared.errors import RefusalCode, Refused, StoreUnavailable

log = logging.getLogger("ringtrue.gateway")

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


class RequestIds:
    """Gives every request an id, or keeps the one it came with, and sends it back as ``X-Request-Id``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})["request_id"] = _request_id(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(text := value.decode("latin-1")):
            return str(text)
    return f"req_{uuid.uuid4().hex}"


def refusal_response(request: Request, refused: Refused, headers: dict[str, str] | None = None) -> Response:
    """The answer that refuses a request."""
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


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal_response(request, error)


async def _store_unavailable(request: Request, error: Exception) -> Response:
    log.warning("%s: the store does not answer: %s", request.state.request_id, error)
    return refusal_response(request, Refused(RefusalCode.STORE_UNAVAILABLE, "the database does not answer"))


async def _of_the_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = ", ".join(sorted(_methods(request)))
        refused = Refused(RefusalCode.METHOD_NOT_ALLOWED, f"{request.method} is not taken here, {allowed} is")
        return refusal_response(request, refused, {"Allow": allowed})
    if error.status_code == 404:
        return refusal_response(request, Refused(RefusalCode.NOT_FOUND, f"there is nothing at {request.url.path}"))
    return refusal_response(request, Refused(RefusalCode.INVALID_REQUEST, str(error.detail)))


def _methods(request: Request) -> set[str]:
    """Every method that some route takes at this path."""
    methods: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    return methods


async def _unexpected(request: Request, error: Exception) -> Response:
    # The traceback is logged by the server, which sees the exception too.
    log.error("%s %s %s: %r", request.state.request_id, request.method, request.url.path, error)
    return refusal_response(request, Refused(RefusalCode.INTERNAL_ERROR, "something went wrong here"))
