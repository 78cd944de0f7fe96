"""One request to the gateway and its response, without any I/O.

Owns what a request is, when it is sent again and after what pause, and what a response means. Both clients drive it: a
flow yields what is to be sent and receives the response (or `ConnectionFailed` is thrown into it). Knows no jobs; of
things with an id it knows only that.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol, TypeVar

import httpx

from ringtrue.errors import APIError, ConnectionFailed, UnexpectedAnswer, api_error

log = logging.getLogger("ringtrue.client")

T = TypeVar("T")
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
IDENTITY = {"Accept-Encoding": "identity"}
"""Header of requests whose response is checked byte by byte."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the gateway. Every request may be sent twice, because a POST carries an Idempotency-Key."""

    method: str
    path: str
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    slow_s: float = 0.0
    """How many seconds longer than usual the response may take."""
    form: Mapping[str, str] = field(default_factory=dict)
    file: bytes | None = None
    """With ``form``, instead of ``body``: the fields and the file of a form."""


def post(path: str, body: Any = None, *, key: str | None = None, **more: Any) -> Request:
    """Return a POST with the idempotency key ``key`` (ASCII), or with a new one."""
    quoted = (key or str(uuid.uuid4())).replace("\\", r"\\").replace('"', r"\"")  # an RFC 8941 string
    return Request("POST", path, body=body, headers={"Idempotency-Key": f'"{quoted}"'}, **more)


@dataclass(frozen=True, slots=True)
class Send:
    """All that a flow asks of its driver: wait ``pause_s`` seconds, send ``request``, pass the response back."""

    request: Request
    pause_s: float = 0.0


class Identified(Protocol):
    """A job, a voice or a study."""

    @property
    def id(self) -> str: ...


def id_of(one: Identified | str) -> str:
    """Return the id of an object, or the id itself."""
    return one if isinstance(one, str) else one.id


Flow = Generator[Send, httpx.Response, T]


def exchange(
    request: Request, patience_s: float, pause_s: float = 0.0, *, raised_at_once: str | None = None
) -> Flow[httpx.Response]:
    """Send a request and return its successful response.

    Transient failures are tried again for about ``patience_s`` seconds after the first. The server's Retry-After is
    respected; if it is longer than the patience left, the error is raised at once. So is an error of the code
    ``raised_at_once``. ``pause_s``: seconds before the first attempt.
    """
    give_up_at: float | None = None
    ceiling = FIRST_PAUSE_S
    while True:
        failure: ConnectionFailed | APIError
        try:
            response = yield Send(request, pause_s)
        except ConnectionFailed as error:
            failure = error
        else:
            if response.is_success:
                return response
            failure = _failure(response)
            if raised_at_once is not None and failure.code == raised_at_once:
                raise failure
        give_up_at = give_up_at or monotonic() + patience_s
        pause_s = max(failure.retry_after_s or 0.0, _jittered(ceiling))
        if not failure.transient or monotonic() + pause_s > give_up_at:
            raise failure
        log.info("%s; trying again in %.1f s", failure, pause_s)
        ceiling = min(2 * ceiling, LONGEST_PAUSE_S)


def _jittered(ceiling: float) -> float:
    """Return between half and all of ``ceiling``, so that clients that failed together do not come back together."""
    return random.uniform(ceiling / 2, ceiling)  # noqa: S311 (spreads load, keeps no secret)


def _failure(response: httpx.Response) -> APIError:
    problem: Any = None
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            problem = response.json()
        except ValueError:
            log.info("%s returned an error that is not valid JSON", response.request.url)
    retry_after = response.headers.get("retry-after", "")
    stay_away_s = float(retry_after) if retry_after.isdecimal() else None  # our gateway never sends a date
    return api_error(response.status_code, problem if isinstance(problem, dict) else {}, stay_away_s)


def read(response: httpx.Response, parse: Callable[[Any], T]) -> T:
    """Return ``parse`` applied to the JSON of a response. Raises `UnexpectedAnswer` if it does not fit."""
    try:
        return parse(response.json())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        where = f"{response.request.method} {response.request.url}"
        raise UnexpectedAnswer(f"{where}: {type(error).__name__}: {error}") from error
