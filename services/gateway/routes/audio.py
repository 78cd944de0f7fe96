"""A job's audio over HTTP: the file, a range of it, or the answer that it has not changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.auth import user_of
from services.gateway.deps import gateway_of
from services.gateway.http.edge import refusal_response
from services.gateway.jobs.clips import WavResponse
from services.gateway.jobs.submit import RunInTurn
from services.gateway.openapi import described
from services.gateway.requests.ranges import read_range
from services.gateway.routes.conditions import is_had, range_asked, rfc9530
from services.gateway.routes.plain import PlainRoute
from shared.errors import Refused
from shared.jobs import Job

router = APIRouter(route_class=PlainRoute, tags=["audio"])
WAV = "audio/wav"
_AT_ONCE_BYTES = 1 << 20
"""Longer audio is sent in chunks, so that long clips do not fill the memory."""


@router.get("/v1/jobs/{job_id}/audio", **described.AUDIO)
async def read(request: Request) -> Response:
    """Download the clip as a WAV file, with the same bytes every time. One range at a time can be requested."""
    user = await user_of(request)
    return await audio_of(request, user, await _job(request, user))


async def audio_of(request: Request, user: str, job: Job) -> Response:
    """Return a job's audio as this request wants it: the file, a range of it, or that it has not changed.

    Raises `Refused` if the job has no audio yet, or never will.
    """
    files = gateway_of(request).pools.files
    clip, digest = await _clip(request, user, job)
    headers = _headers(clip, digest)
    if is_had(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    try:
        stretch = read_range(range_asked(request, headers["ETag"]), clip.size)
    except Refused as refused:
        return refusal_response(request, refused, {"Content-Range": f"bytes */{clip.size}"})
    if stretch is None:
        whole = headers | {"Content-Digest": rfc9530(digest)}
        return await _send(clip, (0, clip.size), 200, whole, partial(files.run, user))
    start, length = stretch
    part = await files.run(user, lambda: clip.sha256(start, length))
    of_the_part = {
        "Content-Range": f"bytes {start}-{start + length - 1}/{clip.size}",
        "Content-Digest": rfc9530(part),
    }
    return await _send(clip, stretch, 206, headers | of_the_part, partial(files.run, user))


@router.head("/v1/jobs/{job_id}/audio", include_in_schema=False)
async def head(request: Request) -> Response:
    """Return the headers that GET would return."""
    user = await user_of(request)
    clip, digest = await _clip(request, user, await _job(request, user))
    headers = _headers(clip, digest)
    if is_had(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(headers=headers | {"Content-Length": str(clip.size)}, media_type=WAV)


async def _job(request: Request, user: str) -> Job:
    look = await gateway_of(request).looker.look(request.path_params["job_id"], user)
    return look.job


async def _clip(request: Request, user: str, job: Job) -> tuple[WavResponse, bytes]:
    """Return a job's clip, and the SHA-256 of its WAV file."""
    gateway = gateway_of(request)

    def opened() -> tuple[WavResponse, bytes]:
        clip = WavResponse(job, gateway.blobs)
        return clip, gateway.digests.of(clip)

    return await gateway.pools.files.run(user, opened)


def _headers(clip: WavResponse, digest: bytes) -> dict[str, str]:
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


async def _send(
    clip: WavResponse, stretch: tuple[int, int], status: int, headers: Mapping[str, str], run: RunInTurn
) -> Response:
    start, length = stretch
    headers = {**headers, "Content-Length": str(length)}
    if length <= _AT_ONCE_BYTES:
        content = await run(lambda: b"".join(clip.read(start, length)))
        return Response(content, status, headers, WAV)
    return StreamingResponse(clip.read(start, length), status, headers, WAV)
