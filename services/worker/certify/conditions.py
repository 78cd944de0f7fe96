"""Speaks the items of one pin under every condition: in a new host, warm, in batches, under load, in a new process.

Owns what each condition is. Speaks through the worker's own code (speaking.py), so that the clips are what a job would
get. Needs neither store nor queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from services.worker import speaking
from services.worker.batches import JobBatch
from services.worker.engine_host import EngineHost, never_mind
from services.worker.memory.amounts import Amount
from services.worker.texts.pieces import split
from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import JobFailure
from shared.jobs import Job

LOAD_S = 900.0
REFERENCE, WARM, BATCHED, LOADED, ANEW = "reference", "warm", "batched", "loaded", "new_process"
"""The reference is cold: the first call of a new host."""

Tell = Callable[[str, int, int], None]
"""Called with the condition, the number of spoken items, and the number of all items."""


def in_words(condition: str) -> str:
    """Return the condition's name for people."""
    return condition.replace("_", " ")


class Hosts(Protocol):
    """What starts new hosts; `services.worker.pins.served_pins.ServedPins` does."""

    def start(self, pin: str) -> EngineHost:
        """Start a host with nothing loaded. Raises `JobFailure`."""


@dataclass(frozen=True, slots=True)
class Take:
    """One item spoken once."""

    audio: Audio
    first_s: float
    """Seconds from the request to the first audio: that of the first piece."""
    took_s: float
    peak: Amount
    start_s: float | None = None
    """Seconds from the start of a new host until it was loaded."""


Result = Take | JobFailure


