"""Gates over HTTP: a comparison and rules come in; pass, fail or inconclusive comes out."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import user_of
from services.gateway.deps import MAX_JOB_BYTES, gateway_of, parse_json, read_body
from services.gateway.routes import described_studies as described
from services.gateway.routes.study_requests import accepted_response, list_studies, read_study, request_key, send_file
from services.gateway.studies import StudyLook
from services.gateway.study_answers import gate_document
from shared.gating.toml_notation import default_toml
from shared.studies import Kind

router = APIRouter(tags=["gates"])
KIND = Kind.GATE
TOML = "application/toml"


@router.post("/v1/gates", status_code=202, **described.GATE)
async def create(request: Request) -> Response:
    """Accept a gate on a comparison. It need not be over: the gate waits for it."""
    gateway, user = gateway_of(request), await user_of(request)
    body = parse_json(await read_body(request, MAX_JOB_BYTES))
    accepted = await gateway.studies.gate(user, body, request_key(request, user, body))
    return accepted_response(KIND, accepted)


@router.get("/v1/gates", **described.LIST_GATES)
async def list_gates(request: Request) -> Response:
    """Your gates, newest first, a page at a time and without their results."""
    return await list_studies(request, KIND, _describe)


@router.get("/v1/gates/default-rules", **described.DEFAULT_RULES)
async def default_rules(request: Request) -> Response:
    """The rules of a gate that says none, as a `gate.toml` to start one's own from."""
    await user_of(request)
    return Response(await asyncio.to_thread(default_toml), media_type=TOML)


@router.get("/v1/gates/{study_id}", **described.READ_GATE)
async def read(request: Request) -> Response:
    """A gate as it is now, or as it is once its verdict is there: wait for that with `?wait=n`."""
    return await read_study(request, KIND, _describe)


@router.get("/v1/gates/{study_id}/files/{path:path}", **described.GATE_FILE)
async def read_file(request: Request) -> Response:
    """A file of a gate: `gate.json`, `junit.xml`, `summary.md`."""
    return await send_file(request, KIND, request.path_params["path"])


def _describe(look: StudyLook, whole: bool) -> dict[str, Any]:
    return gate_document(look.study, whole=whole)
