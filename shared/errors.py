"""Every error that Ringtrue raises on purpose, each with a stable code.

    RingtrueError
    ├── Refused             a request that is refused: the caller can do something about it
    │   └── InvalidRequest  ... because fields of it are wrong; carries one entry per field
    ├── JobFailure          an accepted job that cannot be done; its code ends in ``job.error.code``
    ├── StoreUnavailable    the SQL store does not answer
    │   ├── StoreTooSlow    ... within the time limit of this query
    │   ├── StoreBusy       ... because another transaction holds a needed lock
    │   ├── StoreDamaged    ... and will not until an operator repairs it
    │   └── StorageUnavailable  ... or the storage of the audio: full, read-only, broken, not mounted
    └── SettingsError       this process cannot start with its configuration
        └── StoreUnusable   ... because of the state of the store: emptied, damaged, or of a newer version

Codes are the contract with clients and never change. Owns the errors and codes; does not know HTTP statuses, which are
the gateway's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.values.faults import AND_MORE, MOST_FAULTS


class RefusalCode(StrEnum):
    """Why a request is refused."""

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
    REQUEST_TIMEOUT = "request_timeout"
    BODY_TOO_LARGE = "body_too_large"
    URL_TOO_LONG = "url_too_long"
    HEADERS_TOO_LARGE = "headers_too_large"
    MEDIA_TYPE_UNSUPPORTED = "media_type_unsupported"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    BACKLOG_FULL = "backlog_full"
    STORE_UNAVAILABLE = "store_unavailable"
    MODEL_LOADING = "model_loading"
    INTERNAL_ERROR = "internal_error"


class FailureCode(StrEnum):
    """Why an accepted job cannot be done."""

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
    """One wrong field of a request. ``pointer`` is an RFC 6901 JSON pointer into the body."""

    pointer: str
    detail: str


_LONGEST_POINTER, _LONGEST_DETAIL, _LONGEST_SUMMARY = 200, 500, 1000
"""Longest texts in a refusal, in characters. They may quote a user's names and values, which can be very long."""


class Refused(RingtrueError):
    """A request that is refused."""

    def __init__(self, code: RefusalCode, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class InvalidRequest(Refused):
    """A request with wrong fields. Names up to `MOST_FAULTS` of them at once, and says if there are more."""

    def __init__(self, errors: Sequence[FieldError], code: RefusalCode = RefusalCode.INVALID_REQUEST) -> None:
        told = tuple(_bounded(error) for error in errors[:MOST_FAULTS])
        if len(errors) > MOST_FAULTS:
            told += (FieldError("", AND_MORE),)
        super().__init__(code, _cut("; ".join(f"{e.pointer or '/'}: {e.detail}" for e in told), _LONGEST_SUMMARY))
        self.errors = told


def _bounded(error: FieldError) -> FieldError:
    return FieldError(_cut(error.pointer, _LONGEST_POINTER), _cut(error.detail, _LONGEST_DETAIL))


def _cut(said: str, most: int) -> str:
    return said if len(said) <= most else f"{said[:most]}…"


class JobFailure(RingtrueError):
    """An accepted job that cannot be done.

    A ``final`` failure is not tried again. A ``blameless`` failure was not caused by the job and costs it no attempt.
    """

    def __init__(self, code: FailureCode, message: str, *, final: bool = True, blameless: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.final = final
        self.blameless = blameless


class StoreUnavailable(RingtrueError):
    """The SQL store does not answer. The caller may try again."""


class StoreTooSlow(StoreUnavailable):
    """The SQL store did not answer within the time limit of this query. Other queries may succeed."""


class StoreBusy(StoreUnavailable):
    """Another transaction holds a lock on a needed row. Nothing was changed, and other rows can be."""


class StoreDamaged(StoreUnavailable):
    """The SQL store is damaged or gone. Trying again does not help: an operator has to repair it."""


class StorageUnavailable(StoreUnavailable):
    """The storage of the audio cannot be written or read at the moment. That says nothing about the job or the clip."""

    def __init__(self, detail: str, size: int = 0) -> None:
        super().__init__(detail)
        self.size = size
        """Number of bytes that were to be written; 0 for a read."""


class SettingsError(RingtrueError):
    """This process cannot start with its configuration. The message says what to change."""


class StoreUnusable(SettingsError):
    """The SQL store must not be used in its present state. The message says what was found and what to do."""
