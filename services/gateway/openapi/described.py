"""The OpenAPI descriptions of the routes of jobs, audio, voices, pins and the gateway itself.

Owns no behaviour. Schemas are named here and defined in `services/gateway/openapi/document.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.gateway.openapi.describing import (
    BODY,
    EVERYWHERE,
    KEY,
    PAGE,
    PREFER,
    SUBMISSION,
    TEXT,
    WAIT,
    WORK,
    Json,
    answer,
    described,
    json_body,
    parameter,
    ref,
)
from shared.errors import RefusalCode
from shared.jobs import FacetStatus, Status

_C = RefusalCode

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

_JOB_ID = parameter("job_id", "path", TEXT, "Id of a job of yours.")
CREATE = described(
    "createJob",
    {
        202: answer("Accepted: it is on disk. `Location` is its address.", "Job"),
        201: answer("Waited for, and finished.", "Job"),
    },
    [*SUBMISSION, *BODY, *WORK, *EVERYWHERE],
    [PREFER, KEY],
    json_body("JobRequest", JOB_EXAMPLES),
)
CREATE_BATCH = described(
    "createJobs",
    {202: answer("At least one job was accepted.", "Batch"), 200: answer("No job was accepted.", "Batch")},
    [_C.INVALID_REQUEST, *BODY, *WORK, *EVERYWHERE],
    [KEY],
    json_body("BatchRequest", _BATCH_EXAMPLES),
)
READ = described(
    "getJob",
    {200: answer("The job.", "Job")},
    [_C.INVALID_REQUEST, _C.JOB_NOT_FOUND, *EVERYWHERE],
    [_JOB_ID, WAIT, PREFER],
)
_FACET: Json = {"type": "string", "enum": [status.value for status in FacetStatus]}
_MOMENT: Json = {"type": "string", "format": "date-time"}
LIST = described(
    "listJobs",
    {200: answer("A page.", "JobList")},
    [_C.INVALID_REQUEST, *EVERYWHERE],
    [
        parameter(
            "status",
            "query",
            {"type": "string", "enum": [status.value for status in Status]},
            "Only jobs with this status.",
        ),
        parameter("pin", "query", TEXT, "Only of this pin."),
        parameter("scoring", "query", _FACET, "Only jobs whose scoring has this status."),
        parameter("tracking", "query", _FACET, "Only jobs whose tracking has this status."),
        parameter("created_after", "query", _MOMENT, "Only jobs created after this time."),
        parameter("created_before", "query", _MOMENT, "Only jobs created before this time."),
        parameter("metadata", "query", {"type": "object", "additionalProperties": TEXT}, "As `metadata.KEY=VALUE`."),
        parameter("cursor", "query", TEXT, "`next_cursor` of the page before."),
        parameter("limit", "query", PAGE, "Most jobs on a page."),
    ],
)
CANCEL = described("cancelJob", {200: answer("The job after it.", "Job")}, [_C.JOB_NOT_FOUND, *EVERYWHERE], [_JOB_ID])
RETRY_TRACKING = described(
    "retryTracking",
    {200: answer("The job after it.", "Job")},
    [_C.JOB_NOT_FOUND, _C.ALREADY_FINISHED, *EVERYWHERE],
    [_JOB_ID],
)
_FILE: Json = {"content": {"audio/wav": {"schema": {"type": "string", "format": "binary"}}}}
AUDIO = described(
    "getAudio",
    {
        200: {"description": "The WAV file; `Repr-Digest` and `ETag` are of its bytes.", **_FILE},
        206: {"description": "The range; `Content-Digest` is of its bytes.", **_FILE},
        304: {"description": "Not changed."},
    },
    [_C.JOB_NOT_FOUND, _C.AUDIO_NOT_READY, _C.RANGE_NOT_SATISFIABLE, *EVERYWHERE],
    [
        _JOB_ID,
        parameter("Range", "header", TEXT, "One range of bytes; several at once are answered with the whole file."),
        parameter("If-Range", "header", TEXT, "Serve the range only if the file still has this ETag."),
        parameter("If-None-Match", "header", TEXT, "Answer 304 if the file still has this ETag."),
    ],
)
_BYTES: Json = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
MODEL_FILE = described(
    "getModelFile",
    {
        200: {"description": "The file; its `ETag` and `Repr-Digest` are the requested SHA-256.", **_BYTES},
        206: {"description": "The range.", **_BYTES},
        304: {"description": "Not changed; such files never change."},
    },
    [_C.NOT_FOUND, _C.RANGE_NOT_SATISFIABLE, *EVERYWHERE],
    [
        parameter("sha256", "path", TEXT, "SHA-256 of a file of a locked pin, in hexadecimal."),
        parameter("Range", "header", TEXT, "One range of bytes; several at once are answered with the whole file."),
        parameter("If-Range", "header", TEXT, "Serve the range only if the file still has this ETag."),
        parameter("If-None-Match", "header", TEXT, "Answer 304 if the file still has this ETag."),
    ],
)
_VOICE_ID = parameter("voice_id", "path", TEXT, "Id of a voice of yours.")
ADD_VOICE = described(
    "addVoice",
    {201: answer("It is kept. `Location` is its address.", "Voice")},
    [_C.INVALID_REQUEST, _C.QUOTA_EXCEEDED, *BODY, *EVERYWHERE],
    [KEY],
    {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": ref("VoiceUpload"),
                "encoding": {"consent": {"contentType": "application/json"}},
            }
        },
    },
)
LIST_VOICES = described(
    "listVoices",
    {200: answer("A page.", "VoiceList")},
    [_C.INVALID_REQUEST, *EVERYWHERE],
    [
        parameter("cursor", "query", TEXT, "`next_cursor` of the page before."),
        parameter("limit", "query", PAGE, "Most voices on a page."),
    ],
)
READ_VOICE = described("getVoice", {200: answer("The voice.", "Voice")}, [_C.VOICE_NOT_FOUND, *EVERYWHERE], [_VOICE_ID])
VOICE_AUDIO = described(
    "getVoiceAudio",
    {
        200: {"description": "The WAV file; `Repr-Digest` is of its bytes.", **_FILE},
        304: {"description": "Not changed."},
    },
    [_C.VOICE_NOT_FOUND, *EVERYWHERE],
    [_VOICE_ID, parameter("If-None-Match", "header", TEXT, "Answer 304 if the file still has this ETag.")],
)
REMOVE_VOICE = described(
    "removeVoice", {204: {"description": "It is gone."}}, [_C.VOICE_NOT_FOUND, *EVERYWHERE], [_VOICE_ID]
)
PINS = described("listPins", {200: answer("The pins.", "PinList")}, EVERYWHERE)
HEALTH = described("getHealth", {200: {"description": "Alive."}})
READY = described(
    "getReadiness",
    {200: answer("Jobs are accepted.", "Readiness"), 503: answer("Jobs are not accepted at the moment.", "Readiness")},
)
_SLUG = parameter("slug", "path", TEXT, "A code with dashes.")
_TEXT_ANSWER: Json = {"description": "A sentence.", "content": {"text/plain": {"schema": TEXT}}}
PROBLEM = described("explainProblem", {200: _TEXT_ANSWER}, [_C.NOT_FOUND], [_SLUG])
