"""`Ringtrue` and `AsyncRingtrue`: the gateway's operations as methods.

Owns the connection (httpx), the key, and the driving of flows. `ringtrue.http.operations` defines the operations. Reads
RINGTRUE_URL and RINGTRUE_API_KEY from the environment, and only for arguments that the constructor does not get.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack, cast

import httpx

from ringtrue import comparisons, evaluations, gates
from ringtrue.audio import Clip, check_ending
from ringtrue.comparisons import AsyncComparisons, Comparisons
from ringtrue.errors import APIError, ConnectionFailed, KeyUnsendable
from ringtrue.evaluations import AsyncEvaluations, Evaluations
from ringtrue.gates import AsyncGates, Gates
from ringtrue.http.exchange import Flow, Request, id_of
from ringtrue.http.operations import Operations, Watcher
from ringtrue.http.transports import AsyncTransport, Transport
from ringtrue.jobs import Job, JobFilters, Pin, Until
from ringtrue.speech import SpeechOptions, SpeechRequest
from ringtrue.texts import sendable
from ringtrue.voices import AsyncVoices, VoiceOperations, Voices

T = TypeVar("T")
DEFAULT_URL = "http://127.0.0.1:8000"
CONNECT_S = 5.0
POLL_S = 25.0
"""How many seconds the gateway is asked to hold one poll of a job open: below the idle limits of usual proxies."""


class _Client:
    """The settings of both clients.

    ``url``: the gateway; else RINGTRUE_URL, else port 8000 of this machine. ``api_key``: else RINGTRUE_API_KEY, else
    none. ``timeout_s``: seconds for one response. ``patience_s``: how many seconds a request is tried again while the
    gateway is away or busy; 0: not at all. ``transport``: an httpx transport instead of the network.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        patience_s: float = 10.0,
        transport: httpx.BaseTransport | httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = _parsed(url or os.environ.get("RINGTRUE_URL") or DEFAULT_URL)
        key = (api_key or os.environ.get("RINGTRUE_API_KEY") or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise KeyUnsendable("the API key has a character that no key has")
        self._timeout_s = timeout_s
        self._does = Operations(patience_s)
        self._connect(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            transport=transport,
        )

    def _connect(self, **settings: Any) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.url)!r})"

    def _built(self, http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
        return http.build_request(
            request.method,
            request.path,
            params=request.query,
            json=request.body,
            data=request.form or None,
            files=None if request.file is None else {"file": ("recording", request.file)},
            headers=request.headers,
            timeout=httpx.Timeout(self._timeout_s + request.slow_s, connect=CONNECT_S),
        )


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is not a URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"the URL of a gateway must be http(s)://HOST[:PORT] (found {url!r})")
    return parsed


class Ringtrue(_Client):
    """The gateway, for programs that wait for each response. Threads may share one. Use it in ``with``, or close it."""

    _http: httpx.Client

    def submit(self, text: str, *, idempotency_key: str | None = None, **how: Unpack[SpeechOptions]) -> Job:
        """Submit a text to be spoken and return its job.

        ``idempotency_key``: another call with the same key returns the job of the first call.
        """
        return self._run(self._does.submit(text, how, idempotency_key))

    def submit_many(
        self, requests: Iterable[SpeechRequest], *, idempotency_key: str | None = None
    ) -> list[Job | APIError]:
        """Submit many texts, 1000 per HTTP request.

        Return, in their order, the job of each or the error that refused it.
        """
        return self._run(self._does.submit_many(requests, idempotency_key))

    def job(self, job_id: str) -> Job:
        """Return a job as it is now."""
        return self._run(self._does.job(job_id))

    def jobs(self, **filters: Unpack[JobFilters]) -> Iterator[Job]:
        """Yield the user's jobs, newest first. Pages are fetched as they are needed."""
        cursor: str | None = None
        while True:
            page = self._run(self._does.page(filters, cursor))
            yield from page.jobs
            if (cursor := page.cursor) is None:
                return

    def wait(
        self,
        job: Job | str,
        *,
        timeout: float | None = None,
        until: Until = "status",
        poll_s: float = POLL_S,
        watcher: Watcher | None = None,
    ) -> Job:
        """Wait until ``until`` is over and return the job, however it ended.

        Raises `WaitTimedOut` after ``timeout`` seconds. ``watcher`` is called with the job at least every ``poll_s``
        seconds.
        """
        return self._run(self._does.wait(id_of(job), until, timeout, poll_s, watcher))

    def cancel(self, job: Job | str) -> Job:
        """Cancel a job and return it. A finished job does not change."""
        return self._run(self._does.cancel(id_of(job)))

    def audio(self, job: Job | str) -> bytes:
        """Return the WAV file, checked.

        Raises `JobFailed` if there will be no audio, `NotFound` (``audio_not_ready``) if there is none yet.
        """
        return self._run(self._does.clip(job)).wav

    def save(self, job: Job | str, path: str | Path) -> Path:
        """Write the WAV file, checked, and return its path.

        Raises what ``audio`` raises, and before that `FormatUnavailable`.
        """
        check_ending(path)
        return self._run(self._does.clip(job)).save(path)

    def say(self, text: str, *, timeout: float | None = None, **how: Unpack[SpeechOptions]) -> Clip:
        """Submit a text, wait for it and return its clip."""
        return self._run(self._does.say(text, how, timeout, POLL_S))

    def pins(self) -> list[Pin]:
        """Return the model versions that jobs can use."""
        return self._run(self._does.pins())

    @property
    def voices(self) -> Voices:
        """The uploaded voices that jobs can speak with."""
        return Voices(VoiceOperations(self._does.patience_s), self._run)

    @property
    def evaluations(self) -> Evaluations:
        """Suites, spoken by a pin and scored."""
        return Evaluations(evaluations.flows(self._does.patience_s), self._run)

    @property
    def comparisons(self) -> Comparisons:
        """Comparisons of two evaluations."""
        return Comparisons(comparisons.flows(self._does.patience_s), self._run)

    @property
    def gates(self) -> Gates:
        """Rules, checked on a comparison."""
        return Gates(gates.flows(self._does.patience_s), self._run)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, **settings: Any) -> None:
        settings["transport"] = settings["transport"] or Transport()
        self._http = httpx.Client(**settings)

    def _run(self, flow: Flow[T]) -> T:
        try:
            with sendable():
                step = next(flow)
            while True:
                time.sleep(step.pause_s)
                with sendable():
                    request = self._built(self._http, step.request)
                try:
                    response = self._http.send(request)
                except httpx.RequestError as error:
                    step = flow.throw(ConnectionFailed.because(error))
                else:
                    step = flow.send(response)
        except StopIteration as end:
            return cast(T, end.value)


