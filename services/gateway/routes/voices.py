"""Uploaded voices over HTTP: a form comes in, is heard, and is there to be spoken with."""

from __future__ import annotations

import asyncio
import hashlib
import mmap
import tempfile
from collections.abc import Mapping
from typing import IO, Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.answers import as_json, voice_document, voice_path
from services.gateway.auth import user_of
from services.gateway.deps import gateway_of, parse_json, read_chunks, read_query
from services.gateway.idempotency import read_request_key
from services.gateway.listing import next_cursor, read_page
from services.gateway.multipart import Part, boundary_of, parts_of
from services.gateway.routes import described
from services.gateway.routes.conditions import is_had, rfc9530
from services.gateway.schemas import read_voice
from services.gateway.submit import Accepted
from shared.audio import Audio, wav_file
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.voices import MAX_FILE_BYTES, VOICE_ID, Consent

router = APIRouter(tags=["voices"])
JSON = "application/json"
_FORM_BYTES = 64 << 10
"""Of what comes with the recording, boundaries included."""


@router.post("/v1/voices", status_code=201, **described.ADD_VOICE)
async def add(request: Request) -> Response:
    """Upload a voice. It is on disk, with its consent, when this is answered."""
    gateway, user = gateway_of(request), await user_of(request)
    boundary = boundary_of(request.headers.get("content-type", ""))
    # A file and not memory: whoever sends slowly, or much, takes neither from the others.
    with tempfile.TemporaryFile() as body:
        async for chunk in read_chunks(request, MAX_FILE_BYTES + _FORM_BYTES):
            body.write(chunk)
        body.flush()
        recording, fields = await asyncio.to_thread(_read_form, body, boundary)
        wanted = read_voice(fields)
        audio = await gateway.ears.hear(body, recording.start, recording.end)
    key = read_request_key(
        request.headers.getlist("idempotency-key"),
        user=user,
        method=request.method,
        path=request.url.path,
        body={**fields, "pcm_sha256": audio.sha256, "sample_rate": audio.sample_rate},
    )
    said = wanted.consent
    voice = await gateway.voices.add(user, wanted.name, Consent(said.by, said.at.timestamp(), said.text), audio)
    accepted = Accepted(201, as_json(voice_document(voice)), None)
    headers = {"Location": voice_path(voice.id)}
    if key is not None:
        try:
            accepted = await gateway.intake.commit([], accepted, key)
        except Refused:
            await gateway.voices.remove(user, voice.id)
            raise
        if accepted.replayed:
            await gateway.voices.remove(user, voice.id)
            headers = {"Idempotent-Replayed": "true"}
    return Response(accepted.body, accepted.status, {"Cache-Control": "no-store", **headers}, JSON)


@router.get("/v1/voices", **described.LIST_VOICES)
async def list_voices(request: Request) -> Response:
    """Your voices, newest first, a page at a time."""
    gateway, user = gateway_of(request), await user_of(request)
    limit, before = read_page(read_query(request, ("limit", "cursor")), VOICE_ID)
    found = await gateway.voices.page(user, limit + 1, before)
    cursor = next_cursor(found, limit)
    data = [voice_document(voice) for voice in found[:limit]]
    return _json({"data": data, "next_cursor": cursor, "has_more": cursor is not None})


@router.get("/v1/voices/{voice_id}", **described.READ_VOICE)
async def read(request: Request) -> Response:
    """A voice of yours, and the consent that it came with."""
    gateway, user = gateway_of(request), await user_of(request)
    return _json(voice_document(await gateway.voices.of(user, request.path_params["voice_id"])))


@router.get("/v1/voices/{voice_id}/audio", **described.VOICE_AUDIO)
async def listen(request: Request) -> Response:
    """What was heard in the upload, as a WAV file: one channel, 16 bits, at its own rate."""
    gateway, user = gateway_of(request), await user_of(request)
    voice = await gateway.voices.of(user, request.path_params["voice_id"])
    etag = f'"{voice.recording.pcm_sha256}-{voice.recording.sample_rate}"'
    headers = {"ETag": etag, "X-Audio-Sha256": voice.recording.pcm_sha256, "Cache-Control": "private, no-cache"}
    if is_had(request, etag):
        return Response(status_code=304, headers=headers)
    audio = await gateway.voices.sound(voice)
    wav, digest = await asyncio.to_thread(_wav, audio)
    return Response(wav, 200, headers | {"Repr-Digest": rfc9530(digest)}, "audio/wav")


@router.delete("/v1/voices/{voice_id}", status_code=204, **described.REMOVE_VOICE)
async def remove(request: Request) -> Response:
    """Take a voice back. Its recording goes, unless another voice has the same; jobs keep its hash."""
    gateway, user = gateway_of(request), await user_of(request)
    await gateway.voices.remove(user, request.path_params["voice_id"])
    return Response(status_code=204)


def _read_form(body: IO[bytes], boundary: bytes) -> tuple[Part, dict[str, Any]]:
    """Where the recording lies, and the fields that came with it."""
    if body.tell() == 0:
        raise InvalidRequest((FieldError("/file", "a recording is needed"),))
    with mmap.mmap(body.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        parts = parts_of(mapped, boundary)
        recording = parts.pop("file", None)
        if recording is None:
            raise InvalidRequest((FieldError("/file", "a recording is needed"),))
        if recording.end - recording.start > MAX_FILE_BYTES:
            raise Refused(RefusalCode.BODY_TOO_LARGE, f"a recording has at most {MAX_FILE_BYTES} bytes")
        if sum(part.end - part.start for part in parts.values()) > _FORM_BYTES:
            raise Refused(RefusalCode.BODY_TOO_LARGE, f"what comes with a recording has at most {_FORM_BYTES} bytes")
        return recording, {name: _field(name, mapped[part.start : part.end]) for name, part in parts.items()}


def _field(name: str, content: bytes) -> object:
    """A field's value: `consent` is JSON, any other is text."""
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
