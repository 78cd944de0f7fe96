"""A small gateway for the client's tests: the contract's jobs over real HTTP, and faults on demand.

It speaks the contract, does nothing, and keeps what was sent to it. What a text says decides what becomes of its job:
"crash" fails, "forever" never ends, an empty text and an unknown pin are refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

ALIAS = "espeak@production"
VOICE = {
    "id": "voice_1", "name": "Ann, quiet", "created_at": "2025-01-31T12:00:00.000Z",
    "recording": {"pcm_sha256": "ef" * 32, "sample_rate": 16000, "duration_s": 1.5},
    "consent": {"by": "Ann Example", "at": "2025-01-30T12:00:00.000Z", "text": "yes"},
}  # fmt: skip
PIN = {
    "name": "espeak-v2",
    "object": "pin",
    "engine": "espeak",
    "engine_version": "1.52",
    "lock_sha256": "ab" * 32,
    "sample_rate": 22050,
    "languages": ["en", "cmn"],
    "emotions": ["neutral", "happy"],
    "controls": {"emotion": "native", "seed": "no_effect"},
    "state": "ready",
    "live": True,
    "aliases": [{"alias": ALIAS, "since": "2025-01-31T12:00:00.000Z", "by": "ann", "reason": "first"}],
}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request. ``drop``: cut the connection before or after the work is done."""

    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: Literal["before", "after"] | None = None
    delay_s: float = 0.0


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    at: float


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


def problem(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"type": f"/problems/{code}", "title": code, "status": status, "detail": detail, "code": code,
            "request_id": "req_1", **more}  # fmt: skip


def refusal(document: dict[str, Any], headers: Mapping[str, str] | None = None) -> Fault:
    """A problem document as a fault."""
    content = {"Content-Type": "application/problem+json", **(headers or {})}
    return Fault(document["status"], json.dumps(document).encode(), content)


def wav_of(text: str) -> tuple[bytes, bytes]:
    """A WAV file with a LIST chunk before its samples, and the samples."""
    pcm = hashlib.sha256(text.encode()).digest() * 20
    notes = b"INFOICMT" + struct.pack("<I", 17) + b"synthetic speech\0\0"
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 22050, 44100, 2, 16)
    body = head + b"LIST" + struct.pack("<I", len(notes)) + notes + b"data" + struct.pack("<I", len(pcm)) + pcm
    return b"RIFF" + struct.pack("<I", len(body)) + body, pcm


@dataclass
class FakeJob:
    id: str
    asked: dict[str, Any]
    created: float
    canceled: bool = False


