"""The operations on the gateway, written once for both clients and without any I/O.

Owns which requests make up an operation, and when a wait is over. Each operation is a flow (see
`ringtrue.http.exchange`) that a client drives. Knows neither threads nor asyncio.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import Any, cast
from urllib.parse import quote

from ringtrue.audio import Clip, checked
from ringtrue.errors import APIError, api_error
from ringtrue.http.exchange import IDENTITY, Flow, Request, exchange, id_of, post, read
from ringtrue.http.waiting import OUTAGE_S, Patience, wait_until
from ringtrue.jobs import Job, JobFailed, JobFilters, Json, Pin, Until, WaitTimedOut
from ringtrue.speech import SpeechOptions, SpeechRequest, speech

BATCH = 1000
"""Most jobs in one request of a batch: the gateway's limit."""
PAGE = 100
"""Jobs in one page of a list."""

Watcher = Callable[[Job], None]
"""Called with the job after each poll of a wait."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """Jobs, newest first, and the cursor of the next page of older ones."""

    jobs: tuple[Job, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Operations:
    """Every operation as a flow. ``patience_s``: for how many seconds transient failures are tried again."""

    patience_s: float

    def submit(self, text: str, how: SpeechOptions, key: str | None) -> Flow[Job]:
        answer = yield from exchange(post("/v1/jobs", speech(text, how), key=key), self.patience_s)
        return read(answer, Job.from_json)

    def submit_many(self, requests: Iterable[SpeechRequest], key: str | None) -> Flow[list[Job | APIError]]:
        outcomes: list[Job | APIError] = []
        for number, chunk in enumerate(_chunks(requests)):
            chunk_key = f"{key}-{number}" if key else None
            answer = yield from exchange(post("/v1/jobs:batch", {"jobs": chunk}, key=chunk_key), self.patience_s)
            outcomes += read(answer, lambda data: [_outcome(item) for item in data["data"]])
        return outcomes

    def job(self, job_id: str) -> Flow[Job]:
        answer = yield from exchange(Request("GET", _path(job_id)), self.patience_s)
        return read(answer, Job.from_json)

    def cancel(self, job_id: str) -> Flow[Job]:
        answer = yield from exchange(post(_path(job_id, "/cancel")), self.patience_s)
        return read(answer, Job.from_json)

    def page(self, filters: JobFilters, cursor: str | None) -> Flow[JobPage]:
        look = Request("GET", "/v1/jobs", query=_query(filters, cursor))
        answer = yield from exchange(look, self.patience_s)
        return read(answer, _job_page)

    def pins(self) -> Flow[list[Pin]]:
        answer = yield from exchange(Request("GET", "/v1/pins"), self.patience_s)
        return read(answer, lambda data: [Pin.from_json(one) for one in data["data"]])

    def wait(
        self, job_id: str, until: Until, timeout_s: float | None, poll_s: float, watcher: Watcher | None
    ) -> Flow[Job]:
        patience = Patience(timeout_s, poll_s, max(self.patience_s, OUTAGE_S), watcher)
        return wait_until(_path(job_id), Job.from_json, lambda seen: seen.reached(until), patience, WaitTimedOut)

    def clip(self, of: Job | str) -> Flow[Clip]:
        current = of if isinstance(of, Job) and of.audio else (yield from self.job(id_of(of)))
        if current.finished and current.audio is None:
            raise JobFailed(current)
        look = Request("GET", _path(current.id, "/audio"), headers=IDENTITY)
        answer = yield from exchange(look, self.patience_s)
        return Clip(current, checked(answer.content, answer.headers, current.audio))

    def say(self, text: str, how: SpeechOptions, timeout_s: float | None, poll_s: float) -> Flow[Clip]:
        submitted = yield from self.submit(text, how, None)
        spoken = yield from self.wait(submitted.id, "status", timeout_s, poll_s, None)
        return (yield from self.clip(spoken))


def _chunks(requests: Iterable[SpeechRequest]) -> Iterator[list[dict[str, Any]]]:
    bodies = (speech(r["text"], cast(SpeechOptions, {k: v for k, v in r.items() if k != "text"})) for r in requests)
    while chunk := list(islice(bodies, BATCH)):
        yield chunk


def _outcome(item: Json) -> Job | APIError:
    if problem := item.get("problem"):
        return api_error(problem["status"], problem)
    return Job.from_json(item["job"])


def _job_page(data: Json) -> JobPage:
    cursor = data.get("next_cursor") if data.get("has_more") else None
    return JobPage(tuple(Job.from_json(one) for one in data["data"]), cursor)


def _query(filters: JobFilters, cursor: str | None) -> dict[str, str | int]:
    values: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    metadata: Mapping[str, str] = values.pop("metadata", {})
    for name in values.keys() & {"created_after", "created_before"}:
        values[name] = values[name].astimezone(UTC).isoformat().replace("+00:00", "Z")
    values |= {f"metadata.{name}": value for name, value in metadata.items()}
    return values | {"limit": PAGE} | ({"cursor": cursor} if cursor else {})


def _path(job_id: str, below: str = "") -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}{below}"
