"""Health of this gateway, for what starts it or sends requests to it. Asks for no key."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.deps import Probe, gateway_of
from services.gateway.http.json_bytes import as_json
from services.gateway.openapi import described
from services.gateway.routes.plain import PlainRoute

router = APIRouter(route_class=PlainRoute, tags=["health"])
_PATIENCE_S = 3.0
_STARTING_S = 30.0
"""Seconds that everything a gateway needs may take to appear for the first time."""
NEEDED = "store"
"""Without Redis, jobs are still accepted, and spoken once it is back. Without the store, no job is accepted."""
OK, UNREACHABLE = "ok", "unreachable"

log = logging.getLogger("ringtrue.gateway")


@router.get("/healthz", **described.HEALTH)
async def alive(_: Request) -> Response:
    """Check that the process answers."""
    return Response(b'{"status":"ok"}', media_type="application/json")


@router.get("/readyz", **described.READY)
async def ready(request: Request) -> Response:
    """Check whether jobs are accepted: 200 if so, else 503. `degraded`: jobs are accepted but wait for something that
    is away."""
    checks = await _readiness_of(request).look()
    accepting = checks[NEEDED] != UNREACHABLE
    fine = all(check == OK for check in checks.values())
    document = {"status": "ready" if fine else "degraded" if accepting else "unavailable", "checks": checks}
    headers = {"Cache-Control": "no-store"} | ({} if accepting else {"Retry-After": "5"})
    return Response(as_json(document), 200 if accepting else 503, headers, "application/json")


class ReadinessCheck:
    """Asks the probes. For use from one event loop."""

    def __init__(
        self, probes: Mapping[str, Probe], patience_s: float = _PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._probes = probes
        self._patience_s = patience_s
        self._clock = clock
        self._began = clock()
        self._asked: dict[str, asyncio.Future[str]] = {}
        self._said: Mapping[str, str] = {}
        self._starting = set(probes)

    async def look(self) -> Mapping[str, str]:
        """Return, by name of each probe: ``ok``, the probe's own reason code, or ``unreachable``.

        A probe that fails or does not answer in time counts as unreachable. A probe that hangs keeps one thread and no
        more: it is not asked again before it has answered."""
        asked = {name: self._answer(name) for name in self._probes}
        await asyncio.wait(asked.values(), timeout=self._patience_s)
        said = {name: answer.result() if answer.done() else UNREACHABLE for name, answer in asked.items()}
        for name, check in said.items():
            self._tell(name, check)
        self._said = said
        return said

    def _tell(self, name: str, check: str) -> None:
        """Log what has changed. A part that was never there is not reported as away yet: it may just be starting."""
        was_starting = name in self._starting
        if check == OK or self._clock() - self._began > _STARTING_S:
            self._starting.discard(name)
        if name in self._starting:
            if name not in self._said:
                log.info("readiness of %s: not yet (%s)", name, check)
        elif check != (OK if was_starting else self._said.get(name, OK)):
            log.log(logging.INFO if check == OK else logging.WARNING, "readiness of %s: %s", name, check)

    def _answer(self, name: str) -> asyncio.Future[str]:
        before = self._asked.get(name)
        if before is not None and not before.done():
            return before
        answer = self._asked[name] = asyncio.get_running_loop().create_future()
        # Not a thread of a pool: the process waits for those at its end, and this one may never return.
        threading.Thread(target=_ask, args=(self._probes[name], answer), name=f"probe-{name}", daemon=True).start()
        return answer


def _ask(probe: Probe, answer: asyncio.Future[str]) -> None:
    try:
        said = probe()
        check = said if isinstance(said, str) else OK
    except Exception:  # any error means that what the probe asks is not there
        check = UNREACHABLE
    with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
        answer.get_loop().call_soon_threadsafe(_settle, answer, check)


def _settle(answer: asyncio.Future[str], check: str) -> None:
    if not answer.done():
        answer.set_result(check)


def _readiness_of(request: Request) -> ReadinessCheck:
    state = request.app.state
    if not hasattr(state, "readiness"):
        state.readiness = ReadinessCheck(gateway_of(request).probes)
    readiness: ReadinessCheck = state.readiness
    return readiness