@dataclass
class RepeatRuns:
    """All results, by condition and item."""

    heard: dict[str, dict[str, list[Result]]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    host_environment: Mapping[str, Any] = field(default_factory=dict)
    """Of the hosts, if they run in another Python."""

    def keep(self, condition: str, job_id: str, result: Result) -> None:
        self.heard.setdefault(condition, {}).setdefault(job_id, []).append(result)

    def has(self, job_id: str) -> bool:
        """Return whether the item has a reference."""
        return isinstance(self.heard[REFERENCE][job_id][0], Take)


@dataclass(frozen=True)
class Conditions:
    """A pin, what starts its hosts, and how often and with how many hosts at once it is to speak."""

    hosts: Hosts
    manifest: Manifest
    repeats: int
    at_once: int
    """Hosts that speak at the same time under load."""
    tell: Tell

    def run(self, jobs: Sequence[Job]) -> RepeatRuns:
        """Speak ``jobs`` under every condition. A job that fails is kept with its failure, and the rest goes on.

        Raises `JobFailure` if no host can be started.
        """
        runs = RepeatRuns()
        for host, job, start_s in self._each(REFERENCE, jobs):
            runs.keep(REFERENCE, job.id, self._heard(host, job, start_s))
            runs.host_environment = host.host_environment
        if spoken := [job for job in jobs if runs.has(job.id)]:
            self._in_one_host(runs, spoken)
            self._anew(runs, spoken)
        return runs

    def _in_one_host(self, runs: RepeatRuns, jobs: Sequence[Job]) -> None:
        with self._host() as (host, _):
            self._heard(host, jobs[0])  # a warm host has spoken before
            for _ in range(self.repeats):
                for job in self._told(WARM, jobs):
                    runs.keep(WARM, job.id, self._heard(host, job))
            self._batched(runs, host, jobs)

    def _batched(self, runs: RepeatRuns, host: EngineHost, jobs: Sequence[Job]) -> None:
        if self.manifest.max_batch == 1:
            runs.skipped[BATCHED] = "the pin speaks one text at a time"
            return
        for job in self._told(BATCHED, jobs):
            if (batch := self._batch(job, jobs)) is not None:
                runs.keep(BATCHED, job.id, self._heard_in(host, batch))
        if BATCHED not in runs.heard:
            runs.skipped[BATCHED] = "every text has several pieces"

    def _anew(self, runs: RepeatRuns, jobs: Sequence[Job]) -> None:
        """Speak in reverse order in a new host that has spoken nothing before; then again, while other hosts speak."""
        with self._host() as (host, _):
            for job in self._told(ANEW, jobs[::-1]):
                runs.keep(ANEW, job.id, self._heard(host, job))
            try:
                self._loaded(runs, host, jobs)
            except JobFailure as failure:  # the other hosts did not start or stopped speaking, so there was no load
                runs.heard[LOADED] = {job.id: [failure] for job in jobs}

    def _loaded(self, runs: RepeatRuns, host: EngineHost, jobs: Sequence[Job]) -> None:
        if self.at_once < 2:
            runs.skipped[LOADED] = "only one host at a time was requested"
            return
        with _BackgroundLoad(self, self.at_once - 1, jobs) as load:
            for at, job in enumerate(self._told(LOADED, jobs)):
                self._heard(host, jobs[at - 1])  # another text in between, in this host too
                runs.keep(LOADED, job.id, self._heard(host, job))
        load.check()

    def _batch(self, job: Job, jobs: Sequence[Job]) -> JobBatch | None:
        """Return a full batch with the job first and the next items' texts after it. ``None`` if its own text has
        several pieces."""
        if len(self._pieces(job)) > 1:
            return None
        alike = [one for one in _turned(jobs, job) if one.input.language == job.input.language]
        texts = [pieces[0] for one in alike if len(pieces := self._pieces(one)) == 1][: self.manifest.max_batch]
        texts += texts[: 2 - len(texts)]  # a single item is batched with itself
        beside = [replace(job, input=replace(job.input, text=text)) for text in texts]
        return JobBatch(tuple(beside), tuple(texts))

    def _pieces(self, job: Job) -> list[str]:
        return split(job.input.text, job.input.language, self.manifest.max_piece_chars)

    def _heard(self, host: EngineHost, job: Job, start_s: float | None = None) -> Result:
        return self._heard_in(host, JobBatch((job,), tuple(self._pieces(job))), start_s)

    def _heard_in(self, host: EngineHost, batch: JobBatch, start_s: float | None = None) -> Result:
        """Speak ``batch`` and return the result of its first job."""
        began, first = time.monotonic(), []

        def progress(done: int, _pieces: int) -> None:
            if done == 1:
                first.append(time.monotonic() - began)

        try:
            take = speaking.spoken(host, batch, {}, progress, never_mind)
        except JobFailure as failure:
            return failure
        first_s = first[0] if first else take.took_s
        return Take(take.clips[0].audio, first_s, take.took_s, take.peak, start_s)

    def _each(self, condition: str, jobs: Sequence[Job]) -> Iterator[tuple[EngineHost, Job, float]]:
        """Yield every job with its own new host and the seconds that starting it took."""
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


class _BackgroundLoad:
    """Hosts that speak other texts for the length of the block."""

    def __init__(self, stage: Conditions, hosts: int, jobs: Sequence[Job]) -> None:
        self._stage = stage
        self._jobs = jobs
        self._until = threading.Event()
        self._open = ExitStack()
        self._hosts = hosts
        self._threads: list[threading.Thread] = []
        self._failures: list[JobFailure] = []

    def __enter__(self) -> _BackgroundLoad:
        with ExitStack() as opening:
            hosts = [opening.enter_context(self._stage._host())[0] for _ in range(self._hosts)]
            self._open = opening.pop_all()
        for at, host in enumerate(hosts):
            thread = threading.Thread(target=self._speak, args=(host, at), name=f"load-{at}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _where: object) -> None:
        self._until.set()
        if error is not None:
            self._open.close()  # the rest is not needed (Ctrl-C): ending the hosts ends what the threads wait for
        for thread in self._threads:
            thread.join()
        self._open.close()

    def check(self) -> None:
        """Raise the `JobFailure` that stopped one of the hosts: the results were then not spoken under the stated
        load."""
        if self._failures:
            why = self._failures[0]
            raise JobFailure(why.code, f"another host that should speak at the same time did not: {why.message}")

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
