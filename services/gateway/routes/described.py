"""What the OpenAPI document says of each route: bodies, parameters, answers, examples.

Owns no behaviour. Schemas are named here and defined in `services/gateway/openapi.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from services.gateway.errors import PROBLEM_JSON, PROBLEMS
from services.gateway.listing import DEFAULT_PAGE, MAX_PAGE
from services.gateway.preferences import MAX_WAIT_S
from shared.errors import RefusalCode
from shared.jobs import FacetStatus, Status

_C = RefusalCode
_Json = dict[str, Any]

JOB_EXAMPLES: Mapping[str, Any] = {
    "plain": {"summary": "A sentence", "value": {"text": "The evening sun is warm.", "pin": "espeak-v2"}},
    "emotion": {
        "summary": "With feeling, in Chinese, for a ticket",
        "value": {
            "text": "今天的阳光真灿烂!",
            "pin": "espeak-v2",
            "language": "zh",
            "emotion": {"name": "happy", "strength": 0.8},
            "speed": 1.1,
            "seed": 42,
            "metadata": {"ticket": "A-17"},
        },
    },
}
_BATCH_EXAMPLES = {"two": {"summary": "Two jobs", "value": {"jobs": [e["value"] for e in JOB_EXAMPLES.values()]}}}


def _ref(schema: str) -> _Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _body(schema: str, examples: Mapping[str, Any]) -> _Json:
    return {"required": True, "content": {"application/json": {"schema": _ref(schema), "examples": dict(examples)}}}


def _answer(description: str, schema: str, media_type: str = "application/json") -> _Json:
    return {"description": description, "content": {media_type: {"schema": _ref(schema)}}}


def _problems(codes: Iterable[RefusalCode]) -> _Json:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(PROBLEMS[code].status, []).append(f"`{code.value}`")
    return {str(status): _answer(", ".join(named), "Problem", PROBLEM_JSON) for status, named in by_status.items()}


def _parameter(name: str, where: str, schema: _Json, description: str) -> _Json:
    return {"name": name, "in": where, "required": where == "path", "schema": schema, "description": description}


_TEXT: _Json = {"type": "string"}
_JOB_ID = _parameter("job_id", "path", _TEXT, "Id of a job of yours.")
_WAIT = _parameter(
    "wait", "query", {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S}, "Seconds to wait until it is finished."
)
_PREFER = _parameter("Prefer", "header", _TEXT, f"`wait=n` (n up to {MAX_WAIT_S} seconds) or `respond-async`.")
_KEY = _parameter("Idempotency-Key", "header", _TEXT, "Makes it safe to send the request again, for 24 hours.")
_EVERYWHERE = (_C.KEY_MISSING, _C.KEY_INVALID, _C.KEY_EXPIRED, _C.FORBIDDEN, _C.STORE_UNAVAILABLE, _C.INTERNAL_ERROR)
_BODY = (_C.BODY_TOO_LARGE, _C.MEDIA_TYPE_UNSUPPORTED, _C.IDEMPOTENCY_IN_PROGRESS, _C.IDEMPOTENCY_MISMATCH)
_SUBMISSION = (
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


def _described(
    operation: str,
    answers: Mapping[int | str, Any],
    codes: Iterable[RefusalCode] = (),
    parameters: Iterable[_Json] = (),
    body: _Json | None = None,
) -> _Json:
    extra: _Json = {"parameters": list(parameters)}
    if body is not None:
        extra["requestBody"] = body
    return {
        "operation_id": operation,
        "response_class": Response,
        "responses": {**answers, **_problems(codes)},
        "openapi_extra": extra,
    }


CREATE = _described(
    "createJob",
    {
        202: _answer("Accepted: it is on disk. `Location` is its address.", "Job"),
        201: _answer("Waited for, and finished.", "Job"),
    },
    [*_SUBMISSION, *_BODY, _C.BACKLOG_FULL, *_EVERYWHERE],
    [_PREFER, _KEY],
    _body("JobRequest", JOB_EXAMPLES),
)
CREATE_BATCH = _described(
    "createJobs",
    {202: _answer("At least one was accepted.", "Batch"), 200: _answer("None of them was accepted.", "Batch")},
    [_C.INVALID_REQUEST, *_BODY, _C.BACKLOG_FULL, *_EVERYWHERE],
    [_KEY],
    _body("BatchRequest", _BATCH_EXAMPLES),
)
READ = _described(
    "getJob",
    {200: _answer("The job.", "Job")},
    [_C.INVALID_REQUEST, _C.JOB_NOT_FOUND, *_EVERYWHERE],
    [_JOB_ID, _WAIT, _PREFER],
)
_FACET: _Json = {"type": "string", "enum": [status.value for status in FacetStatus]}
_MOMENT: _Json = {"type": "string", "format": "date-time"}
_PAGE: _Json = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}
LIST = _described(
    "listJobs",
    {200: _answer("A page.", "JobList")},
    [_C.INVALID_REQUEST, *_EVERYWHERE],
    [
        _parameter("status", "query", {"type": "string", "enum": [status.value for status in Status]}, "Only these."),
        _parameter("pin", "query", _TEXT, "Only of this pin."),
        _parameter("scoring", "query", _FACET, "Only with scoring there."),
        _parameter("tracking", "query", _FACET, "Only with tracking there."),
        _parameter("created_after", "query", _MOMENT, "Only younger ones."),
        _parameter("created_before", "query", _MOMENT, "Only older ones."),
        _parameter("metadata", "query", {"type": "object", "additionalProperties": _TEXT}, "As `metadata.KEY=VALUE`."),
        _parameter("cursor", "query", _TEXT, "`next_cursor` of the page before."),
        _parameter("limit", "query", _PAGE, "Jobs on a page."),
    ],
)
CANCEL = _described(
    "cancelJob", {200: _answer("The job after it.", "Job")}, [_C.JOB_NOT_FOUND, *_EVERYWHERE], [_JOB_ID]
)
RETRY_TRACKING = _described(
    "retryTracking",
    {200: _answer("The job after it.", "Job")},
    [_C.JOB_NOT_FOUND, _C.ALREADY_FINISHED, *_EVERYWHERE],
    [_JOB_ID],
)
_FILE: _Json = {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}}
AUDIO = _described(
    "getAudio",
    {
        200: {"description": "The WAV file; `Repr-Digest` and `ETag` are of its bytes.", **_FILE},
        206: {"description": "The range; `Content-Digest` is of its bytes.", **_FILE},
        304: {"description": "Not changed."},
    },
    [_C.JOB_NOT_FOUND, _C.AUDIO_NOT_READY, _C.RANGE_NOT_SATISFIABLE, *_EVERYWHERE],
    [
        _JOB_ID,
        _parameter("Range", "header", _TEXT, "One range of bytes; several at once are answered with the whole file."),
        _parameter("If-Range", "header", _TEXT, "Serve the range only if the file still has this ETag."),
        _parameter("If-None-Match", "header", _TEXT, "Answer 304 if the file still has this ETag."),
    ],
)
_BYTES: _Json = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
MODEL_FILE = _described(
    "getModelFile",
    {
        200: {"description": "The file; its `ETag` and `Repr-Digest` are the SHA-256 that was asked for.", **_BYTES},
        206: {"description": "The range.", **_BYTES},
        304: {"description": "Not changed: it never does."},
    },
    [_C.NOT_FOUND, _C.RANGE_NOT_SATISFIABLE, *_EVERYWHERE],
    [
        _parameter("sha256", "path", _TEXT, "Of a file of a locked pin, hexadecimal."),
        _parameter("Range", "header", _TEXT, "One range of bytes; several at once are answered with the whole file."),
        _parameter("If-Range", "header", _TEXT, "Serve the range only if the file still has this ETag."),
        _parameter("If-None-Match", "header", _TEXT, "Answer 304 if the file still has this ETag."),
    ],
)
_VOICE_ID = _parameter("voice_id", "path", _TEXT, "Id of a voice of yours.")
ADD_VOICE = _described(
    "addVoice",
    {201: _answer("It is kept. `Location` is its address.", "Voice")},
    [_C.INVALID_REQUEST, *_BODY, *_EVERYWHERE],
    [_KEY],
    {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": _ref("VoiceUpload"),
                "encoding": {"consent": {"contentType": "application/json"}},
            }
        },
    },
)
LIST_VOICES = _described(
    "listVoices",
    {200: _answer("A page.", "VoiceList")},
    [_C.INVALID_REQUEST, *_EVERYWHERE],
    [
        _parameter("cursor", "query", _TEXT, "`next_cursor` of the page before."),
        _parameter("limit", "query", _PAGE, "Voices on a page."),
    ],
)
READ_VOICE = _described(
    "getVoice", {200: _answer("The voice.", "Voice")}, [_C.VOICE_NOT_FOUND, *_EVERYWHERE], [_VOICE_ID]
)
VOICE_AUDIO = _described(
    "getVoiceAudio",
    {
        200: {"description": "The WAV file; `Repr-Digest` is of its bytes.", **_FILE},
        304: {"description": "Not changed."},
    },
    [_C.VOICE_NOT_FOUND, *_EVERYWHERE],
    [_VOICE_ID, _parameter("If-None-Match", "header", _TEXT, "Answer 304 if the file still has this ETag.")],
)
REMOVE_VOICE = _described(
    "removeVoice", {204: {"description": "It is gone."}}, [_C.VOICE_NOT_FOUND, *_EVERYWHERE], [_VOICE_ID]
)
PINS = _described("listPins", {200: _answer("The pins.", "PinList")}, _EVERYWHERE)
HEALTH = _described("getHealth", {200: {"description": "Alive."}})
READY = _described(
    "getReadiness",
    {200: _answer("Jobs are accepted.", "Readiness"), 503: _answer("They are not at the moment.", "Readiness")},
)
_SLUG = _parameter("slug", "path", _TEXT, "A code with dashes.")
_TEXT_ANSWER: _Json = {"description": "A sentence.", "content": {"text/plain": {"schema": _TEXT}}}
PROBLEM = _described("explainProblem", {200: _TEXT_ANSWER}, [_C.NOT_FOUND], [_SLUG])
