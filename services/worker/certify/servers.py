"""A pin spoken by a server: jobs by POST, audio by GET.

Owns the few HTTP requests for that. It is unknown what a server has in memory, so nothing counts as cold. Knows no
host.
"""

from __future__ import annotations

import io
import time
import uuid
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

import httpx

from services.worker.certify.conditions import LOADED, REFERENCE, WARM, RepeatRuns, Result, Take, Tell
from services.worker.certify.fingerprint import RATES
from services.worker.certify.items import USED, asked
from services.worker.memory.amounts import Amount
from shared.audio import BYTES_PER_SAMPLE, Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure, RingtrueError
from shared.network.http_transports import transport_to
from shared.suites.suite import Item

T = TypeVar("T")
PATIENCE_S = 600.0
"""Seconds to wait for one job, counted from when the wait for it starts. Other jobs may be ahead of it."""
WAIT_S = 30
"""Seconds that a server may delay an answer until the job is done."""
_SLACK_S = 30.0
_BUSY = (429, 503)
"""A busy gateway also sends Retry-After. An answer without it comes from something in between, with no gateway behind
it."""
_PAUSE_S = (0.1, 10.0)
_FINISHED = ("succeeded", "failed", "canceled", "expired")


class ServerFailed(RingtrueError):
    """The server does not answer, or gives a wrong answer."""


class ServerRefuses(RingtrueError):
    """The server refuses access: the key is missing, wrong or not allowed to do this."""


class PinNotThere(RingtrueError):
    """There is no such pin."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submitted job."""

    id: str
    at: float
    """`time.monotonic` when it was sent."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What a server says of a job that was spoken."""

    used: Mapping[str, Any]
    pcm_sha256: str
    speak_s: float
    peak: Amount


