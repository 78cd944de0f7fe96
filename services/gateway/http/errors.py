"""Refusals over HTTP: status, title and sentence of each code, and the problem document (RFC 9457).

Owns the one table from codes to HTTP. Knows no framework: `edge.py` sends what is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.errors import InvalidRequest, RefusalCode, Refused

PROBLEM_JSON = "application/problem+json"


class ProblemKind(NamedTuple):
    """What a code means over HTTP. ``sentence`` is for a person who looks the code up."""

    status: int
    title: str
    sentence: str


_C = RefusalCode
PROBLEMS: Mapping[RefusalCode, ProblemKind] = {
    _C.INVALID_REQUEST: ProblemKind(
        400,
        "Invalid request",
        "The request does not have the documented form; `errors` lists every fault and its place.",
    ),
    _C.TEXT_EMPTY: ProblemKind(400, "Empty text", "There is nothing to speak: the text is empty or only white space."),
    _C.TEXT_TOO_LONG: ProblemKind(
        400,
        "Text too long",
        "The text is too long for one job; split it into several (POST /v1/jobs:batch).",
    ),
    _C.CONTROL_UNSUPPORTED: ProblemKind(
        400,
        "Control unsupported",
        "This pin does not support a requested control; GET /v1/pins says which it supports.",
    ),
    _C.LANGUAGE_UNSUPPORTED: ProblemKind(400, "Language unsupported", "This pin does not speak the language."),
    _C.EMOTION_UNSUPPORTED: ProblemKind(400, "Emotion unsupported", "This pin does not know the emotion."),
    _C.OPTION_INVALID: ProblemKind(
        400, "Invalid option", "`options` does not match the schema that the engine publishes (GET /v1/pins)."
    ),
    _C.KEY_MISSING: ProblemKind(401, "Key missing", "Send your key as `Authorization: Bearer rt_…`."),
    _C.KEY_INVALID: ProblemKind(401, "Key invalid", "The key is unknown or was revoked."),
    _C.KEY_EXPIRED: ProblemKind(401, "Key expired", "The key has expired; ask for a new one."),
    _C.FORBIDDEN: ProblemKind(403, "Forbidden", "You are not allowed to do this."),
    _C.NOT_FOUND: ProblemKind(404, "Not found", "There is nothing at this address."),
    _C.METHOD_NOT_ALLOWED: ProblemKind(
        405, "Method not allowed", "`Allow` lists the methods that this address accepts."
    ),
    _C.JOB_NOT_FOUND: ProblemKind(404, "Job not found", "There is no such job, or it is another user's."),
    _C.PIN_UNKNOWN: ProblemKind(
        404, "Pin unknown", "No worker has published a pin of this name; `detail` names similar ones."
    ),
    _C.VOICE_NOT_FOUND: ProblemKind(
        404, "Voice not found", "There is no uploaded voice with this id, or it is another user's."
    ),
    _C.AUDIO_NOT_READY: ProblemKind(
        404, "No audio", "The job has no audio: it is not finished, or it ended without audio."
    ),
    _C.SUITE_UNKNOWN: ProblemKind(
        404,
        "Suite unknown",
        "There is no built-in suite of this name (`ringtrue suites list` lists them); send your own as a whole.",
    ),
    _C.SUITE_INVALID: ProblemKind(
        400, "Suite invalid", "The suite has faults; `errors` lists them, each with its line or place."
    ),
    _C.EVALUATION_NOT_FOUND: ProblemKind(
        404, "Evaluation not found", "There is no such evaluation, or it is another user's."
    ),
    _C.COMPARISON_NOT_FOUND: ProblemKind(
        404, "Comparison not found", "There is no such comparison, or it is another user's."
    ),
    _C.GATE_NOT_FOUND: ProblemKind(404, "Gate not found", "There is no such gate, or it is another user's."),
    _C.FILE_NOT_READY: ProblemKind(
        404,
        "No such file",
        "There is no file of this name: the work is not finished, failed, or never makes such a file.",
    ),
    _C.RANGE_NOT_SATISFIABLE: ProblemKind(416, "Range not satisfiable", "The range starts after the end of the file."),
    _C.IDEMPOTENCY_IN_PROGRESS: ProblemKind(
        409, "Request in progress", "The first request with this Idempotency-Key is not finished yet; try again."
    ),
    _C.IDEMPOTENCY_MISMATCH: ProblemKind(
        422, "Idempotency-Key reused", "This Idempotency-Key was used for another request within the last 24 hours."
    ),
    _C.ALREADY_FINISHED: ProblemKind(409, "Already finished", "It has ended already, so it cannot be changed."),
    _C.REQUEST_TIMEOUT: ProblemKind(
        408,
        "Request timeout",
        "The request did not arrive completely in time, or its connection was needed by others; send it again.",
    ),
    _C.BODY_TOO_LARGE: ProblemKind(
        413,
        "Body too large",
        "The limits are 1 MiB for a job, 10 MiB for an evaluation, 20 MiB for a recording and 64 MiB for a batch.",
    ),
    _C.URL_TOO_LONG: ProblemKind(
        414, "URL too long", "An address may have at most 32 KiB; use fewer or shorter filters."
    ),
    _C.HEADERS_TOO_LARGE: ProblemKind(
        431, "Headers too large", "A request may have at most 100 headers, and 64 KiB of headers and address together."
    ),
    _C.MEDIA_TYPE_UNSUPPORTED: ProblemKind(
        415,
        "Media type unsupported",
        "Send `Content-Type: application/json`; a voice as `multipart/form-data` with a WAV, FLAC, MP3 or OGG file.",
    ),
    _C.RATE_LIMITED: ProblemKind(429, "Too many requests", "Slow down; `Retry-After` says when to try again."),
    _C.QUOTA_EXCEEDED: ProblemKind(
        429, "Quota exceeded", "Your quota is used up; `detail` says which, and how to make room."
    ),
    _C.BACKLOG_FULL: ProblemKind(
        503, "Backlog full", "Too many jobs are waiting; try again after `Retry-After` seconds."
    ),
    _C.STORE_UNAVAILABLE: ProblemKind(
        503,
        "Store unavailable",
        "The database or the storage of the audio does not answer or is full; nothing was lost.",
    ),
    _C.MODEL_LOADING: ProblemKind(503, "Model loading", "The model is being loaded; try again after `Retry-After`."),
    _C.INTERNAL_ERROR: ProblemKind(500, "Internal error", "An error in Ringtrue. Please report the request_id."),
}
DEFAULT_RETRY_AFTER_S = 5
"""Seconds. Answers with 429 and 503 always say when to try again."""


def problem_slug(code: RefusalCode) -> str:
    """Return the last part of a problem's ``type``."""
    return code.value.replace("_", "-")


