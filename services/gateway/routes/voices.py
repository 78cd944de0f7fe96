"""Uploaded voices over HTTP: a form comes in, its recording is decoded, and jobs can then use the voice."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Mapping
from typing import IO, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import user_of
from services.gateway.deps import Gateway, gateway_of, read_query, received
from services.gateway.http.json_bytes import as_json
from services.gateway.jobs.answers import voice_document, voice_path
from services.gateway.jobs.idempotency import read_request_key
from services.gateway.jobs.listing import listed, next_cursor, read_page
from services.gateway.jobs.submit import Accepted, RequestKey, unless_replayed
from services.gateway.openapi import described
from services.gateway.requests.job_schemas import VoiceRequest, read_voice
from services.gateway.requests.json_text import parse_json
from services.gateway.requests.multipart import FormPart, boundary_of, parts_of
from services.gateway.routes.conditions import is_had, rfc9530
from services.gateway.routes.plain import PlainRoute
from shared.audio import Audio, wav_file
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.voices import MAX_FILE_BYTES, VOICE_ID, Consent

router = APIRouter(route_class=PlainRoute, tags=["voices"])
JSON = "application/json"
_REPLAYED = {"Idempotent-Replayed": "true"}
_FORM_BYTES = 64 << 10
"""Bytes of everything that comes with the recording, boundaries included."""


@router.post("/v1/voices", status_code=201, **described.ADD_VOICE)
async def add(request: Request) -> Response:
    """Upload a voice. It and its consent are on disk when this is answered."""
    gateway, user = gateway_of(request), await user_of(request)
    boundary = boundary_of(request.headers.get("content-type", ""))
    if "idempotency-key" not in request.headers:  # with a key, the voice may have been added already
        await gateway.voices.require_room(user)
    with gateway.pools.uploads.visit(user):
        wanted, fields, audio = await _heard(request, user, boundary)
    key = read_request_key(
        request.headers.getlist("idempotency-key"),
        user=user,
        method=request.method,
        path=request.url.path,
        body={**fields, "pcm_sha256": audio.sha256, "sample_rate": audio.sample_rate},
    )
    try:
        accepted, headers = await _kept(gateway, user, wanted, audio, key)
    except Refused as refusal:
        # a request that is sent twice may have been accepted before the user's quota was used up
        accepted, headers = await unless_replayed(gateway.intake, key, refusal), _REPLAYED
    return Response(accepted.body, accepted.status, {"Cache-Control": "no-store", **headers}, JSON)


async def _kept(
    gateway: Gateway, user: str, wanted: VoiceRequest, audio: Audio, key: RequestKey | None
) -> tuple[Accepted, Mapping[str, str]]:
    """Add the voice. Return the answer, and headers that go with it."""
    said = wanted.consent
    voice = await gateway.voices.add(user, wanted.name, Consent(said.by, said.at.timestamp(), said.text), audio)
    accepted = Accepted(201, as_json(voice_document(voice)), None)
    if key is not None:
        try:
            # The voice and its answer are committed apart: without the answer, the voice must go again.
            accepted = await gateway.intake.commit([], accepted, key)
        except Refused:
            await gateway.voices.remove(user, voice.id)
            raise
        if accepted.replayed:
            await gateway.voices.remove(user, voice.id)
            return accepted, _REPLAYED
    return accepted, {"Location": voice_path(voice.id)}


async def _heard(request: Request, user: str, boundary: bytes) -> tuple[VoiceRequest, dict[str, Any], Audio]:
    gateway = gateway_of(request)
    async with received(request, MAX_FILE_BYTES + _FORM_BYTES, json=False) as sent:
        body = await sent.file()
        async with gateway.pools.uploads.slot(user):
            recording, fields, wanted = await gateway.pools.checking.run(user, lambda: _read_form(body, boundary))
            return wanted, fields, await gateway.decoder.hear(body, recording.start, recording.end)


@router.get("/v1/voices", **described.LIST_VOICES)
async def list_voices(request: Request) -> Response:
    """List your voices, newest first, a page at a time."""
    gateway, user = gateway_of(request), await user_of(request)
    limit, before = read_page(read_query(request, ("limit", "cursor")), VOICE_ID)
    found = await listed(gateway.pools.listing, user, lambda: gateway.voices.page(user, limit + 1, before))
    cursor = next_cursor(found, limit)
    data = [voice_document(voice) for voice in found[:limit]]
    return _json({"data": data, "next_cursor": cursor, "has_more": cursor is not None})


@router.get("/v1/voices/{voice_id}", **described.READ_VOICE)
async def read(request: Request) -> Response:
    """Read one of your voices, with the consent that came with it."""
    gateway, user = gateway_of(request), await user_of(request)
    return _json(voice_document(await gateway.voices.of(user, request.path_params["voice_id"])))


@router.get("/v1/voices/{voice_id}/audio", **described.VOICE_AUDIO)
async def listen(request: Request) -> Response:
    """Download the recording of a voice as a WAV file: one channel, 16 bits, at its own sample rate."""
    gateway, user = gateway_of(request), await user_of(request)
    voice = await gateway.voices.of(user, request.path_params["voice_id"])
    etag = f'"{voice.recording.pcm_sha256}-{voice.recording.sample_rate}"'
    headers = {"ETag": etag, "X-Audio-Sha256": voice.recording.pcm_sha256, "Cache-Control": "private, no-cache"}
    if is_had(request, etag):
        return Response(status_code=304, headers=headers)
    audio = await gateway.voices.sound(voice)
    wav, digest = await gateway.pools.files.run(user, lambda: _wav(audio))
    return Response(wav, 200, headers | {"Repr-Digest": rfc9530(digest)}, "audio/wav")


@router.delete("/v1/voices/{voice_id}", status_code=204, **described.REMOVE_VOICE)
async def remove(request: Request) -> Response:
    """Remove a voice. Its recording is deleted unless another voice has the same. Jobs keep its hash."""
    gateway, user = gateway_of(request), await user_of(request)
    await gateway.voices.remove(user, request.path_params["voice_id"])
    return Response(status_code=204)


def _read_form(body: IO[bytes], boundary: bytes) -> tuple[FormPart, dict[str, Any], VoiceRequest]:
    """Return where the recording is in the body, the fields that came with it, and the request that they make."""
    if body.tell() == 0:
        raise InvalidRequest((FieldError("/file", "a recording is required"),))
    with mmap.mmap(body.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        parts = parts_of(mapped, boundary)
        recording = parts.pop("file", None)
        if recording is None:
            raise InvalidRequest((FieldError("/file", "a recording is required"),))
        if recording.end - recording.start > MAX_FILE_BYTES:
            raise Refused(RefusalCode.BODY_TOO_LARGE, f"a recording must have at most {MAX_FILE_BYTES} bytes")
        if sum(part.end - part.start for part in parts.values()) > _FORM_BYTES:
            raise Refused(
                RefusalCode.BODY_TOO_LARGE, f"the other fields of the form must have at most {_FORM_BYTES} bytes"
            )
        fields = {name: _field(name, mapped[part.start : part.end]) for name, part in parts.items()}
        return recording, fields, read_voice(fields)


def _field(name: str, content: bytes) -> object:
    """Return the value of a field: `consent` is JSON, any other field is text."""
    if name == "consent":
        try:
            return parse_json(content)
        except InvalidRequest as error:
            raise InvalidRequest(tuple(FieldError("/consent", wrong.detail) for wrong in error.errors)) from None
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidRequest((FieldError(f"/{name}", "not UTF-8"),)) from None


def _wav(audio: Audio) -> tuple[bytes, bytes]:
    wav = wav_file(audio, {})
    return wav, hashlib.sha256(wav).digest()


def _json(document: Mapping[str, Any]) -> Response:
    return Response(as_json(document), 200, {"Cache-Control": "no-store"}, JSON)
