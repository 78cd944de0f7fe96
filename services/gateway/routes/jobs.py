"""Jobs over HTTP: submit, read, wait, list, cancel. Translates between HTTP and the domain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import user_of
from services.gateway.deps import (
    MAX_BATCH_BYTES,
    MAX_JOB_BYTES,
    Gateway,
    gateway_of,
    read_body,
    read_query,
    received,
)
from services.gateway.http.errors import problem_document
from services.gateway.http.json_bytes import as_json
from services.gateway.jobs.answers import job_document, job_path
from services.gateway.jobs.idempotency import read_request_key
from services.gateway.jobs.job_reader import JobView
from services.gateway.jobs.listing import PARAMETERS, PREFIX, next_cursor, read_filter
from services.gateway.jobs.submit import Accepted, RequestKey, submit, submit_batch
from services.gateway.openapi import described
from services.gateway.requests.json_text import parse_json
from services.gateway.requests.preferences import Preference, read_preference, read_wait
from services.gateway.routes.plain import PlainRoute
from shared.errors import RefusalCode, Refused
from shared.jobs import FacetStatus

router = APIRouter(route_class=PlainRoute, tags=["jobs"])
JSON = "application/json"


@router.post("/v1/jobs", status_code=202, **described.CREATE)
async def create(request: Request) -> Response:
    """Submit one job. It is on disk when this is answered."""
    gateway, user = gateway_of(request), await user_of(request)
    preference = _read_preference(request)
    content = await read_body(request, MAX_JOB_BYTES)
    run = gateway.intake.run_for(user, len(content))
    body = await run(partial(parse_json, content)) if run else parse_json(content)
    identify = partial(_request_key, request, user, body)
    key = await run(identify) if run else identify()
    accepted = await submit(gateway.intake, user, body, key, run)
    assert accepted.job_id is not None, "one job was accepted"
    headers = {"Location": job_path(accepted.job_id), **_accepted_headers(accepted), **preference.headers}
    if preference.wait_s and gateway.waiters.has_room(user):  # without room to wait, the job is accepted all the same
        look = await _wait(gateway, accepted.job_id, user, preference, request)
        return _job(look, 201 if look.job.finished else 202, headers)
    return Response(accepted.body, accepted.status, headers, JSON)


@router.post("/v1/jobs:batch", status_code=202, **described.CREATE_BATCH)
async def create_batch(request: Request) -> Response:
    """Submit up to 1000 jobs in one transaction. Each job that is refused has its problem at its place in the
    answer."""
    gateway, user = gateway_of(request), await user_of(request)
    checking = gateway.pools.checking
    with checking.visit(user):
        async with received(request, MAX_BATCH_BYTES) as sent, checking.slot(user):
            content = await sent.content()
            body = await checking.in_thread(lambda: parse_json(content))
            key = await checking.in_thread(lambda: _request_key(request, user, body))
            accepted = await submit_batch(gateway.intake, user, body, key, _describer(request))
    return Response(accepted.body, accepted.status, _accepted_headers(accepted), JSON)


@router.get("/v1/jobs/{job_id}", **described.READ)
async def read(request: Request) -> Response:
    """Read a job as it is now. With `?wait=n` or `Prefer: wait=n`, wait up to n seconds until it is finished."""
    gateway, user = gateway_of(request), await user_of(request)
    job_id = request.path_params["job_id"]
    preference = _read_preference(request)
    if preference.wait_s:
        return _job(await _wait(gateway, job_id, user, preference, request), 200, preference.headers)
    return _job(await gateway.looker.look(job_id, user), 200, preference.headers)


@router.get("/v1/jobs", **described.LIST)
async def list_jobs(request: Request) -> Response:
    """List your jobs, newest first, a page at a time."""
    gateway, user = gateway_of(request), await user_of(request)
    wanted, limit = read_filter(read_query(request, PARAMETERS, prefix=PREFIX), user)
    found, searched_to = await gateway.looker.find(wanted, lambda look: job_document(*look))
    data, cursor = [part.document for part in found[:limit]], next_cursor(found, limit) or searched_to
    return Response(as_json({"data": data, "next_cursor": cursor, "has_more": cursor is not None}), media_type=JSON)


@router.post("/v1/jobs/{job_id}/cancel", **described.CANCEL)
async def cancel(request: Request) -> Response:
    """Cancel a job. A queued job ends at once; the worker of a running job is told to stop. A finished job stays as it
    is."""
    gateway, user = gateway_of(request), await user_of(request)
    look = await gateway.looker.look(request.path_params["job_id"], user)
    canceled = await gateway.pools.asking.run(user, lambda: gateway.store.cancel(look.job.id, gateway.clock()))
    gateway.waiters.wake(look.job.id)
    return _job(JobView(canceled or look.job, None), 200)


@router.post("/v1/jobs/{job_id}/tracking:retry", **described.RETRY_TRACKING)
async def retry_tracking(request: Request) -> Response:
    """Try again to record the job's run in MLflow, after its retry budget was spent."""
    gateway, user = gateway_of(request), await user_of(request)
    look = await gateway.looker.look(request.path_params["job_id"], user)
    retry = gateway.store.retry_tracking
    if await gateway.pools.asking.run(user, lambda: retry(look.job.id, gateway.clock())):
        await asyncio.to_thread(gateway.wake_ups.wake_tracking)
        look = await gateway.looker.look(look.job.id, user)
    elif look.job.tracking.status in (FacetStatus.DONE, FacetStatus.SKIPPED):
        raise Refused(
            RefusalCode.ALREADY_FINISHED, f"tracking of {look.job.id} is already {look.job.tracking.status.value}"
        )
    return _job(look, 200)


def _job(look: JobView, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(as_json(job_document(*look)), status, {**(headers or {}), "Cache-Control": "no-store"}, JSON)


def _wait(gateway: Gateway, job_id: str, user: str, preference: Preference, request: Request) -> Awaitable[JobView]:
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
