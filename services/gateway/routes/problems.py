"""The page that a problem's ``type`` leads to: a sentence for the person who looks it up."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.http.errors import PROBLEMS, problem_slug
from services.gateway.openapi import described
from services.gateway.routes.plain import PlainRoute
from shared.errors import RefusalCode, Refused

router = APIRouter(route_class=PlainRoute, tags=["problems"])


@router.get("/problems/{slug}", **described.PROBLEM)
async def explain(request: Request) -> Response:
    """Explain a problem code. Asks for no key.

    The code may be written with dashes, as in a problem's `type`, or with underscores, as in its `code`."""
    slug = request.path_params["slug"]
    for code, (status, title, sentence) in PROBLEMS.items():
        if slug in (problem_slug(code), code.value):
            return Response(f"{title} ({status} {code.value})\n\n{sentence}\n", media_type="text/plain")
    raise Refused(RefusalCode.NOT_FOUND, f"there is no problem {slug[:100]}")
