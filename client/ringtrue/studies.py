"""What evaluations, comparisons and gates share: they are requested, waited for and listed, and have files.

Owns the common types and flows, and the methods of both clients. What is special to one of the three is in its own
module.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from ringtrue.errors import RingtrueError
from ringtrue.http.exchange import IDENTITY, Flow, Request, exchange, id_of, post, read
from ringtrue.http.waiting import OUTAGE_S, Patience, wait_until
from ringtrue.jobs import OVER, JobError, Json, Tracking
from ringtrue.voices import AsyncRun, Run

PAGE = 50
POLL_S = 25.0
SLOW_S = 60.0
"""Seconds. A suite takes a while to be read and checked against a pin."""
UNTIL = Literal["result", "tracking"]
"""The step of a study that a caller waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseStudy:
    """An evaluation, a comparison or a gate, as the gateway described it. ``raw`` is the whole JSON."""

    id: str
    status: str
    """waiting or running; then succeeded, failed or canceled."""
    error: JobError | None
    tracking: Tracking
    created_at: datetime
    completed_at: datetime | None
    links: Mapping[str, str]
    raw: Json = field(repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Whether its result is final. Tracking may go on."""
        return self.status in ("succeeded", "failed", "canceled")

    @property
    def succeeded(self) -> bool:
        """Whether there is a result."""
        return self.status == "succeeded"

    @property
    def standing(self) -> str:
        """Its state in a few words."""
        return self.status

    def reached(self, until: UNTIL) -> bool:
        """Return whether that step, and what comes before it, is over."""
        return self.finished and (until == "result" or self.tracking.status in OVER)


def common(data: Json) -> dict[str, Any]:
    """Return the members of `BaseStudy` from a response."""
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


S = TypeVar("S", bound=BaseStudy)
Watcher = Callable[[S], None]
"""Called with the study after each poll of a wait."""


class StudyTimedOut(RingtrueError):
    """The evaluation, comparison or gate was not over in time; it goes on."""

    def __init__(self, study: BaseStudy, waited_s: float) -> None:
        super().__init__(f"{study.id} is still {study.standing} after {waited_s:g} s")
        self.study = study


@dataclass(frozen=True, slots=True)
class StudyFlows(Generic[S]):
    """Every operation on one kind of study as a flow.

    ``patience_s``: for how many seconds transient failures are tried again.
    """

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
        """Return the studies of a page, and the cursor of the next one."""
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
        """Return the text at an address below this kind's."""
        answer = yield from exchange(Request("GET", f"{self.path}/{below}"), self.patience_s)
        return answer.text

    def _of(self, study_id: str, below: str = "") -> str:
        return f"{self.path}/{quote(study_id, safe='')}{below}"


class StudyCalls(Generic[S]):
    """The operations of `Ringtrue` that all three kinds have."""

    def __init__(self, does: StudyFlows[S], run: Run) -> None:
        self._does = does
        self._run = run

    def get(self, study_id: str) -> S:
        """Return a study as it is now. Raises `NotFound` if the user has none with this id."""
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
        """Wait until ``until`` is over and return the study, however it ended.

        Raises `StudyTimedOut` after ``timeout`` seconds; the study goes on. ``watcher`` is called with it at least
        every ``poll_s`` seconds.
        """
        return self._run(self._does.wait(id_of(study), until, timeout, poll_s, watcher))

    def file(self, study: S | str, path: str) -> bytes:
        """Return one of its files. Raises `NotFound` (``file_not_ready``) if it has none with this name."""
        return self._run(self._does.file(id_of(study), path))

    def all(self, **filters: str | None) -> Iterator[S]:
        """Yield the user's studies, newest first and without their results. Pages are fetched as they are needed."""
        cursor: str | None = None
        while True:
            page, cursor = self._run(self._does.page(filters, cursor))
            yield from page
            if cursor is None:
                return


class AsyncStudyCalls(Generic[S]):
    """The same for asyncio; `StudyCalls` documents each method."""

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
        return await self._run(self._does.wait(id_of(study), until, timeout, poll_s, watcher))

    async def file(self, study: S | str, path: str) -> bytes:
        return await self._run(self._does.file(id_of(study), path))

    async def all(self, **filters: str | None) -> AsyncIterator[S]:
        cursor: str | None = None
        while True:
            page, cursor = await self._run(self._does.page(filters, cursor))
            for one in page:
                yield one
            if cursor is None:
                return


def as_sent(document: str | Path | Mapping[str, Any]) -> Any:
    """Return a document for a request: a file as its text, so that errors can name lines; anything else unchanged.

    Raises `OSError` if a file cannot be read, and `UnicodeDecodeError` if it is not text.
    """
    if not isinstance(document, Path):
        return document
    notation = {".yml": "yaml"}.get(document.suffix.lower(), document.suffix.lower().removeprefix("."))
    return {"notation": notation, "text": document.read_text(encoding="utf-8-sig")}