class Server:
    """A gateway at ``url``. For one thread; use it as a context manager. Raises `ServerFailed` if ``url`` is not an
    address."""

    def __init__(self, url: str, key: str | None, tell: Tell) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            address = httpx.URL(self.url)
            self._http = httpx.Client(
                base_url=address, headers=headers, timeout=WAIT_S + _SLACK_S, transport=transport_to(str(address))
            )
        except httpx.InvalidURL as error:
            raise ServerFailed(f"{self.url} is not a URL: {error}") from error
        self._tell = tell
        self._run = uuid.uuid4().hex

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def manifest(self, pin: str) -> Manifest:
        """Return what the pin can do there. Raises `PinNotThere`, `ServerRefuses`, `ServerFailed`."""
        found = self._read(self._answered("GET", "/v1/pins"), lambda said: _manifest(said["data"], pin))
        if found is None:
            raise PinNotThere(f"{self.url} has no pin {pin}")
        return found

    def run(self, pin: str, items: Sequence[Item], seed: int, repeats: int) -> tuple[RepeatRuns, dict[str, Any]]:
        """Speak ``items`` one after another, again, and all at once. Return the results, and what decided each item's
        sound, by its id."""
        runs, used = RepeatRuns(), dict[str, Any]()
        for item in self._told(REFERENCE, items):
            runs.keep(REFERENCE, item.id, self._spoken(pin, item, seed, used))
        spoken = [item for item in items if runs.has(item.id)]
        for _ in range(repeats):
            for item in self._told(WARM, spoken):
                runs.keep(WARM, item.id, self._spoken(pin, item, seed, used))
        under_way = [self._submitted(pin, item, seed) for item in spoken]
        for item, job in zip(self._told(LOADED, spoken), under_way, strict=True):
            runs.keep(LOADED, item.id, job if isinstance(job, JobFailure) else self._fetched(item, job, used))
        return runs, used

    def _spoken(self, pin: str, item: Item, seed: int, used: dict[str, Any]) -> Result:
        job = self._submitted(pin, item, seed)
        return job if isinstance(job, JobFailure) else self._fetched(item, job, used)

    def _submitted(self, pin: str, item: Item, seed: int) -> Submitted | JobFailure:
        metadata = {"certificate": self._run, "item": item.id}
        body = {"pin": pin, **asked(item, seed), "score": False, "metadata": metadata}
        began = time.monotonic()
        answer = self._sent("POST", "/v1/jobs", json=body, headers={"Idempotency-Key": f'"{uuid.uuid4()}"'})
        if answer.status_code == 400:
            problem = self._read(answer, dict)
            return JobFailure(FailureCode.ENGINE_ERROR, f"refused: {problem.get('detail')}")
        return Submitted(self._read(self._checked(answer), lambda said: str(said["id"])), began)

    def _fetched(self, item: Item, job: Submitted, used: dict[str, Any]) -> Result:
        done = self._finished(job)
        if isinstance(done, JobFailure):
            return done
        used[item.id] = done.used
        audio = self._heard(job, done.pcm_sha256)
        return Take(audio, time.monotonic() - job.at, done.speak_s, done.peak)

    def _finished(self, job: Submitted) -> _Done | JobFailure:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            answer = self._answered("GET", f"/v1/jobs/{job.id}", params={"wait": WAIT_S})
            if (done := self._read(answer, _done)) is not None:
                return done
        raise ServerFailed(f"{self.url} did not speak {job.id} within {PATIENCE_S:g} s")

    def _heard(self, job: Submitted, pcm_sha256: str) -> Audio:
        content = self._answered("GET", f"/v1/jobs/{job.id}/audio").content
        try:
            audio = _samples(content)
        except (wave.Error, EOFError, ValueError) as error:
            raise ServerFailed(f"{self.url} did not send a valid WAV file for {job.id}: {error}") from error
        if audio.sha256 != pcm_sha256:
            raise ServerFailed(f"{self.url} sent samples for {job.id} that do not match their hash")
        return audio

    def _answered(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._checked(self._sent(method, path, **more))

    def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request, and again after Retry-After while the server is busy. Raises `ServerFailed` if there is no
        answer."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._http.request(method, path, **more)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise ServerFailed(f"{self.url} does not answer: {error}") from error
            pause_s = answer.headers.get("retry-after", "")
            if answer.status_code not in _BUSY or not pause_s.isdecimal() or time.monotonic() > until:
                return answer
            least, most = _PAUSE_S
            time.sleep(min(max(float(pause_s), least), most))

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.status_code in (401, 403):
            raise ServerRefuses(f"{self.url} requires a key with the needed permission (RINGTRUE_API_KEY)")
        if not answer.is_success:
            raise ServerFailed(f"{self.url} answered {answer.status_code} to {answer.request.url.path}")
        return answer

    def _read(self, answer: httpx.Response, parse: Callable[[Any], T]) -> T:
        try:
            return parse(answer.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServerFailed(f"{self.url} is not a Ringtrue gateway: {type(error).__name__}: {error}") from error

    def _told(self, condition: str, items: Sequence[Item]) -> Iterator[Item]:
        for done, item in enumerate(items):
            self._tell(condition, done, len(items))
            yield item


def _samples(wav: bytes) -> Audio:
    """Return the audio of a WAV file. Raises `ValueError` if it is not a clip of ours, `wave.Error` and `EOFError` if
    it is not a WAV."""
    with wave.open(io.BytesIO(wav)) as file:
        form = file.getnchannels(), file.getsampwidth()
        audio = Audio(file.readframes(file.getnframes()), file.getframerate())
    least, most = RATES
    if form != (1, BYTES_PER_SAMPLE) or not audio.pcm or not least <= audio.sample_rate <= most:
        raise ValueError("it is not 16-bit mono audio")
    return audio


def _manifest(pins: Sequence[Mapping[str, Any]], pin: str) -> Manifest | None:
    known = {one.name for one in fields(Manifest)}
    for said in pins:
        if said["name"] == pin:
            return Manifest.from_json({"pin": pin, **{name: said[name] for name in known if name in said}})
    return None


def _done(said: Mapping[str, Any]) -> _Done | JobFailure | None:
    """Return what a server says of a finished job; ``None`` while it is not finished."""
    if said["status"] not in _FINISHED:
        return None
    if (audio := said["audio"]) is None:
        error = said["error"] or {"code": FailureCode.TTL_EXPIRED.value, "message": f"the job was {said['status']}"}
        return JobFailure(FailureCode(error["code"]), str(error["message"]))
    timings = said["timings"]
    return _Done(
        used={name: said["input"][name] for name in USED if name in said["input"]},
        pcm_sha256=str(audio["pcm_sha256"]),
        speak_s=float(timings["speak_s"]),
        peak=Amount(float(timings.get("peak_rss_mb", 0.0)), float(timings.get("peak_vram_mb", 0.0))),
    )
