"""A gateway over fakes of its ports, spoken to through ASGI, and a hand that does a worker's work."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services.gateway.app import assemble, create_app
from services.gateway.deps import Gateway
from services.gateway.http.errors import PROBLEMS
from services.gateway.keys import new_key
from services.gateway.openapi.answer_schemas import ProblemDocument
from shared.blobs.folder import FolderBlobs
from shared.catalog import Manifest, Support
from shared.errors import StoreUnavailable
from shared.jobs import Job, Piece, Spoken
from shared.ports import FacetName, Result
from shared.scores import Scored
from tests.memory_store import MemoryAliasStore, MemoryJobStore, MemoryStudyStore, MemoryVoiceStore
from tests.memory_store.keys import MemoryKeyStore

RATE = 22_050
RICH = Manifest(
    pin="rich-v1",
    engine="rich",
    engine_version="1.0",
    lock_sha256="ab" * 32,
    sample_rate=RATE,
    languages=("en", "zh", "zh-yue"),
    default_language="en",
    voices=("anna", "ben"),
    voice_pattern=r"[a-z]+\+f[0-9]",
    default_voice="anna",
    controls={
        "emotion": Support.NATIVE,
        "strength": Support.NATIVE,
        "emotion_vector": Support.NATIVE,
        "speed": Support.NATIVE,
        "pitch_scale": Support.POST,
        "seed": Support.NO_EFFECT,
        "sample_rate": Support.POST,
    },
    emotions=("neutral", "happy", "rich:smug"),
    options_schema={
        "type": "object",
        "properties": {
            "gap_ms": {"type": "integer", "minimum": 0, "maximum": 500, "default": 10},
            "style": {"type": "string", "enum": ["calm", "brisk"]},
        },
        "additionalProperties": False,
    },
)
BARE = Manifest(
    pin="bare-v1",
    engine="bare",
    engine_version="1.0",
    lock_sha256="cd" * 32,
    sample_rate=16_000,
    languages=("en",),
    default_language="en",
    voices=(),
    controls={},
    emotions=(),
)
SENTENCE = {"text": "The evening sun is warm.", "pin": RICH.pin}


class SilentWakeUps:
    """Wake-ups that remember that they were sent, and how many jobs were in the store by then. Wakes once
    ``may_ring``."""

    def __init__(self, store: MemoryJobStore) -> None:
        self._store = store
        self.woken: list[str] = []
        self.queued_when_rung: list[int] = []
        self.may_ring = threading.Event()
        self.may_ring.set()

    def wake_engine(self, family: str) -> None:
        assert self.may_ring.wait(10)
        self.woken.append(family)
        self.queued_when_rung.append(sum(self._store.waiting(time.time()).families.values()))

    def wake_scoring(self) -> None:
        self.woken.append("scorer")

    def wake_tracking(self) -> None:
        self.woken.append("tracker")

    def wake_analysis(self) -> None:
        self.woken.append("judge")


@dataclass
class Place:
    """A running gateway and everything around it. ``http`` speaks as the local user."""

    gateway: Gateway
    http: httpx.AsyncClient
    store: MemoryJobStore
    keys: MemoryKeyStore
    aliases: MemoryAliasStore
    wake_ups: SilentWakeUps
    blobs: FolderBlobs
    recordings: FolderBlobs
    studies: MemoryStudyStore

    async def submit(self, **changes: Any) -> dict[str, Any]:
        """A job, accepted."""
        answer = await self.http.post("/v1/jobs", json={**SENTENCE, **changes})
        assert answer.status_code == 202, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def begin(self) -> Job:
        """What a worker does first: claim the next job."""
        (job,) = self.store.claim("worker", [RICH.pin, BARE.pin], [], 60.0, time.time())
        assert self.store.begin(job.id, job.attempt)
        return job

    def speak(self, pcm: bytes = b"\x01\x02" * RATE, batch: tuple[str, ...] = ()) -> Job:
        """Claim the next job and finish it with ``pcm``, spoken in one go with the jobs of ``batch``."""
        return self.finish(self.begin(), pcm, batch)

    def finish(self, job: Job, pcm: bytes = b"\x01\x02" * RATE, batch: tuple[str, ...] = ()) -> Job:
        """Finish a job that was begun."""
        seconds = len(pcm) / 2 / RATE
        audio = Spoken(self.blobs.put(pcm), seconds, RATE, 1, (Piece(job.input.text, 0.0, seconds),), batch)
        self.store.finish(job.id, job.attempt, Result(audio, {"queue_s": 0.1, "speak_s": 0.2}, "env"), time.time())
        return self.store.get([job.id])[job.id]

    def track(self) -> None:
        """Claim the one job that is to be tracked and finish its tracking."""
        (job,) = self.store.claim_facet(FacetName.TRACKING, "scorer", 60.0, time.time())
        assert self.store.finish_tracking(job.id, job.tracking.attempt, "run-1", "http://mlflow/run-1")

    def score(self, **scores: Scored) -> None:
        """Claim the one job that is to be scored and finish its scoring; names take ``__`` for a slash."""
        (job,) = self.store.claim_facet(FacetName.SCORING, "scorer", 60.0, time.time())
        named = {name.replace("__", "/"): score for name, score in scores.items()}
        assert self.store.finish_scoring(job.id, job.scoring.attempt, named, "ef" * 32, 0.9)

    def user(self, name: str, expires_at: float | None = None) -> dict[str, str]:
        """Headers of a user with a key of their own."""
        key, text = new_key(name, time.time(), expires_at)
        self.keys.add(key)
        return {"Authorization": f"Bearer {text}"}


@asynccontextmanager
async def opened(folder: Path, store: MemoryJobStore | None = None, **arguments: Any) -> AsyncIterator[Place]:
    """A gateway with its files in ``folder``; further arguments are `assemble`'s."""
    store, keys, blobs = store or MemoryJobStore(), MemoryKeyStore(), FolderBlobs(folder / "blobs")
    aliases = MemoryAliasStore()
    store.publish("worker", [RICH, BARE], time.time())
    wake_ups = SilentWakeUps(store)
    voices, recordings = MemoryVoiceStore(), FolderBlobs(folder / "recordings")
    studies = MemoryStudyStore(store)
    arguments = {"open_to_local": True, "studies": studies, "voices": voices, "recordings": recordings, **arguments}
    gateway = assemble(store, keys, aliases, wake_ups, blobs, **arguments)
    transport = httpx.ASGITransport(create_app(gateway), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        yield Place(gateway, http, store, keys, aliases, wake_ups, blobs, recordings, studies)
    gateway.close()


class StoreAway(MemoryJobStore):
    """A store that knows its pins and loses its disk."""

    def add(self, submissions: Any) -> list[bool]:
        raise StoreUnavailable("disk gone")

    def get(self, ids: Any) -> dict[str, Job]:
        raise StoreUnavailable("disk gone")


class StoreBroken(MemoryJobStore):
    """A store with a bug."""

    def add(self, submissions: Any) -> list[bool]:
        raise RuntimeError("secret detail")


def refused(answer: httpx.Response, code: str) -> ProblemDocument:
    """The problem in an answer, which is as documented and has this code."""
    problem = ProblemDocument.model_validate_json(answer.content)
    assert problem.code == code, problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == problem.status == PROBLEMS[problem.code].status
    assert problem.type == "/problems/" + code.replace("_", "-")
    assert problem.instance == answer.request.url.path
    assert answer.headers["x-request-id"] == problem.request_id
    if problem.status in (429, 503):
        assert int(answer.headers["retry-after"]) == problem.retry_after
    if problem.status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "Traceback" not in answer.text
    return problem