class AsyncRingtrue(_Client):
    """The same for asyncio; `Ringtrue` documents each method. Use it in ``async with``, or call ``aclose``."""

    _http: httpx.AsyncClient

    async def submit(self, text: str, *, idempotency_key: str | None = None, **how: Unpack[SpeechOptions]) -> Job:
        return await self._run(self._does.submit(text, how, idempotency_key))

    async def submit_many(
        self, requests: Iterable[SpeechRequest], *, idempotency_key: str | None = None
    ) -> list[Job | APIError]:
        return await self._run(self._does.submit_many(requests, idempotency_key))

    async def job(self, job_id: str) -> Job:
        return await self._run(self._does.job(job_id))

    async def jobs(self, **filters: Unpack[JobFilters]) -> AsyncIterator[Job]:
        cursor: str | None = None
        while True:
            page = await self._run(self._does.page(filters, cursor))
            for one in page.jobs:
                yield one
            if (cursor := page.cursor) is None:
                return

    async def wait(
        self,
        job: Job | str,
        *,
        timeout: float | None = None,
        until: Until = "status",
        poll_s: float = POLL_S,
        watcher: Watcher | None = None,
    ) -> Job:
        return await self._run(self._does.wait(id_of(job), until, timeout, poll_s, watcher))

    async def cancel(self, job: Job | str) -> Job:
        return await self._run(self._does.cancel(id_of(job)))

    async def audio(self, job: Job | str) -> bytes:
        return (await self._run(self._does.clip(job))).wav

    async def save(self, job: Job | str, path: str | Path) -> Path:
        check_ending(path)
        clip = await self._run(self._does.clip(job))
        return await asyncio.to_thread(clip.save, path)

    async def say(self, text: str, *, timeout: float | None = None, **how: Unpack[SpeechOptions]) -> Clip:
        return await self._run(self._does.say(text, how, timeout, POLL_S))

    async def pins(self) -> list[Pin]:
        return await self._run(self._does.pins())

    @property
    def voices(self) -> AsyncVoices:
        return AsyncVoices(VoiceOperations(self._does.patience_s), self._run)

    @property
    def evaluations(self) -> AsyncEvaluations:
        return AsyncEvaluations(evaluations.flows(self._does.patience_s), self._run)

    @property
    def comparisons(self) -> AsyncComparisons:
        return AsyncComparisons(comparisons.flows(self._does.patience_s), self._run)

    @property
    def gates(self) -> AsyncGates:
        return AsyncGates(gates.flows(self._does.patience_s), self._run)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _connect(self, **settings: Any) -> None:
        settings["transport"] = settings["transport"] or AsyncTransport()
        self._http = httpx.AsyncClient(**settings)

    async def _run(self, flow: Flow[T]) -> T:
        try:
            with sendable():
                step = next(flow)
            while True:
                await asyncio.sleep(step.pause_s)
                with sendable():
                    request = self._built(self._http, step.request)
                try:
                    response = await self._http.send(request)
                except httpx.RequestError as error:
                    step = flow.throw(ConnectionFailed.because(error))
                else:
                    step = flow.send(response)
        except StopIteration as end:
            return cast(T, end.value)
