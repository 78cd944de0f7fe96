"""Routes whose function gets the bare request.

All our routes read the request themselves and return a complete response. FastAPI only describes them. This leaves out
what FastAPI does around a function with parameters of its own (dependencies, forms, two exit stacks, exceptions caught
a second time): a tenth of the time of a submission.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send


class PlainRoute(APIRoute):
    """A route whose function has one parameter, the request. The application answers what it raises."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
