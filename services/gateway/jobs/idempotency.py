"""The ``Idempotency-Key`` header (IETF draft), and what makes two requests the same.

Owns the reading of the header and the two hashes. `submit.py` owns what happens then.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import orjson

from services.gateway.jobs.submit import RequestKey
from shared.errors import RefusalCode, Refused

_QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"', re.ASCII)
"""A structured-field string (RFC 8941)."""
_BARE = re.compile(r"[\x21\x23-\x2b\x2d-\x7e]{1,255}", re.ASCII)
"""The same without quotes, as many clients send it."""


def read_request_key(headers: Sequence[str], *, user: str, method: str, path: str, body: object) -> RequestKey | None:
    """Return the identity of this request, or None if it has no key. ``headers``: every ``Idempotency-Key`` of it.

    Raises `Refused` (`invalid_request`) for a key that is not well-formed, or more than one."""
    if not headers:
        return None
    quoted = _QUOTED.fullmatch(headers[0].strip())
    bare = _BARE.fullmatch(headers[0].strip())
    if len(headers) > 1 or not (quoted or bare):
        detail = "Idempotency-Key must be one string of 1 to 255 printable ASCII characters"
        raise Refused(RefusalCode.INVALID_REQUEST, detail)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else headers[0].strip()
    scope = "\n".join((user, method, path, key))
    return RequestKey(hashlib.sha256(scope.encode()).hexdigest(), _fingerprint(body))


def _fingerprint(body: object) -> str:
    """Return a hash of the value, not of the bytes: white space and the order of members make no difference."""
    try:
        canonical = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise Refused(RefusalCode.INVALID_REQUEST, f"the body cannot be compared: {error}") from None
    return hashlib.sha256(canonical).hexdigest()