def problem_document(refused: Refused, *, instance: str, request_id: str) -> dict[str, Any]:
    """Return the body of an answer that refuses a request. ``instance``: path of the request."""
    status, title, _ = PROBLEMS[refused.code]
    document: dict[str, Any] = {
        "type": f"/problems/{problem_slug(refused.code)}",
        "title": title,
        "status": status,
        "detail": refused.detail,
        "instance": instance,
        "code": refused.code.value,
        "request_id": request_id,
    }
    if isinstance(refused, InvalidRequest):
        document["errors"] = [{"pointer": error.pointer, "detail": error.detail} for error in refused.errors]
    if (retry_after_s := retry_after(refused)) is not None:
        document["retry_after"] = retry_after_s
    return document


def problem_headers(refused: Refused) -> dict[str, str]:
    """Return the headers that go with the document."""
    headers = {}
    if (retry_after_s := retry_after(refused)) is not None:
        headers["Retry-After"] = str(retry_after_s)
    if refused.code is RefusalCode.KEY_MISSING:
        headers["WWW-Authenticate"] = "Bearer"
    elif PROBLEMS[refused.code].status == 401:
        headers["WWW-Authenticate"] = f'Bearer error="invalid_token", error_description="{refused.code.value}"'
    return headers


def retry_after(refused: Refused) -> int | None:
    """Return the seconds after which to try again, or None if trying again makes no sense."""
    if refused.retry_after_s is None and PROBLEMS[refused.code].status in (429, 503):
        return DEFAULT_RETRY_AFTER_S
    return refused.retry_after_s
