"""Conditional requests for a file (RFC 9110, section 13) and its digest (RFC 9530): headers in, headers out."""

from __future__ import annotations

import base64

from starlette.requests import Request


def rfc9530(digest: bytes) -> str:
    """Return a SHA-256 as `Repr-Digest` and `Content-Digest` write it."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


def is_had(request: Request, etag: str) -> bool:
    """Return whether the client has this version already (If-None-Match, weak comparison of a list of tags)."""
    header = request.headers.get("if-none-match", "")
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags


def range_asked(request: Request, etag: str) -> str | None:
    """Return the Range header to serve. None for HEAD, and if If-Range names another version (strong comparison)."""
    if request.method == "HEAD" or request.headers.get("if-range", etag).strip() != etag:
        return None
    return request.headers.get("range")
