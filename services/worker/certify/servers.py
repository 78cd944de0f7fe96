"""A pin spoken by a server: jobs by POST, audio by GET.

Owns the little HTTP that takes. What a server has in memory is its own affair: nothing is known to be cold. Knows no
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

from services.worker.certify.conditions import LOADED, REFERENCE, WARM, Heard, Recital, Result, Tell
from services.worker.certify.fingerprint import RATES
from services.worker.certify.items import USED, asked
from services.worker.memory.amounts import Amount
from shared.audio import BYTES_PER_SAMPLE, Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, JobFailure, RingtrueError
from shared.suites.suite import Item

T = TypeVar("T")
PATIENCE_S = 600.0
"""With one job, from when it is its turn to be waited for; others may have been ahead of it."""
WAIT_S = 30
"""A server may hold an answer back for so long until the job is done."""
_SLACK_S = 30.0
_BUSY = (429, 503)
"""A gateway that says so says when to come again, too; who does not is something in between, with nobody behind it."""
_PAUSE_S = (0.1, 10.0)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FINISHED = ("succeeded", "failed", "canceled", "expired")


class ServerFailed(RingtrueError):
    """A server that does not answer, or answers what it should not."""


class ServerRefuses(RingtrueError):
    """A server that does not let us: the key is missing, wrong or not for this."""


class PinNotThere(RingtrueError):
    """A server that has no such pin."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job on its way."""

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
    """A gateway at ``url``. For one thread; to be used as a context. Raises `ServerFailed` where it is no address."""

    def __init__(self, url: str, key: str | None, tell: Tell) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            # A server on this machine is not behind the proxy that the environment names.
            near = httpx.URL(self.url).host in _LOOPBACK
            self._http = httpx.Client(base_url=self.url, headers=headers, timeout=WAIT_S + _SLACK_S, trust_env=not near)
        except httpx.InvalidURL as error:
            raise ServerFailed(f"{self.url} is no address: {error}") from error
        self._tell = tell
        self._run = uuid.uuid4().hex

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def manifest(self, pin: str) -> Manifest:
        """What the pin can do there. Raises `PinNotThere`, `ServerRefuses`, `ServerFailed`."""
        found = self._read(self._answered("GET", "/v1/pins"), lambda said: _manifest(said["data"], pin))
        if found is None:
            raise PinNotThere(f"{self.url} has no pin {pin}")
        return found

    def recite(self, pin: str, items: Sequence[Item], seed: int, repeats: int) -> tuple[Recital, dict[str, Any]]:
        """Speak ``items`` one after another, again, and all at once; and what each was spoken as, by its id."""
        recital, used = Recital(), dict[str, Any]()
        for item in self._told(REFERENCE, items):
            recital.keep(REFERENCE, item.id, self._spoken(pin, item, seed, used))
        spoken = [item for item in items if recital.has(item.id)]
        for _ in range(repeats):
            for item in self._told(WARM, spoken):
                recital.keep(WARM, item.id, self._spoken(pin, item, seed, used))
        under_way = [self._submitted(pin, item, seed) for item in spoken]
        for item, job in zip(self._told(LOADED, spoken), under_way, strict=True):
            recital.keep(LOADED, item.id, job if isinstance(job, JobFailure) else self._fetched(item, job, used))
        return recital, used

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
        return Heard(audio, time.monotonic() - job.at, done.speak_s, done.peak)

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
            raise ServerFailed(f"{self.url} sent no WAV for {job.id}: {error}") from error
        if audio.sha256 != pcm_sha256:
            raise ServerFailed(f"{self.url} sent other samples for {job.id} than it says")
        return audio

    def _answered(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._checked(self._sent(method, path, **more))

    def _sent(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Raises `ServerFailed` where nobody answers; a server that is busy is asked again when it says."""
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
            raise ServerRefuses(f"{self.url} asks for a key (RINGTRUE_API_KEY) that may do this")
        if not answer.is_success:
            raise ServerFailed(f"{self.url} answered {answer.status_code} to {answer.request.url.path}")
        return answer

    def _read(self, answer: httpx.Response, parse: Callable[[Any], T]) -> T:
        try:
            return parse(answer.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServerFailed(f"{self.url} is no gateway of ours: {type(error).__name__}: {error}") from error

    def _told(self, condition: str, items: Sequence[Item]) -> Iterator[Item]:
        for done, item in enumerate(items):
            self._tell(condition, done, len(items))
            yield item


def _samples(wav: bytes) -> Audio:
    """Raises `ValueError` where the file is no clip of ours, `wave.Error` and `EOFError` where it is no WAV."""
    with wave.open(io.BytesIO(wav)) as file:
        form = file.getnchannels(), file.getsampwidth()
        audio = Audio(file.readframes(file.getnframes()), file.getframerate())
    least, most = RATES
    if form != (1, BYTES_PER_SAMPLE) or not audio.pcm or not least <= audio.sample_rate <= most:
        raise ValueError("it is not mono speech in 16 bits")
    return audio


def _manifest(pins: Sequence[Mapping[str, Any]], pin: str) -> Manifest | None:
    known = {one.name for one in fields(Manifest)}
    for said in pins:
        if said["name"] == pin:
            return Manifest.from_json({"pin": pin, **{name: said[name] for name in known if name in said}})
    return None


def _done(said: Mapping[str, Any]) -> _Done | JobFailure | None:
    """``None`` while it is not finished."""
    if said["status"] not in _FINISHED:
        return None
    if (audio := said["audio"]) is None:
        error = said["error"] or {"code": FailureCode.TTL_EXPIRED.value, "message": f"the job is {said['status']}"}
        return JobFailure(FailureCode(error["code"]), str(error["message"]))
    timings = said["timings"]
    return _Done(
        used={name: said["input"][name] for name in USED if name in said["input"]},
        pcm_sha256=str(audio["pcm_sha256"]),
        speak_s=float(timings["speak_s"]),
        peak=Amount(float(timings.get("peak_rss_mb", 0.0)), float(timings.get("peak_vram_mb", 0.0))),
    )