class FakeGateway:
    """Serves on a free port of this machine between ``start`` and ``stop``. ``*_s``: how long each stage takes."""

    def __init__(self, *, key: str | None = None, speak_s: float = 0.0, score_s: float = 0.0, track_s: float = 0.0):
        self.key = key
        self.speak_s, self.score_s, self.track_s = speak_s, score_s, track_s
        self.jobs: dict[str, FakeJob] = {}
        self.seen: list[Seen] = []
        self.pins = [PIN]
        self.corrupt: Callable[[bytes], bytes] = lambda wav: wav
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._remembered: dict[str, tuple[Any, Answer]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> FakeGateway:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def has(self, text: str) -> str:
        """A job that somebody submitted before; gives its id."""
        return str(self._take({"text": text, "pin": PIN["name"]})["id"])

    def fault(self, request: str, *faults: Fault) -> None:
        """What goes wrong with the next requests of the form ``METHOD /path``, one after the other."""
        self._faults[request].extend(faults)

    def requests(self, request: str) -> list[Seen]:
        """What came of the form ``METHOD /path``."""
        return [one for one in self.seen if f"{one.method} {one.path}" == request]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Tests read `seen`."""

            def _serve(self) -> None:
                where = urlsplit(self.path)
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen = Seen(
                    self.command, where.path, dict(parse_qsl(where.query)), dict(self.headers.items()),
                    json.loads(content) if content[:1] in (b"{", b"[") else content or None, time.monotonic(),
                )  # fmt: skip
                answer = gateway.answer(seen)
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_DELETE = _serve

        return Handler

    def answer(self, seen: Seen) -> Answer | None:
        """The answer, or None where the connection is to be cut."""
        self.seen.append(seen)
        faults = self._faults[f"{seen.method} {seen.path}"]
        fault = faults.popleft() if faults else Fault()
        time.sleep(fault.delay_s)
        if fault.drop == "before":
            return None
        if fault.status is not None:
            return Answer(fault.status, fault.body, dict(fault.headers))
        if self.key and seen.headers.get("Authorization") != f"Bearer {self.key}":
            return _json(problem(401, "key_invalid", "this key is unknown"))
        answer = self._once(seen)
        return None if fault.drop == "after" else answer

    def _once(self, seen: Seen) -> Answer:
        key = seen.headers.get("Idempotency-Key")
        if seen.method != "POST" or key is None:
            return self._route(seen)
        with self._lock:
            if key not in self._remembered:
                self._remembered[key] = (seen.body, self._route(seen))
            body, answer = self._remembered[key]
        return answer if body == seen.body else _json(problem(422, "idempotency_mismatch", "another body"))

    def _route(self, seen: Seen) -> Answer:
        match seen.method, seen.path.removeprefix("/v1/").split("/"):
            case "GET", ["pins"]:
                return _json({"object": "list", "data": self.pins})
            case "POST", ["voices"]:
                return _json(VOICE, 201)
            case "GET", ["voices"]:
                return _json({"data": [VOICE], "next_cursor": None if "cursor" in seen.query else "voice_2"})
            case "DELETE", ["voices", voice_id]:
                gone = voice_id == VOICE["id"]
                return Answer(204, b"") if gone else _json(problem(404, "voice_not_found", "no such voice"))
            case "POST", ["jobs"]:
                refused_or_job = self._take(seen.body)
                return _json(refused_or_job, 202 if "id" in refused_or_job else None)
            case "POST", ["jobs:batch"]:
                return _json({"object": "list", "data": [self._item(i, b) for i, b in enumerate(seen.body["jobs"])]})
            case "GET", ["jobs"]:
                return _json(self._page(seen.query))
            case _, ["jobs", job_id, *below] if job_id in self.jobs:
                return self._of_job(self.jobs[job_id], below, seen)
            case _, ["jobs", *_]:
                return _json(problem(404, "job_not_found", "there is no such job"))
        return _json(problem(404, "not_found", "there is nothing here"))

    def _take(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not asked["text"]:
            errors = [{"pointer": "/text", "detail": "there is nothing to speak"}]
            return problem(400, "text_empty", "there is nothing to speak", errors=errors)
        if asked["pin"] not in (PIN["name"], ALIAS):
            return problem(404, "pin_unknown", f"no pin {asked['pin']}")
        job = FakeJob(f"job_{len(self.jobs) + 1:04}", asked, time.time())
        self.jobs[job.id] = job
        return self.document(job)

    def _item(self, index: int, asked: dict[str, Any]) -> dict[str, Any]:
        taken = self._take(asked)
        return {"index": index, "job" if "id" in taken else "problem": taken}

    def _page(self, query: Mapping[str, str]) -> dict[str, Any]:
        newest_first = sorted(self.jobs.values(), key=lambda job: job.id, reverse=True)
        known = [self.document(job) for job in newest_first if job.id < query.get("cursor", "job_9999")]
        known = [one for one in known if one["status"] == query.get("status", one["status"])]
        page = known[: min(2, int(query["limit"]))]  # small, so that tests see several
        more = len(known) > len(page)
        return {"object": "list", "data": page, "has_more": more, "next_cursor": page[-1]["id"] if more else None}

    def _of_job(self, job: FakeJob, below: list[str], seen: Seen) -> Answer:
        if below == ["cancel"]:
            job.canceled = job.canceled or self.document(job)["status"] == "queued"
            return _json(self.document(job))
        if below == ["audio"]:
            return self._audio(job)
        until = time.monotonic() + int(seen.query.get("wait", 0))
        while time.monotonic() < until and not self.document(job)["completed_at"]:
            time.sleep(0.01)
        return _json({k: v for k, v in self.document(job).items() if v is not None or k in ("error", "audio")})

    def _audio(self, job: FakeJob) -> Answer:
        if self.document(job)["status"] != "succeeded":
            return _json(problem(404, "audio_not_ready", "there is no audio"))
        wav, _ = wav_of(job.asked["text"])
        digest = base64.b64encode(hashlib.sha256(wav).digest()).decode()
        headers = {"Content-Type": "audio/wav", "Content-Digest": f"sha-256=:{digest}:"}
        return Answer(200, self.corrupt(wav), headers)

    def document(self, job: FakeJob) -> dict[str, Any]:
        """The job of the contract, as far as time has brought it."""
        age, spoken = time.time() - job.created, self.speak_s
        scored = spoken + self.score_s
        status = "queued" if age < spoken or job.asked["text"] == "forever" else "succeeded"
        status = "failed" if status == "succeeded" and job.asked["text"] == "crash" else status
        status = "canceled" if job.canceled else status
        heard, over = status == "succeeded", status != "queued"
        _, pcm = wav_of(job.asked["text"])
        path = f"/v1/jobs/{job.id}"
        scores = {"mos/nisqa": {"value": 3.97, "unit": "MOS", "scorer_lock": "cd" * 32},
                  "semantic/similarity": {"value": 0.9, "unit": "1", "scorer_lock": "cd" * 32},
                  "asr/wer": {"unscored": "language_not_covered"}}  # fmt: skip
        scoring = ("done" if age >= scored else "running") if heard else "skipped" if over else "pending"
        tracking = "done" if over and age >= scored + self.track_s else "pending"
        return {
            "id": job.id, "object": "job", "status": status, "of_tomorrow": {"unknown": "member"},
            "error": {"code": "engine_crashed", "message": "the engine ended"} if status == "failed" else None,
            "pin": {name: PIN[name] for name in ("name", "engine", "lock_sha256")}
            | ({"alias": ALIAS} if job.asked["pin"] == ALIAS else {}),
            "input": {"language": "en", **{k: v for k, v in job.asked.items() if k not in ("pin", "metadata")}},
            "controls": {"emotion": "native"}, "attempt": int(over),
            "queue_position": None if over else 1,
            "audio": {"url": f"{path}/audio", "pcm_sha256": hashlib.sha256(pcm).hexdigest(), "sample_rate": 22050,
                      "duration_s": 4.05, "channels": 1, "pieces": []} if heard else None,
            "scoring": {"status": scoring, **({"scores": scores} if scoring == "done" else {})},
            "tracking": {"status": tracking, **({"run_id": "r1", "url": "http://m/r1"} if tracking == "done" else {})},
            "timings": {"queue_s": 0.02}, "metadata": job.asked.get("metadata", {}),
            "created_at": _rfc3339(job.created),
            "started_at": _rfc3339(job.created) if over and not job.canceled else None,
            "completed_at": _rfc3339(job.created + spoken) if over else None,
            "links": {"self": path, "audio": f"{path}/audio"},
        }  # fmt: skip


def _rfc3339(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(document: Any, status: int | None = None) -> Answer:
    if status is None and "code" in document and "title" in document:
        return Answer(document["status"], json.dumps(document).encode(), {"Content-Type": "application/problem+json"})
    return Answer(status or 200, json.dumps(document, ensure_ascii=False).encode())
