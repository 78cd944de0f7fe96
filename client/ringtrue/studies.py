"""What evaluations, comparisons and gates have in common: they are asked for, waited for, listed, and have files.

Owns the common words and flows, and both clients' face of them. What each of the three says is its own module's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from ringtrue.errors import StudyTimedOut
from ringtrue.exchange import IDENTITY, Flow, Request, exchange, post, read
from ringtrue.jobs import OVER, JobError, Json, Tracking
from ringtrue.voices import AsyncRun, Run
from ringtrue.waiting import OUTAGE_S, Patience, wait_until

PAGE = 50
POLL_S = 25.0
SLOW_S = 60.0
"""A suite takes a while to be read, and to be held against a pin."""
UNTIL = Literal["result", "tracking"]
"""What of a study a caller waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One of the three, as the gateway told it; ``raw`` is the whole answer."""

    id: str
    status: str
    """waiting, running; succeeded, failed, canceled."""
    error: JobError | None
    tracking: Tracking
    created_at: datetime
    completed_at: datetime | None
    links: Mapping[str, str]
    raw: Json = field(repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Its result will not change any more; tracking may go on."""
        return self.status in ("succeeded", "failed", "canceled")

    @property
    def succeeded(self) -> bool:
        """There is a result."""
        return self.status == "succeeded"

    @property
    def standing(self) -> str:
        """Where it stands, in a few words."""
        return self.status

    def reached(self, until: UNTIL) -> bool:
        """Whether that is over, and what comes before it."""
        return self.finished and (until == "result" or self.tracking.status in OVER)


def common(data: Json) -> dict[str, Any]:
    """The members of `Study`, out of an answer."""
    error, completed_at = data["error"], data.get("completed_at")
    return {
        "id": data["id"],
        "status": data["status"],
        "error": JobError(error["code"], error.get("message", "")) if error else None,
        "tracking": Tracking.from_json(data["tracking"]),
        "created_at": datetime.fromisoformat(data["created_at"]),
        "completed_at": datetime.fromisoformat(completed_at) if completed_at else None,
        "links": data.get("links", {}),
        "raw": data,
    }


S = TypeVar("S", bound=Study)
Watcher = Callable[[S], None]
"""Is shown the study each time a wait has looked at it."""


@dataclass(frozen=True, slots=True)
class StudyFlows(Generic[S]):
    """Every operation on one of the kinds as a flow. ``patience_s``: how long failures that pass are tried again."""

    path: str
    parse: Callable[[Json], S]
    patience_s: float

    def create(self, body: Mapping[str, Any], key: str | None) -> Flow[S]:
        answer = yield from exchange(post(self.path, dict(body), key=key, slow_s=SLOW_S), self.patience_s)
        return read(answer, self.parse)

    def get(self, study_id: str) -> Flow[S]:
        answer = yield from exchange(Request("GET", self._of(study_id)), self.patience_s)
        return read(answer, self.parse)

    def page(self, filters: Mapping[str, str | None], cursor: str | None) -> Flow[tuple[list[S], str | None]]:
        """The studies of a page, and where the next one starts."""
        given = {"cursor": cursor, **filters}
        query: dict[str, str | int] = {name: value for name, value in given.items() if value is not None}
        answer = yield from exchange(Request("GET", self.path, query=query | {"limit": PAGE}), self.patience_s)
        return read(answer, lambda data: ([self.parse(one) for one in data["data"]], data["next_cursor"]))

    def cancel(self, study_id: str) -> Flow[S]:
        answer = yield from exchange(post(self._of(study_id, "/cancel")), self.patience_s)
        return read(answer, self.parse)

    def wait(
        self, study_id: str, until: UNTIL, timeout_s: float | None, poll_s: float, watcher: Watcher[S] | None
    ) -> Flow[S]:
        patience = Patience(timeout_s, poll_s, max(self.patience_s, OUTAGE_S), watcher)
        return wait_until(self._of(study_id), self.parse, lambda seen: seen.reached(until), patience, StudyTimedOut)

    def file(self, study_id: str, path: str) -> Flow[bytes]:
        where = self._of(study_id, f"/files/{quote(path)}")
        answer = yield from exchange(Request("GET", where, headers=IDENTITY, slow_s=SLOW_S), self.patience_s)
        return answer.content

    def text(self, below: str) -> Flow[str]:
        """What stands at an address of this kind."""
        answer = yield from exchange(Request("GET", f"{self.path}/{below}"), self.patience_s)
        return answer.text

    def _of(self, study_id: str, below: str = "") -> str:
        return f"{self.path}/{quote(study_id, safe='')}{below}"


class Studies(Generic[S]):
    """What `Ringtrue` does with all three kinds."""

    def __init__(self, does: StudyFlows[S], run: Run) -> None:
        self._does = does
        self._run = run

    def get(self, study_id: str) -> S:
        """As it stands; `NotFound` where the user has none of this id."""
        return self._run(self._does.get(study_id))

    def wait(
        self,
        study: S | str,
        *,
        timeout: float | None = None,
        until: UNTIL = "result",
        poll_s: float = POLL_S,
        watcher: Watcher[S] | None = None,
    ) -> S:
        """Once ``until`` is over, however it ended; `StudyTimedOut` after ``timeout`` seconds, and it goes on.

        ``watcher`` is shown it at least every ``poll_s`` seconds."""
        return self._run(self._does.wait(_id(study), until, timeout, poll_s, watcher))

    def file(self, study: S | str, path: str) -> bytes:
        """One of its files; `NotFound` (``file_not_ready``) where it has none of this name."""
        return self._run(self._does.file(_id(study), path))

    def all(self, **filters: str | None) -> Iterator[S]:
        """The user's, newest first and without their results, fetched page by page as they are looked at."""
        cursor: str | None = None
        while True:
            page, cursor = self._run(self._does.page(filters, cursor))
            yield from page
            if cursor is None:
                return


class AsyncStudies(Generic[S]):
    """The same for asyncio; `Studies` says what each method does."""

    def __init__(self, does: StudyFlows[S], run: AsyncRun) -> None:
        self._does = does
        self._run = run

    async def get(self, study_id: str) -> S:
        return await self._run(self._does.get(study_id))

    async def wait(
        self,
        study: S | str,
        *,
        timeout: float | None = None,
        until: UNTIL = "result",
        poll_s: float = POLL_S,
        watcher: Watcher[S] | None = None,
    ) -> S:
        return await self._run(self._does.wait(_id(study), until, timeout, poll_s, watcher))

    async def file(self, study: S | str, path: str) -> bytes:
        return await self._run(self._does.file(_id(study), path))

    async def all(self, **filters: str | None) -> AsyncIterator[S]:
        cursor: str | None = None
        while True:
            page, cursor = await self._run(self._does.page(filters, cursor))
            for one in page:
                yield one
            if cursor is None:
                return


def as_sent(document: str | Path | Mapping[str, Any]) -> Any:
    """A document as a request has it: a file as its text, for faults to be told by line; anything else as it is.

    Raises `OSError` where a file cannot be read, and `UnicodeDecodeError` where it is no text.
    """
    if not isinstance(document, Path):
        return document
    notation = {".yml": "yaml"}.get(document.suffix.lower(), document.suffix.lower().removeprefix("."))
    return {"notation": notation, "text": document.read_text(encoding="utf-8-sig")}


def _id(study: Study | str) -> str:
    return study if isinstance(study, str) else study.id
