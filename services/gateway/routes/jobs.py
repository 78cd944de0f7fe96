"""Jobs over HTTP: submit, read, wait, list, cancel. HTTP in, words of the domain out, and back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.answers import as_json, job_document, job_path
from services.gateway.auth import user_of
from services.gateway.deps import MAX_BATCH_BYTES, MAX_JOB_BYTES, Gateway, gateway_of, parse_json, read_body, read_query
from services.gateway.errors import problem_document
from services.gateway.idempotency import read_request_key
from services.gateway.listing import PARAMETERS, PREFIX, next_cursor, read_filter
from services.gateway.looks import Look
from services.gateway.preferences import Preference, read_preference, read_wait
from services.gateway.routes import described
from services.gateway.submit import Accepted, RequestKey, submit, submit_batch
from shared.errors import RefusalCode, Refused
from shared.jobs import FacetStatus

router = APIRouter(tags=["jobs"])
JSON = "application/json"


@router.post("/v1/jobs", status_code=202, **described.CREATE)
async def create(request: Request) -> Response:
    """Accept one job. It is on disk when this is answered."""
    gateway, user = gateway_of(request), await user_of(request)
    body = parse_json(await read_body(request, MAX_JOB_BYTES))
    preference = _read_preference(request)
    accepted = await submit(gateway.intake, user, body, _request_key(request, user, body))
    assert accepted.job_id is not None, "one job was accepted"
    headers = {"Location": job_path(accepted.job_id), **_accepted_headers(accepted), **preference.headers}
    if preference.wait_s:
        look = await _wait(gateway, accepted.job_id, user, preference, request)
        return _job(look, 201 if look.job.finished else 202, headers)
    return Response(accepted.body, accepted.status, headers, JSON)


@router.post("/v1/jobs:batch", status_code=202, **described.CREATE_BATCH)
async def create_batch(request: Request) -> Response:
    """Accept up to 1000 jobs in one transaction. What is wrong with one of them is told in its place."""
    gateway, user = gateway_of(request), await user_of(request)
    content = await read_body(request, MAX_BATCH_BYTES)
    async with gateway.intake.batches:
        body = parse_json(content)
        key = _request_key(request, user, body)
        accepted = await submit_batch(gateway.intake, user, body, key, _describer(request))
    return Response(accepted.body, accepted.status, _accepted_headers(accepted), JSON)


@router.get("/v1/jobs/{job_id}", **described.READ)
async def read(request: Request) -> Response:
    """A job as it is now, or as it is once it is finished: wait for that with `?wait=n` or `Prefer: wait=n`."""
    gateway, user = gateway_of(request), await user_of(request)
    job_id = request.path_params["job_id"]
    preference = _read_preference(request)
    if preference.wait_s:
        return _job(await _wait(gateway, job_id, user, preference, request), 200, preference.headers)
    return _job(await gateway.looker.look(job_id, user), 200, preference.headers)


@router.get("/v1/jobs", **described.LIST)
async def list_jobs(request: Request) -> Response:
    """Your jobs, newest first, a page at a time."""
    gateway, user = gateway_of(request), await user_of(request)
    wanted, limit = read_filter(read_query(request, PARAMETERS, prefix=PREFIX), user)
    found = await gateway.looker.find(wanted)
    page, cursor = found[:limit], next_cursor([look.job for look in found], limit)
    data = [job_document(*look) for look in page]
    return Response(as_json({"data": data, "next_cursor": cursor, "has_more": cursor is not None}), media_type=JSON)


@router.post("/v1/jobs/{job_id}/cancel", **described.CANCEL)
async def cancel(request: Request) -> Response:
    """Cancel a job: at once while it is queued; its worker is told to stop. A finished job stays as it is."""
    gateway, user = gateway_of(request), await user_of(request)
    look = await gateway.looker.look(request.path_params["job_id"], user)
    canceled = await asyncio.to_thread(gateway.store.cancel, look.job.id, gateway.clock())
    gateway.waiters.wake(look.job.id)
    return _job(Look(canceled or look.job, None), 200)


@router.post("/v1/jobs/{job_id}/tracking:retry", **described.RETRY_TRACKING)
async def retry_tracking(request: Request) -> Response:
    """Ask for the run in MLflow again, after its retry budget was spent."""
    gateway, user = gateway_of(request), await user_of(request)
    look = await gateway.looker.look(request.path_params["job_id"], user)
    if await asyncio.to_thread(gateway.store.retry_tracking, look.job.id, gateway.clock()):
        await asyncio.to_thread(gateway.bells.ring_tracker)
        look = await gateway.looker.look(look.job.id, user)
    elif look.job.tracking.status in (FacetStatus.DONE, FacetStatus.SKIPPED):
        raise Refused(RefusalCode.ALREADY_FINISHED, f"tracking of {look.job.id} is {look.job.tracking.status.value}")
    return _job(look, 200)


def _job(look: Look, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(as_json(job_document(*look)), status, {**(headers or {}), "Cache-Control": "no-store"}, JSON)


def _wait(gateway: Gateway, job_id: str, user: str, preference: Preference, request: Request) -> Awaitable[Look]:
    return gateway.looker.wait(job_id, user, preference.wait_s, gone=request.is_disconnected)


def _read_preference(request: Request) -> Preference:
    if "wait" in (query := read_query(request, ("wait",))):
        return read_wait(query["wait"])
    return read_preference(request.headers.getlist("prefer"))


def _request_key(request: Request, user: str, body: object) -> RequestKey | None:
    headers = request.headers.getlist("idempotency-key")
    return read_request_key(headers, user=user, method=request.method, path=request.url.path, body=body)


def _accepted_headers(accepted: Accepted) -> dict[str, str]:
    return {"Cache-Control": "no-store"} | ({"Idempotent-Replayed": "true"} if accepted.replayed else {})


def _describer(request: Request) -> Callable[[Refused], Mapping[str, object]]:
    instance, request_id = request.url.path, request.state.request_id
    return lambda refused: problem_document(refused, instance=instance, request_id=request_id)
