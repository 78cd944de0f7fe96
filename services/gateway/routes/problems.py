"""What a problem's ``type`` leads to: a sentence for the person who looks it up."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.errors import PROBLEMS, problem_slug
from services.gateway.routes import described
from shared.errors import RefusalCode, Refused

router = APIRouter(tags=["problems"])


@router.get("/problems/{slug}", **described.PROBLEM)
async def explain(request: Request) -> Response:
    """What a code means. Asks for no key."""
    slug = request.path_params["slug"]
    for code, (status, title, sentence) in PROBLEMS.items():
        if problem_slug(code) == slug:
            return Response(f"{title} ({status} {code.value})\n\n{sentence}\n", media_type="text/plain")
    raise Refused(RefusalCode.NOT_FOUND, f"there is no problem {slug[:100]}")
