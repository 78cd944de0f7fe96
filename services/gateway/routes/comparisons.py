"""Comparisons over HTTP: two evaluations come in; a table, plots and a report come out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import user_of
from services.gateway.deps import gateway_of
from services.gateway.openapi import described_studies as described
from services.gateway.routes.plain import PlainRoute
from services.gateway.routes.study_requests import accepted_response, list_studies, read_request, read_study, send_file
from services.gateway.studies.studies import StudyLook
from services.gateway.studies.study_answers import comparison_document
from shared.studies import Kind

router = APIRouter(route_class=PlainRoute, tags=["comparisons"])
KIND = Kind.COMPARISON
REPORT = "report.html"


@router.post("/v1/comparisons", status_code=202, **described.COMPARE)
async def create(request: Request) -> Response:
    """Compare two evaluations. They need not be over: the comparison waits for them."""
    gateway, user = gateway_of(request), await user_of(request)
    body, key, run = await read_request(request, user)
    accepted = await gateway.studies.compare(user, body, key, run)
    return accepted_response(KIND, accepted)


@router.get("/v1/comparisons", **described.LIST_COMPARISONS)
async def list_comparisons(request: Request) -> Response:
    """List your comparisons, newest first, a page at a time and without their results."""
    return await list_studies(request, KIND, _describe)


@router.get("/v1/comparisons/{study_id}", **described.READ_COMPARISON)
async def read(request: Request) -> Response:
    """Read a comparison as it is now. With `?wait=n`, wait up to n seconds for its result."""
    return await read_study(request, KIND, _describe)


@router.get("/v1/comparisons/{study_id}/report", **described.REPORT)
async def report(request: Request) -> Response:
    """Download the report: one HTML file that loads nothing else."""
    return await send_file(request, KIND, REPORT)


@router.get("/v1/comparisons/{study_id}/files/{path:path}", **described.COMPARISON_FILE)
async def read_file(request: Request) -> Response:
    """Download a file of a comparison, such as `comparison.json`. `files` lists them."""
    return await send_file(request, KIND, request.path_params["path"])


def _describe(look: StudyLook, whole: bool) -> dict[str, Any]:
    return comparison_document(look.study, whole=whole)
