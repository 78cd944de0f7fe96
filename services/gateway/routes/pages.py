"""The web pages: our own files, those of the libraries they use, and the document that they read. Asks for no key.

Owns which files there are and how a browser may use them. Every answer is made once and shared by all readers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.http.browsers import OWN_FILES, POLICY
from services.gateway.http.json_bytes import as_json
from services.gateway.routes.conditions import is_had
from services.gateway.routes.plain import PlainRoute
from shared.errors import RefusalCode, Refused

router = APIRouter(route_class=PlainRoute, include_in_schema=False)
_FOLDER = Path(__file__).parents[1] / "pages"
_HTML, _SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"
_DOCS = {
    "": ("docs.html", _HTML),
    "docs.js": ("docs.js", _SCRIPT),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", _SCRIPT),
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", "text/css; charset=utf-8"),
    "favicon-32x32.png": ("swagger-ui/favicon-32x32.png", "image/png"),
}
"""The files below `/docs`: the file of each name, and its media type."""


class WebPage(NamedTuple):
    """A file that is sent as it is."""

    content: bytes
    media_type: str
    etag: str


class Pages:
    """A cache of the pages of one application that were asked for."""

    def __init__(self) -> None:
        self._made: dict[str, WebPage] = {}

    async def page(self, name: str, media_type: str, make: Callable[[], bytes]) -> WebPage:
        """Return the page of this name. ``make``: returns its content; it is called in a thread, once."""
        page = self._made.get(name)
        if page is None:
            content = await asyncio.to_thread(make)
            page = self._made[name] = WebPage(content, media_type, f'"{hashlib.sha256(content).hexdigest()}"')
        return page


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """Return the OpenAPI document, for programs."""
    make = request.app.openapi
    return _sent(request, await _pages(request).page("openapi.json", "application/json", lambda: as_json(make())))


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the page that shows the API to people, who can try it out there."""
    return await _file(request, "")


@router.get("/docs/{name}")
async def docs_file(request: Request) -> Response:
    """Return a file that the page uses."""
    return await _file(request, request.path_params["name"])


async def _file(request: Request, name: str) -> Response:
    if name not in _DOCS:
        raise Refused(RefusalCode.NOT_FOUND, f"this page has no file {name[:100]}")
    file, media_type = _DOCS[name]
    return _sent(request, await _pages(request).page(file, media_type, (_FOLDER / file).read_bytes))


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _sent(request: Request, page: WebPage) -> Response:
    headers = {"ETag": page.etag, "Cache-Control": "no-cache"}
    if page.media_type == _HTML:
        headers[POLICY.decode()] = OWN_FILES
    if is_had(request, page.etag):
        return Response(status_code=304, headers=headers)
    return Response(page.content, 200, headers | {"Content-Type": page.media_type})
