"""Helpers that describe a route in the OpenAPI document: bodies, parameters, answers, problems.

Owns no route. Schemas are named here and defined in `services/gateway/openapi/document.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from services.gateway.http.errors import PROBLEM_JSON, PROBLEMS
from services.gateway.jobs.listing import DEFAULT_PAGE, MAX_PAGE
from services.gateway.requests.preferences import MAX_WAIT_S
from shared.errors import RefusalCode

_C = RefusalCode
Json = dict[str, Any]


def ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def json_body(schema: str, examples: Mapping[str, Any]) -> Json:
    return {"required": True, "content": {"application/json": {"schema": ref(schema), "examples": dict(examples)}}}


def answer(description: str, schema: str, media_type: str = "application/json") -> Json:
    return {"description": description, "content": {media_type: {"schema": ref(schema)}}}


def problems(codes: Iterable[RefusalCode]) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(f"`{code.value}`")
    return {str(status): answer(", ".join(named), "Problem", PROBLEM_JSON) for status, named in by_status.items()}


def parameter(name: str, where: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, "description": description}


TEXT: Json = {"type": "string"}
WAIT = parameter(
    "wait", "query", {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S}, "Seconds to wait until it is finished."
)
PREFER = parameter("Prefer", "header", TEXT, f"`wait=n` (n up to {MAX_WAIT_S} seconds) or `respond-async`.")
KEY = parameter("Idempotency-Key", "header", TEXT, "Makes it safe to send the request again, for 24 hours.")
EVERYWHERE = (
    _C.KEY_MISSING,
    _C.KEY_INVALID,
    _C.KEY_EXPIRED,
    _C.FORBIDDEN,
    _C.RATE_LIMITED,
    _C.STORE_UNAVAILABLE,
    _C.INTERNAL_ERROR,
)
WORK = (_C.BACKLOG_FULL,)
"""Why work is refused for now, whichever route brings it: jobs, a batch, an evaluation (`Intake.commit`)."""
BODY = (_C.BODY_TOO_LARGE, _C.MEDIA_TYPE_UNSUPPORTED, _C.IDEMPOTENCY_IN_PROGRESS, _C.IDEMPOTENCY_MISMATCH)
SUBMISSION = (
    _C.INVALID_REQUEST,
    _C.TEXT_EMPTY,
    _C.TEXT_TOO_LONG,
    _C.CONTROL_UNSUPPORTED,
    _C.LANGUAGE_UNSUPPORTED,
    _C.EMOTION_UNSUPPORTED,
    _C.OPTION_INVALID,
    _C.PIN_UNKNOWN,
    _C.VOICE_NOT_FOUND,
)
PAGE: Json = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}


def described(
    operation: str,
    answers: Mapping[int | str, Any],
    codes: Iterable[RefusalCode] = (),
    parameters: Iterable[Json] = (),
    body: Json | None = None,
) -> Json:
    """Return what FastAPI is told about a route.

    ``operation``: its name in generated clients (`getJob`); in words (`Get job`), its title on the page `/docs`.
    """
    extra: Json = {"parameters": list(parameters)}
    if body is not None:
        extra["requestBody"] = body
    return {
        "operation_id": operation,
        "summary": re.sub("(?<=[a-z])(?=[A-Z])", " ", operation).capitalize(),
        "response_class": Response,
        "responses": {**answers, **problems(codes)},
        "openapi_extra": extra,
    }
