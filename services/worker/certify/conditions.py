"""One pin spoken again and again: first in a fresh host, warm, in batches, under load, in a new process.

Owns what each condition is. Speaks through the worker's own path (speaking.py), so that what it hears is what a job
would sound like. Needs neither store nor queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from services.worker import speaking
from services.worker.batches import Batch
from services.worker.engine_host import EngineHost, never_mind
from services.worker.memory.amounts import Amount
from services.worker.pieces import split
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import JobFailure
from shared.jobs import Job

LOAD_S = 900.0
REFERENCE, WARM, BATCHED, LOADED, ANEW = "reference", "warm", "batched", "loaded", "new_process"
"""The reference is cold: the first call of a fresh host."""

Tell = Callable[[str, int, int], None]
"""Told which condition it is, how many items are spoken, and how many there are."""


class Hosts(Protocol):
    """Where fresh hosts come from: `services.worker.offer.Offer`."""

    def start(self, pin: str) -> EngineHost:
        """Nothing loaded. Raises `JobFailure`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One item spoken once."""

    audio: Audio
    first_s: float
    """From the request to the first audio: that of the first piece."""
    took_s: float
    peak: Amount
    start_s: float | None = None
    """Of a fresh host: from its start until it was loaded."""


Result = Heard | JobFailure


@dataclass
class Recital:
    """All that was heard, by condition and item."""

    heard: dict[str, dict[str, list[Result]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    surroundings: Mapping[str, Any] = field(default_factory=dict)
    """Of the hosts, where they run in another Python."""

    def keep(self, condition: str, job_id: str, result: Result) -> None:
        self.heard.setdefault(condition, {}).setdefault(job_id, []).append(result)

    def has(self, job_id: str) -> bool:
        """There is a reference of it."""
        return isinstance(self.heard[REFERENCE][job_id][0], Heard)


@dataclass(frozen=True)
class Stage:
    """A pin, where its hosts come from, and how often and beside how many others it is to speak."""

    hosts: Hosts
    manifest: Manifest
    repeats: int
    at_once: int
    """Hosts that speak at the same time under load."""
    tell: Tell

    def recite(self, jobs: Sequence[Job]) -> Recital:
        """Speak ``jobs`` under every condition. A job that fails is kept with its failure, and the rest goes on.

        Raises `JobFailure` where no host comes up.
        """
        recital = Recital()
        for host, job, start_s in self._each(REFERENCE, jobs):
            recital.keep(REFERENCE, job.id, self._heard(host, job, start_s))
            recital.surroundings = host.surroundings
        if spoken := [job for job in jobs if recital.has(job.id)]:
            self._in_one_host(recital, spoken)
            self._anew(recital, spoken)
        return recital

    def _in_one_host(self, recital: Recital, jobs: Sequence[Job]) -> None:
        with self._host() as (host, _):
            self._heard(host, jobs[0])  # what is warm has spoken before
            for _ in range(self.repeats):
                for job in self._told(WARM, jobs):
                    recital.keep(WARM, job.id, self._heard(host, job))
            self._batched(recital, host, jobs)

    def _batched(self, recital: Recital, host: EngineHost, jobs: Sequence[Job]) -> None:
        if self.manifest.max_batch == 1:
            recital.skipped[BATCHED] = "the pin takes one text at a time"
            return
        for job in self._told(BATCHED, jobs):
            if (batch := self._batch(job, jobs)) is not None:
                recital.keep(BATCHED, job.id, self._heard_in(host, batch))
        if BATCHED not in recital.heard:
            recital.skipped[BATCHED] = "every text is of several pieces"

    def _anew(self, recital: Recital, jobs: Sequence[Job]) -> None:
        """Backwards, in a host that has heard nothing of the others; then again, while others speak."""
        with self._host() as (host, _):
            for job in self._told(ANEW, jobs[::-1]):
                recital.keep(ANEW, job.id, self._heard(host, job))
            try:
                self._loaded(recital, host, jobs)
            except JobFailure as failure:  # the others did not come up or fell silent: nothing was under load
                recital.heard[LOADED] = {job.id: [failure] for job in jobs}

    def _loaded(self, recital: Recital, host: EngineHost, jobs: Sequence[Job]) -> None:
        if self.at_once < 2:
            recital.skipped[LOADED] = "it was asked for one host at a time"
            return
        with _Crowd(self, self.at_once - 1, jobs) as crowd:
            for at, job in enumerate(self._told(LOADED, jobs)):
                self._heard(host, jobs[at - 1])  # another text in between, in this host too
                recital.keep(LOADED, job.id, self._heard(host, job))
        crowd.check()

    def _batch(self, job: Job, jobs: Sequence[Job]) -> Batch | None:
        """The job first in a full batch, with the next items' texts; ``None`` where its own has several pieces."""
        if len(self._pieces(job)) > 1:
            return None
        alike = [one for one in _turned(jobs, job) if one.input.language == job.input.language]
        texts = [pieces[0] for one in alike if len(pieces := self._pieces(one)) == 1][: self.manifest.max_batch]
        texts += texts[: 2 - len(texts)]  # a lone item stands beside itself
        beside = [replace(job, input=replace(job.input, text=text)) for text in texts]
        return Batch(tuple(beside), tuple(texts))

    def _pieces(self, job: Job) -> list[str]:
        return split(job.input.text, job.input.language, self.manifest.max_piece_chars)

    def _heard(self, host: EngineHost, job: Job, start_s: float | None = None) -> Result:
        return self._heard_in(host, Batch((job,), tuple(self._pieces(job))), start_s)

    def _heard_in(self, host: EngineHost, batch: Batch, start_s: float | None = None) -> Result:
        """Of the first job of ``batch``."""
        began, first = time.monotonic(), []

        def progress(done: int, _pieces: int) -> None:
            if done == 1:
                first.append(time.monotonic() - began)

        try:
            take = speaking.spoken(host, batch, {}, progress, never_mind)
        except JobFailure as failure:
            return failure
        first_s = first[0] if first else take.took_s
        return Heard(take.clips[0].audio, first_s, take.took_s, take.peak, start_s)

    def _each(self, condition: str, jobs: Sequence[Job]) -> Iterator[tuple[EngineHost, Job, float]]:
        """Every job with a host of its own."""
        for job in self._told(condition, jobs):
            with self._host() as (host, start_s):
                yield host, job, start_s

    def _told(self, condition: str, jobs: Sequence[Job]) -> Iterator[Job]:
        for done, job in enumerate(jobs):
            self.tell(condition, done, len(jobs))
            yield job

    @contextmanager
    def _host(self) -> Iterator[tuple[EngineHost, float]]:
        began = time.monotonic()
        host = self.hosts.start(self.manifest.pin)
        try:
            host.load(never_mind, LOAD_S)
            yield host, time.monotonic() - began
        finally:
            host.close()


