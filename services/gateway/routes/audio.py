"""A job's audio over HTTP: the file, a range of it, or the news that it has not changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.auth import user_of
from services.gateway.clips import Clip
from services.gateway.deps import Gateway, gateway_of
from services.gateway.edge import refusal_response
from services.gateway.ranges import read_range
from services.gateway.routes import described
from services.gateway.routes.conditions import is_had, range_asked, rfc9530
from shared.errors import Refused

router = APIRouter(tags=["audio"])
WAV = "audio/wav"
_AT_ONCE_BYTES = 1 << 20
"""More than that is sent piece by piece, so that long clips do not fill the memory."""


@router.get("/v1/jobs/{job_id}/audio", **described.AUDIO)
async def read(request: Request) -> Response:
    """The clip as a WAV file, the same bytes every time. One range at a time can be asked for."""
    gateway, clip = gateway_of(request), await _clip(request)
    digest = await asyncio.to_thread(gateway.digests.of, clip)
    headers = _headers(clip, digest)
    if is_had(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        stretch = read_range(range_asked(request, headers["ETag"]), clip.size)
    except Refused as refused:
        return refusal_response(request, refused, {"Content-Range": f"bytes */{clip.size}"})
    if stretch is None:
        return await _send(clip, 0, clip.size, 200, headers | {"Content-Digest": rfc9530(digest)})
    start, length = stretch
    part = await asyncio.to_thread(clip.sha256, start, length)
    of_the_part = {
        "Content-Range": f"bytes {start}-{start + length - 1}/{clip.size}",
        "Content-Digest": rfc9530(part),
    }
    return await _send(clip, start, length, 206, headers | of_the_part)


@router.head("/v1/jobs/{job_id}/audio", include_in_schema=False)
async def head(request: Request) -> Response:
    """What GET would say about the clip."""
    gateway, clip = gateway_of(request), await _clip(request)
    headers = _headers(clip, await asyncio.to_thread(gateway.digests.of, clip))
    if is_had(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(headers=headers | {"Content-Length": str(clip.size)}, media_type=WAV)


async def _clip(request: Request) -> Clip:
    gateway: Gateway = gateway_of(request)
    look = await gateway.looker.look(request.path_params["job_id"], await user_of(request))
    return await asyncio.to_thread(Clip, look.job, gateway.blobs)


def _headers(clip: Clip, digest: bytes) -> dict[str, str]:
    job = clip.job
    return {
        "ETag": f'"{digest.hex()}"',
        "Repr-Digest": rfc9530(digest),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f'inline; filename="{job.id}.wav"',
        "X-Job-Id": job.id,
        "X-Model-Version": job.pin,
        "X-Model-Lock": job.lock_sha256,
        "X-Audio-Sha256": clip.audio.pcm_sha256,
        "X-Seed": str(job.input.seed),
    }


async def _send(clip: Clip, start: int, length: int, status: int, headers: Mapping[str, str]) -> Response:
    headers = {**headers, "Content-Length": str(length)}
    if length <= _AT_ONCE_BYTES:
        content = await asyncio.to_thread(lambda: b"".join(clip.read(start, length)))
        return Response(content, status, headers, WAV)
    return StreamingResponse(clip.read(start, length), status, headers, WAV)
