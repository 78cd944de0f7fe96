"""Pins over HTTP: which there are and what each can do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import user_of
from services.gateway.deps import gateway_of
from services.gateway.http.json_bytes import as_json
from services.gateway.jobs.answers import alias_document, pin_document
from services.gateway.openapi import described
from services.gateway.routes.plain import PlainRoute

router = APIRouter(route_class=PlainRoute, tags=["pins"])


@router.get("/v1/pins", **described.PINS)
async def list_pins(request: Request) -> Response:
    """List every pin that a worker ever published, with its manifest and its aliases. `live`: a worker serves it
    now."""
    gateway, _ = gateway_of(request), await user_of(request)
    now, board = gateway.clock(), await gateway.pins.latest()
    aliases: dict[str, list[Any]] = {name: [] for name in board.pins}
    for meaning in board.aliases.values():
        if meaning.move.pin in aliases:
            aliases[meaning.move.pin].append(alias_document(meaning.move, idle=meaning.idle))
    data = [
        pin_document(pin.manifest, live=pin.is_live(now), confirmed_at=pin.confirmed_at, aliases=aliases[name])
        for name, pin in board.pins.items()
    ]
    return Response(as_json({"data": data, "next_cursor": None, "has_more": False}), media_type="application/json")
