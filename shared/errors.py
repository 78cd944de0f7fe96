"""Every error that Ringtrue raises on purpose, each with a stable code.

    RingtrueError
    ├── Refused             a request that is not taken: the caller can do something about it
    │   └── InvalidRequest  ... because fields of it are wrong; carries one entry per field
    ├── JobFailure          a job that was taken and cannot be done; its code ends in ``job.error.code``
    ├── StoreUnavailable    the SQL store does not answer
    └── SettingsError       this process cannot start as it is configured

Codes are the contract with clients and never change; HTTP statuses are the gateway's business and are not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RefusalCode(StrEnum):
    """Why a request is not taken."""

    INVALID_REQUEST = "invalid_request"
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    CONTROL_UNSUPPORTED = "control_unsupported"
    LANGUAGE_UNSUPPORTED = "language_unsupported"
    EMOTION_UNSUPPORTED = "emotion_unsupported"
    OPTION_INVALID = "option_invalid"
    KEY_MISSING = "key_missing"
    KEY_INVALID = "key_invalid"
    KEY_EXPIRED = "key_expired"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    JOB_NOT_FOUND = "job_not_found"
    PIN_UNKNOWN = "pin_unknown"
    VOICE_NOT_FOUND = "voice_not_found"
    AUDIO_NOT_READY = "audio_not_ready"
    SUITE_UNKNOWN = "suite_unknown"
    SUITE_INVALID = "suite_invalid"
    EVALUATION_NOT_FOUND = "evaluation_not_found"
    COMPARISON_NOT_FOUND = "comparison_not_found"
    GATE_NOT_FOUND = "gate_not_found"
    FILE_NOT_READY = "file_not_ready"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    ALREADY_FINISHED = "already_finished"
    BODY_TOO_LARGE = "body_too_large"
    MEDIA_TYPE_UNSUPPORTED = "media_type_unsupported"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    BACKLOG_FULL = "backlog_full"
    STORE_UNAVAILABLE = "store_unavailable"
    MODEL_LOADING = "model_loading"
    INTERNAL_ERROR = "internal_error"


class FailureCode(StrEnum):
    """Why a job that was taken cannot be done."""

    MODEL_NOT_PULLED = "model_not_pulled"
    MODEL_LOCK_MISMATCH = "model_lock_mismatch"
    GPU_OUT_OF_MEMORY = "gpu_out_of_memory"
    OUT_OF_MEMORY = "out_of_memory"
    ENGINE_ERROR = "engine_error"
    ENGINE_CRASHED = "engine_crashed"
    ENGINE_TIMEOUT = "engine_timeout"
    ENGINE_RETURNED_NOTHING = "engine_returned_nothing"
    AUDIO_INVALID = "audio_invalid"
    VOICE_NOT_FOUND = "voice_not_found"
    WORKER_LOST = "worker_lost"
    TTL_EXPIRED = "ttl_expired"


class RingtrueError(Exception):
    """Root of the tree above."""


@dataclass(frozen=True)
class FieldError:
    """One wrong field of a request: ``pointer`` is an RFC 6901 JSON pointer into the body."""

    pointer: str
    detail: str


class Refused(RingtrueError):
    """A request that is not taken."""

    def __init__(self, code: RefusalCode, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class InvalidRequest(Refused):
    """A request with wrong fields; every one of them is named at once."""

    def __init__(self, errors: tuple[FieldError, ...], code: RefusalCode = RefusalCode.INVALID_REQUEST) -> None:
        super().__init__(code, "; ".join(f"{e.pointer or '/'}: {e.detail}" for e in errors))
        self.errors = errors


class JobFailure(RingtrueError):
    """A job that was taken and cannot be done. ``final`` failures are not attempted again."""

    def __init__(self, code: FailureCode, message: str, *, final: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.final = final


class StoreUnavailable(RingtrueError):
    """The SQL store does not answer; the caller may try again."""


class SettingsError(RingtrueError):
    """This process cannot start as it is configured; the message says what to change."""
