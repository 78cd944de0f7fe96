"""Every error that the client raises on purpose.

    RingtrueError
    ├── ConnectionFailed        nobody answered, or the server did not speak HTTP
    ├── EnvironmentUnusable     a variable that says how to connect (a proxy's, certificates) cannot be used
    ├── TextInvalid             what is to be sent is not text: not UTF-8, or half a character
    ├── KeyUnsendable           the API key has a character that no header can have
    ├── FormatUnavailable       a file's name asks for a format that is not supported
    ├── NotWritten              a requested file cannot be written
    ├── OutputFailed            standard output cannot be written; `gone` says whether its reader has gone
    ├── APIError                the gateway returned an error; `code` is its stable name for the cause
    │   ├── InvalidRequest      400, 413-415, 422, 431: the request is wrong; `errors` names every wrong field
    │   ├── Unauthorized        401: no key, or an invalid one
    │   ├── Forbidden           403
    │   ├── NotFound            404: also for what belongs to another user
    │   ├── Conflict            409
    │   ├── TooManyRequests     429
    │   ├── Unavailable         408, 502, 503, 504
    │   └── ServerError         every other status that is not a success
    ├── UnexpectedAnswer        a success whose content does not match the contract
    ├── JobFailed               the job ended without audio; `job` is its final state
    ├── WaitTimedOut            the wait timed out, but the job goes on; `job` is its last state
    ├── StudyTimedOut           the same for an evaluation, a comparison or a gate: `study`
    └── AudioCorrupted          the received audio is not the audio that was made

Owns the way from an HTTP response to a type. Errors that carry a job or a study are in `jobs.py` and `studies.py`.
Knows nothing of requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_PASSING_STATUSES = frozenset({408, 429, 502, 503, 504})


class RingtrueError(Exception):
    """Root of the tree above."""


class ConnectionFailed(RingtrueError):
    """Nobody answered. ``transient``: trying again may help (a name that does not parse never will)."""

    def __init__(self, message: str, *, transient: bool, url: str = "") -> None:
        super().__init__(message)
        self.transient = transient
        self.url = url
        self.retry_after_s: float | None = None

    @classmethod
    def because(cls, cause: httpx.RequestError) -> ConnectionFailed:
        transient = isinstance(cause, httpx.NetworkError | httpx.TimeoutException | httpx.RemoteProtocolError)
        where = cause.request.url.copy_with(path="/", query=None)
        return cls(f"{where} does not answer: {cause or type(cause).__name__}", transient=transient, url=str(where))


class EnvironmentUnusable(RingtrueError):
    """An environment variable that says how to connect cannot be used. The message names it."""


class TextInvalid(RingtrueError, ValueError):
    """What is to be sent is not text. The message says where, and what to do."""


class FormatUnavailable(RingtrueError, ValueError):
    """A file's name asks for a format that is not supported. The message says which format is."""


class KeyUnsendable(RingtrueError, ValueError):
    """An API key has a character that no header can have. The message does not repeat the key."""


class NotWritten(RingtrueError):
    """A requested file cannot be written. The message says which, and why."""


class OutputFailed(RingtrueError):
    """Standard output cannot be written. ``gone``: its reader has gone, which needs no message."""

    def __init__(self, message: str, *, gone: bool) -> None:
        super().__init__(message)
        self.gone = gone


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field of a request. ``pointer`` is an RFC 6901 JSON pointer into its body."""

    pointer: str
    detail: str


def _field_errors(given: object) -> tuple[FieldError, ...]:
    # a proxy on the way may answer with its own problem document, whose `errors` is anything
    entries = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return tuple(FieldError(str(one.get("pointer", "")), str(one.get("detail", ""))) for one in entries)


class APIError(RingtrueError):
    """The gateway returned an error (RFC 9457).

    ``code`` is the contract's name of the cause; ``None`` if a server between here and the gateway answered.
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
        """Whether the same request may succeed later."""
        return self.status in _PASSING_STATUSES or self.code == "idempotency_in_progress"


class InvalidRequest(APIError):
    """The request is wrong. Sending it again will not help."""


class Unauthorized(APIError):
    """No key was sent, or an invalid one."""


class Forbidden(APIError):
    """The key is valid, but does not permit this."""


class NotFound(APIError):
    """It does not exist, or belongs to another user."""


class Conflict(APIError):
    """The request conflicts with what is already there."""


class TooManyRequests(APIError):
    """A limit is reached. ``retry_after_s``: seconds to wait."""


class Unavailable(APIError):
    """The gateway, or a service that it needs, is not available at the moment."""


class ServerError(APIError):
    """The gateway failed, or a server on the way to it."""


_BY_STATUS: Mapping[int, type[APIError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    413: InvalidRequest,
    414: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
    431: InvalidRequest,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def api_error(status: int, problem: Mapping[str, Any], retry_after_s: float | None = None) -> APIError:
    """Return the error type that ``status`` belongs to."""
    return _BY_STATUS.get(status, ServerError)(status, problem, retry_after_s)


class UnexpectedAnswer(RingtrueError):
    """A success whose content does not match the contract."""


class AudioCorrupted(RingtrueError):
    """The received bytes are not those that were announced."""
