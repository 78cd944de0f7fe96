"""Whether this gateway lives and can serve, for whoever starts it or sends requests to it. Asks for no key."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.answers import as_json
from services.gateway.deps import Probe, gateway_of
from services.gateway.routes import described

router = APIRouter(tags=["health"])
_PATIENCE_S = 3.0
NEEDED = "store"
"""Without Redis jobs are still accepted, and spoken once it is back; without the store nothing is."""


@router.get("/healthz", **described.HEALTH)
async def alive(_: Request) -> Response:
    """The process answers."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", **described.READY)
async def ready(request: Request) -> Response:
    """Jobs are accepted: 200, with `degraded` where something is away that jobs can wait for; otherwise 503."""
    probes = gateway_of(request).probes
    checks = dict(zip(probes, await asyncio.gather(*map(_answers, probes.values())), strict=True))
    status = "ready" if all(checks.values()) else "degraded" if checks[NEEDED] else "unavailable"
    document = {"status": status, "checks": {name: "ok" if up else "unreachable" for name, up in checks.items()}}
    headers = {"Cache-Control": "no-store"} | ({} if checks[NEEDED] else {"Retry-After": "5"})
    return Response(as_json(document), 200 if checks[NEEDED] else 503, headers, "application/json")


async def _answers(probe: Probe) -> bool:
    answer = asyncio.ensure_future(asyncio.to_thread(probe))
    done, _ = await asyncio.wait([answer], timeout=_PATIENCE_S)
    return bool(done) and answer.exception() is None
