"""Gates over HTTP: a comparison and rules come in; pass, fail or inconclusive comes out."""

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
from services.gateway.studies.study_answers import gate_document
from shared.gating.toml_notation import default_toml
from shared.studies import Kind

router = APIRouter(route_class=PlainRoute, tags=["gates"])
KIND = Kind.GATE
TOML = "application/toml"


@router.post("/v1/gates", status_code=202, **described.GATE)
async def create(request: Request) -> Response:
    """Check a comparison against the rules of a gate. It need not be over: the gate waits for it."""
    gateway, user = gateway_of(request), await user_of(request)
    body, key, _ = await read_request(request, user)
    accepted = await gateway.studies.gate(user, body, key)
    return accepted_response(KIND, accepted)


@router.get("/v1/gates", **described.LIST_GATES)
async def list_gates(request: Request) -> Response:
    """List your gates, newest first, a page at a time and without their results."""
    return await list_studies(request, KIND, _describe)


@router.get("/v1/gates/default-rules", **described.DEFAULT_RULES)
async def default_rules(request: Request) -> Response:
    """Download the default rules as a `gate.toml`, to start your own from."""
    gateway, user = gateway_of(request), await user_of(request)
    return Response(await gateway.pools.checking.run(user, default_toml), media_type=TOML)


@router.get("/v1/gates/{study_id}", **described.READ_GATE)
async def read(request: Request) -> Response:
    """Read a gate as it is now. With `?wait=n`, wait up to n seconds for its verdict."""
    return await read_study(request, KIND, _describe)


@router.get("/v1/gates/{study_id}/files/{path:path}", **described.GATE_FILE)
async def read_file(request: Request) -> Response:
    """Download a file of a gate: `gate.json`, `junit.xml` or `summary.md`."""
    return await send_file(request, KIND, request.path_params["path"])


def _describe(look: StudyLook, whole: bool) -> dict[str, Any]:
    return gate_document(look.study, whole=whole)
