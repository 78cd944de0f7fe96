"""The parts of one gateway, as the routes use them. `app.py` builds them, and each request carries them.

Owns how a request finds the parts, and how its body and its query are read. Knows no route.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.requests import ClientDisconnect, Request

from services.gateway.http.bodies import Bodies, Body
from services.gateway.jobs.clips import Digests
from services.gateway.jobs.job_reader import JobReader
from services.gateway.jobs.submit import Intake
from services.gateway.keys import KeyRing
from services.gateway.models.model_files import ModelFiles
from services.gateway.models.pins import PinBoard
from services.gateway.sharing.pools import Pools
from services.gateway.sharing.waiting import Waiters
from services.gateway.studies.evaluations import EvaluationIntake
from services.gateway.studies.studies import Studies
from services.gateway.voices.upload_decoder import UploadDecoder
from services.gateway.voices.voices import UploadedVoices
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.ports import Blobs, JobStore, WakeUps

Probe = Callable[[], object]
"""Checks whether something is there. Raises if it is not. Returns a short reason code (`claims_waiting`) if it answers
but something is wrong with it. Any other return value means that all is well."""
MAX_JOB_BYTES = 1 << 20
MAX_EVALUATION_BYTES = 10 << 20
MAX_BATCH_BYTES = 64 << 20
_MOST_TOLD = 100
"""At most so many faults of one query are reported."""
_JSON_TYPE = re.compile(r"application/([a-z0-9.!#$&^_-]+\+)?json", re.ASCII | re.IGNORECASE)
"""JSON, and media types based on it (RFC 6839): some clients send JSON as `application/vnd.api+json`."""
_UTF8 = ("utf-8", "utf8", "us-ascii")
_MOST_SHOWN = 60
"""At most so many characters of a header are shown in a message."""
_SMALL = 4 << 10
"""Bytes up to which a body is not counted. On every possible connection at once they come to 16 MiB."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway."""

    store: JobStore
    wake_ups: WakeUps
    blobs: Blobs
    keys: KeyRing
    intake: Intake
    looker: JobReader
    evaluations: EvaluationIntake
    studies: Studies
    voices: UploadedVoices
    decoder: UploadDecoder
    waiters: Waiters
    pools: Pools
    files: ModelFiles | None
    """Model files for other nodes. None if this gateway has no model store."""
    probes: Mapping[str, Probe]
    """The checks of `/readyz`, by name."""
    digests: Digests = field(default_factory=Digests)
    bodies: Bodies = field(default_factory=Bodies)

    @property
    def pins(self) -> PinBoard:
        return self.intake.pins

    @property
    def clock(self) -> Callable[[], float]:
        """The clock of the gateway. It returns epoch seconds."""
        return self.intake.clock

    def close(self) -> None:
        """End the threads of all parts."""
        self.waiters.close()
        self.intake.close()
        self.looker.close()
        self.waiters.end()
        self.pools.close()


def gateway_of(request: Request) -> Gateway:
    """Return the gateway that serves this request."""
    gateway: Gateway = request.app.state.gateway
    return gateway


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return a JSON body as bytes, not parsed. The user must be known (`user_of`).

    Raises `Refused` for another media type, and for a body of more than ``most_bytes`` as soon as that is known."""
    _check_json(request)
    if (announced := _announced(request)) is not None and announced <= min(_SMALL, most_bytes):
        return await _small(request)
    with gateway_of(request).bodies.open(request.state.user) as body:
        async for chunk in _chunks(request, most_bytes):
            await body.add(chunk)
        return await body.content()


@asynccontextmanager
async def received(request: Request, most_bytes: int, *, json: bool = True) -> AsyncIterator[Body]:
    """Receive a body that may be large. A part of it may be in a temporary file until it is asked for.

    ``json``: require a JSON media type. Raises `Refused` as `read_body` does."""
    if json:
        _check_json(request)
    with gateway_of(request).bodies.open(request.state.user) as body:
        async for chunk in _chunks(request, most_bytes):
            await body.add(chunk)
        yield body


def _check_json(request: Request) -> None:
    said = request.headers.get("content-type", "")
    if said == "application/json":
        return
    media_type, _, parameters = said.partition(";")
    if _JSON_TYPE.fullmatch(media_type.strip()) is None:
        other = f" (found {said[:_MOST_SHOWN]})" if said else ""
        raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, f"Content-Type must be application/json{other}")
    if (charset := _charset(parameters)) not in _UTF8:
        detail = f"JSON must be UTF-8 (RFC 8259; found {charset[:_MOST_SHOWN]})"
        raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, detail)


def _check_encoding(request: Request) -> None:
    if "content-encoding" in request.headers:
        for encoding in request.headers.getlist("content-encoding"):
            if encoding.strip().lower() not in ("", "identity"):
                detail = f"Content-Encoding is not supported (found {encoding[:_MOST_SHOWN]})"
                raise Refused(RefusalCode.MEDIA_TYPE_UNSUPPORTED, detail)


async def _small(request: Request) -> bytes:
    """Return a body whose announced length is small."""
    _check_encoding(request)
    try:
        return await request.body()
    except ClientDisconnect:
        raise _ended_early() from None


async def _chunks(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """Yield a body of any type as it arrives. Raises `Refused` as soon as it is known to be too large."""
    _check_encoding(request)
    if (_announced(request) or 0) > most_bytes:
        raise _too_large(most_bytes)
    taken = 0
    try:
        async for chunk in request.stream():
            taken += len(chunk)
            if taken > most_bytes:
                raise _too_large(most_bytes)
            yield chunk
    except ClientDisconnect:
        raise _ended_early() from None


def _announced(request: Request) -> int | None:
    """Return the length of the body in bytes by its Content-Length, or None. The server holds the client to it."""
    said = request.headers.get("content-length", "")
    return int(said) if said.isdecimal() else None


def _ended_early() -> Refused:
    return Refused(RefusalCode.INVALID_REQUEST, "the body is incomplete")


def _too_large(most_bytes: int) -> Refused:
    return Refused(RefusalCode.BODY_TOO_LARGE, f"the body must have at most {most_bytes} bytes")


def read_query(request: Request, known: Collection[str], *, prefix: str | None = None) -> dict[str, str]:
    """Return the query parameters. Raises `InvalidRequest` for one that is unknown or given twice.

    ``prefix``: names that begin with it are known too."""
    parameters: dict[str, str] = {}
    wrong: list[FieldError] = []
    for name, value in request.query_params.multi_items():
        if name not in known and not (prefix and name.startswith(prefix)):
            wrong.append(FieldError(f"/{name}", "no such query parameter"))
        elif name in parameters:
            wrong.append(FieldError(f"/{name}", "given more than once"))
        parameters[name] = value
    if wrong:
        raise InvalidRequest(tuple(wrong[:_MOST_TOLD]))
    return parameters


def _charset(parameters: str) -> str:
    """Return the first charset in ``parameters`` that is not UTF-8; `utf-8` if there is none."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and charset not in _UTF8:
            return charset
    return _UTF8[0]
