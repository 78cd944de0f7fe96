"""Comparisons over HTTP: two evaluations come in; a table, plots and a report come out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import user_of
from services.gateway.deps import MAX_JOB_BYTES, gateway_of, parse_json, read_body
from services.gateway.routes import described_studies as described
from services.gateway.routes.study_requests import accepted_response, list_studies, read_study, request_key, send_file
from services.gateway.studies import StudyLook
from services.gateway.study_answers import comparison_document
from shared.studies import Kind

router = APIRouter(tags=["comparisons"])
KIND = Kind.COMPARISON
REPORT = "report.html"


@router.post("/v1/comparisons", status_code=202, **described.COMPARE)
async def create(request: Request) -> Response:
    """Accept a comparison of two evaluations. They need not be over: it waits for them."""
    gateway, user = gateway_of(request), await user_of(request)
    body = parse_json(await read_body(request, MAX_JOB_BYTES))
    accepted = await gateway.studies.compare(user, body, request_key(request, user, body))
    return accepted_response(KIND, accepted)


@router.get("/v1/comparisons", **described.LIST_COMPARISONS)
async def list_comparisons(request: Request) -> Response:
    """Your comparisons, newest first, a page at a time and without their results."""
    return await list_studies(request, KIND, _describe)


@router.get("/v1/comparisons/{study_id}", **described.READ_COMPARISON)
async def read(request: Request) -> Response:
    """A comparison as it is now, or as it is once its result is there: wait for that with `?wait=n`."""
    return await read_study(request, KIND, _describe)


@router.get("/v1/comparisons/{study_id}/report", **described.REPORT)
async def report(request: Request) -> Response:
    """The report: one HTML file that asks for nothing else."""
    return await send_file(request, KIND, REPORT)


@router.get("/v1/comparisons/{study_id}/files/{path:path}", **described.COMPARISON_FILE)
async def read_file(request: Request) -> Response:
    """A file of a comparison, such as `comparison.json`; `files` names them."""
    return await send_file(request, KIND, request.path_params["path"])


def _describe(look: StudyLook, whole: bool) -> dict[str, Any]:
    return comparison_document(look.study, whole=whole)
