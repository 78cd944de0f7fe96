"""Files of models over HTTP, for other nodes: by hash, whole or a range."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.auth import user_of
from services.gateway.deps import gateway_of
from services.gateway.http.edge import refusal_response
from services.gateway.openapi import described
from services.gateway.requests.ranges import read_range
from services.gateway.routes.conditions import is_had, range_asked, rfc9530
from services.gateway.routes.plain import PlainRoute
from shared.errors import RefusalCode, Refused
from shared.weights.lock import SHA256

router = APIRouter(route_class=PlainRoute, tags=["models"])
_ANY_BYTES = "application/octet-stream"


@router.get("/v1/models/files/{sha256}", **described.MODEL_FILE)
async def read(request: Request) -> Response:
    """Download a file of a locked pin that this node has complete. `ringtrue models pull --from node=URL` uses this."""
    gateway, user = gateway_of(request), await user_of(request)
    sha256, files = request.path_params["sha256"], gateway.files
    if files is None or not SHA256.fullmatch(sha256):
        raise Refused(RefusalCode.NOT_FOUND, "the name of a file must be its sha256, 64 hexadecimal digits")
    file = await gateway.pools.files.run(user, lambda: files.find(sha256))
    etag = f'"{sha256}"'
    headers = {
        "ETag": etag,
        "Repr-Digest": rfc9530(bytes.fromhex(sha256)),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable",
    }
    if is_had(request, etag):
        return Response(status_code=304, headers=headers)
    try:
        stretch = read_range(range_asked(request, etag), file.size)
    except Refused as refused:
        return refusal_response(request, refused, {"Content-Range": f"bytes */{file.size}"})
    start, length = stretch or (0, file.size)
    if stretch is not None:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{file.size}"
    headers["Content-Length"] = str(length)
    if request.method == "HEAD":
        return Response(None, 200, headers, _ANY_BYTES)
    content = await gateway.pools.files.run(user, lambda: files.read(file, start, length))
    return StreamingResponse(content, 206 if stretch else 200, headers, _ANY_BYTES)
