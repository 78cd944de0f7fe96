"""What the routes stand on: the parts of one gateway, put together in `app.py`, handed on with each request.

Owns how a request finds the parts, and how its body and its query are read. Knows no route.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass

import orjson
from starlette.requests import ClientDisconnect, Request

from services.gateway.clips import Digests
from services.gateway.ears import Ears
from services.gateway.evaluations import Evaluations
from services.gateway.keys import KeyRing
from services.gateway.looks import Looker
from services.gateway.model_files import ModelFiles
from services.gateway.pins import PinBoard
from services.gateway.studies import Studies
from services.gateway.submit import Intake
from services.gateway.voices import Voices
from services.gateway.waiting import Waiters
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.ports import Bells, Blobs, JobStore

Probe = Callable[[], object]
"""Asks something whether it is there; raises where it is not."""
MAX_JOB_BYTES = 1 << 20
MAX_EVALUATION_BYTES = 10 << 20
MAX_BATCH_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway."""

    store: JobStore
    bells: Bells
    blobs: Blobs
    keys: KeyRing
    pins: PinBoard
    intake: Intake
    looker: Looker
    evaluations: Evaluations
    studies: Studies
    voices: Voices
    ears: Ears
    waiters: Waiters
    digests: Digests
    files: ModelFiles | None
    """Of models, for other nodes; none where this gateway has no store of them."""
    probes: Mapping[str, Probe]
    """What `/readyz` asks, by name."""
    clock: Callable[[], float]
    """Epoch seconds."""

    def close(self) -> None:
        """End the threads."""
        self.waiters.close()
        self.intake.close()
        self.looker.close()


def gateway_of(request: Request) -> Gateway:
    """The gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


async def read_body(request: Request, most_bytes: int) -> bytes:
    """A JSON body, not parsed. What is too large is refused as soon as that is known, without reading on."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json" or not _is_utf8(parameters):
        raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, "Content-Type: application/json is needed")
    body = bytearray()
    async for chunk in read_chunks(request, most_bytes):
        body += chunk
    return bytes(body)


async def read_chunks(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """A body of any type as it comes, refused as soon as it is known to be too large."""
    if "content-encoding" in request.headers:
        raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, "bodies are taken without Content-Encoding")
    too_large = Refused(RefusalCode.BODY_TOO_LARGE, f"at most {most_bytes} bytes are taken")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise too_large
    taken = 0
    try:
        async for chunk in request.stream():
            taken += len(chunk)
            if taken > most_bytes:
                raise too_large
            yield chunk
    except ClientDisconnect:
        raise Refused(RefusalCode.INVALID_REQUEST, "the body ended early") from None


def parse_json(body: bytes) -> object:
    """The value of a body."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest((FieldError("", f"not JSON: {error}"),)) from None


def read_query(request: Request, known: Collection[str], *, prefix: str | None = None) -> dict[str, str]:
    """The query parameters; one that is unknown or there twice is refused. ``prefix``: of further known names."""
    parameters: dict[str, str] = {}
    wrong: list[FieldError] = []
    for name, value in request.query_params.multi_items():
        if name not in known and not (prefix and name.startswith(prefix)):
            wrong.append(FieldError(f"/{name}", "no such query parameter"))
        elif name in parameters:
            wrong.append(FieldError(f"/{name}", "given more than once"))
        parameters[name] = value
    if wrong:
        raise InvalidRequest(tuple(wrong))
    return parameters


def _is_utf8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            return False
    return True