class _Crowd:
    """Hosts that speak other texts as long as the block lasts."""

    def __init__(self, stage: Stage, hosts: int, jobs: Sequence[Job]) -> None:
        self._stage = stage
        self._jobs = jobs
        self._until = threading.Event()
        self._open = ExitStack()
        self._hosts = hosts
        self._threads: list[threading.Thread] = []
        self._failures: list[JobFailure] = []

    def __enter__(self) -> _Crowd:
        with ExitStack() as opening:
            hosts = [opening.enter_context(self._stage._host())[0] for _ in range(self._hosts)]
            self._open = opening.pop_all()
        for at, host in enumerate(hosts):
            thread = threading.Thread(target=self._speak, args=(host, at), name=f"crowd-{at}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> None:
        self._until.set()
        if error is not None:
            self._open.close()  # nobody wants to hear the rest (Ctrl-C): what a thread waits for ends with its host
        for thread in self._threads:
            thread.join()
        self._open.close()

    def check(self) -> None:
        """Raises the `JobFailure` that silenced one of them: what was heard was not under the load that it is said."""
        if self._failures:
            why = self._failures[0]
            raise JobFailure(why.code, f"a host that should have spoken beside it did not: {why.message}")

    def _speak(self, host: EngineHost, at: int) -> None:
        while not self._until.is_set():
            at += 1
            result = self._stage._heard(host, self._jobs[at % len(self._jobs)])
            if isinstance(result, JobFailure):
                self._failures.append(result)
                return


def _turned(jobs: Sequence[Job], first: Job) -> list[Job]:
    at = next(number for number, job in enumerate(jobs) if job.id == first.id)
    return [*jobs[at:], *jobs[:at]]
