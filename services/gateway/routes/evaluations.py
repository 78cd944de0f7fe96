"""Evaluations over HTTP: a suite, a pin and seeds come in; progress, scores and a table of items come out."""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import user_of
from services.gateway.deps import MAX_EVALUATION_BYTES, gateway_of, received
from services.gateway.openapi import described_studies as described
from services.gateway.requests.json_text import parse_json
from services.gateway.routes.plain import PlainRoute
from services.gateway.routes.study_requests import (
    accepted_response,
    list_studies,
    read_study,
    request_key,
    send_file,
    study_response,
)
from services.gateway.studies.studies import StudyLook
from services.gateway.studies.study_answers import clip_document, evaluation_document
from shared.studies import Kind

router = APIRouter(route_class=PlainRoute, tags=["evaluations"])
KIND = Kind.EVALUATION


@router.post("/v1/evaluations", status_code=202, **described.EVALUATE)
async def create(request: Request) -> Response:
    """Start an evaluation. It and the jobs of its clips are on disk when this is answered."""
    gateway, user = gateway_of(request), await user_of(request)
    checking = gateway.pools.checking
    with checking.visit(user):
        async with received(request, MAX_EVALUATION_BYTES) as sent, checking.slot(user):
            content = await sent.content()
            body = await checking.in_thread(partial(parse_json, content))
            del content  # this is megabytes, and the next steps take more
            key = await checking.in_thread(lambda: request_key(request, user, body))
            accepted = await gateway.evaluations.accept(user, body, key)
    return accepted_response(KIND, accepted)


@router.get("/v1/evaluations", **described.LIST_EVALUATIONS)
async def list_evaluations(request: Request) -> Response:
    """List your evaluations, newest first, a page at a time and without their results."""
    return await list_studies(request, KIND, _describer(request), "pin", "suite")


@router.get("/v1/evaluations/{study_id}", **described.READ_EVALUATION)
async def read(request: Request) -> Response:
    """Read an evaluation as it is now. With `?wait=n`, wait up to n seconds for its result."""
    return await read_study(request, KIND, _describer(request))


@router.post("/v1/evaluations/{study_id}/cancel", **described.CANCEL_EVALUATION)
async def cancel(request: Request) -> Response:
    """Cancel an evaluation and those of its clips that are not spoken yet. An evaluation that is over stays as it
    is."""
    gateway, user = gateway_of(request), await user_of(request)
    look = await gateway.studies.cancel(user, request.path_params["study_id"])
    return study_response(_describer(request)(look, True))


@router.get("/v1/evaluations/{study_id}/clips", **described.LIST_CLIPS)
async def list_clips(request: Request) -> Response:
    """List every item at every seed, with the job that speaks it. `cached`: an earlier evaluation had it spoken."""
    gateway, user = gateway_of(request), await user_of(request)
    clips = await gateway.studies.clips(user, request.path_params["study_id"], clip_document)
    return study_response({"data": clips, "next_cursor": None, "has_more": False})


@router.get("/v1/evaluations/{study_id}/files/{path:path}", **described.EVALUATION_FILE)
async def read_file(request: Request) -> Response:
    """Download a file of an evaluation, such as `items.jsonl`. `result.files` lists them."""
    return await send_file(request, KIND, request.path_params["path"])


def _describer(request: Request) -> Any:
    now = gateway_of(request).clock()

    def describe(look: StudyLook, whole: bool) -> dict[str, Any]:
        return evaluation_document(look.study, look.progress, now, whole=whole)

    return describe
