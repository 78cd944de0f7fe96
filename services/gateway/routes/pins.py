"""What can be asked for: the pins and what each can do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.answers import alias_document, as_json, pin_document
from services.gateway.auth import user_of
from services.gateway.deps import gateway_of
from services.gateway.routes import described

router = APIRouter(tags=["pins"])


@router.get("/v1/pins", **described.PINS)
async def list_pins(request: Request) -> Response:
    """Every pin that a worker ever published, with its manifest and what it is called; `live`: one serves it now."""
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
