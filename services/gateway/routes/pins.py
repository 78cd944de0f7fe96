"""What can be asked for: the pins and what each can do."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.answers import as_json, pin_document
from services.gateway.auth import user_of
from services.gateway.deps import gateway_of
from services.gateway.pins import LIVE_S
from services.gateway.routes import described

router = APIRouter(tags=["pins"])


@router.get("/v1/pins", **described.PINS)
async def list_pins(request: Request) -> Response:
    """Every pin that a worker ever published, with its manifest; `live` says whether one serves it now."""
    gateway, _ = gateway_of(request), await user_of(request)
    now = gateway.clock()
    data = [
        pin_document(pin.manifest, live=now - pin.confirmed_at < LIVE_S, confirmed_at=pin.confirmed_at)
        for pin in (await gateway.pins.published()).values()
    ]
    return Response(as_json({"data": data, "next_cursor": None, "has_more": False}), media_type="application/json")
