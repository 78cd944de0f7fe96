"""Every error that the client raises on purpose.

    RingtrueError
    ├── ConnectionFailed        nobody answered, or what answered did not speak HTTP
    ├── APIError                the gateway answered with an error; `code` is its stable name for the cause
    │   ├── InvalidRequest      400, 413, 415, 422: the request is wrong; `errors` names every wrong field
    │   ├── Unauthorized        401: no key, or not a good one
    │   ├── Forbidden           403
    │   ├── NotFound            404: also for what belongs to another user
    │   ├── Conflict            409
    │   ├── TooManyRequests     429
    │   ├── Unavailable         502, 503, 504
    │   └── ServerError         every other status that is no success
    ├── UnexpectedAnswer        a success whose content is not what the contract says
    ├── JobFailed               the job ended without audio; `job` is how it ended
    ├── WaitTimedOut            `job` is how it stood when time was up; it goes on
    ├── StudyTimedOut           the same of an evaluation, a comparison or a gate: `study`
    └── AudioCorrupted          the audio that came is not the audio that was made

Owns the way from an HTTP answer to a type. Knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from ringtrue.jobs import Job
    from ringtrue.studies import Study

_PASSING_STATUSES = frozenset({429, 502, 503, 504})


class RingtrueError(Exception):
    """Root of the tree above."""


class ConnectionFailed(RingtrueError):
    """Nobody answered. ``transient``: trying again may help (a name that does not parse never will)."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after_s: float | None = None

    @classmethod
    def because(cls, cause: httpx.RequestError) -> ConnectionFailed:
        transient = isinstance(cause, httpx.NetworkError | httpx.TimeoutException | httpx.RemoteProtocolError)
        where = cause.request.url.copy_with(path="/", query=None)
        return cls(f"{where} does not answer: {cause or type(cause).__name__}", transient=transient)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request; ``pointer`` is an RFC 6901 JSON pointer into its body."""

    pointer: str
    detail: str


def _field_errors(given: object) -> tuple[FieldError, ...]:
    # something on the way may answer with a problem of its own, whose `errors` is anything
    entries = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return tuple(FieldError(str(one.get("pointer", "")), str(one.get("detail", ""))) for one in entries)


class APIError(RingtrueError):
    """The gateway answered with an error (RFC 9457).

    ``code`` is the contract's name of the cause, ``None`` where something between here and the gateway answered.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.code: str | None = problem.get("code")
        self.detail = str(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.request_id: str | None = problem.get("request_id")
        self.errors = _field_errors(problem.get("errors"))
        self.retry_after_s = retry_after_s
        super().__init__(f"{self.code or status}: {self.detail}")

    @property
    def transient(self) -> bool:
        """The same request may succeed later."""
        return self.status in _PASSING_STATUSES or self.code == "idempotency_in_progress"


class InvalidRequest(APIError):
    """The request is wrong; sending it again will not help."""


class Unauthorized(APIError):
    """No key was sent, or not a good one."""


class Forbidden(APIError):
    """The key is good, but not for this."""


class NotFound(APIError):
    """There is no such thing, or it belongs to another user."""


class Conflict(APIError):
    """It stands in the way of what is there already."""


class TooManyRequests(APIError):
    """A limit is reached; ``retry_after_s`` says for how long."""


class Unavailable(APIError):
    """The gateway, or what it stands on, is not there at the moment."""


class ServerError(APIError):
    """The gateway failed, or something on the way to it."""


_BY_STATUS: Mapping[int, type[APIError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def api_error(status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> APIError:
    """The error of the family that ``status`` belongs to."""
    return _BY_STATUS.get(status, ServerError)(status, problem, retry_after_s)


class UnexpectedAnswer(RingtrueError):
    """A success whose content is not what the contract says."""


class JobFailed(RingtrueError):
    """A job ended without audio."""

    def __init__(self, job: Job) -> None:
        why = f"{job.error.code}: {job.error.message}" if job.error else f"no audio, it was {job.status}"
        super().__init__(f"{job.id} {why}")
        self.job = job


class WaitTimedOut(RingtrueError):
    """The job did not get there in time; it goes on."""

    def __init__(self, job: Job, waited_s: float) -> None:
        super().__init__(f"{job.id} is still {job.standing} after {waited_s:g} s")
        self.job = job


class StudyTimedOut(RingtrueError):
    """The evaluation, comparison or gate was not over in time; it goes on."""

    def __init__(self, study: Study, waited_s: float) -> None:
        super().__init__(f"{study.id} is still {study.standing} after {waited_s:g} s")
        self.study = study


class AudioCorrupted(RingtrueError):
    """The bytes that came are not those that were announced."""
