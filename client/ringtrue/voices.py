"""Uploaded voices: their types, the operations on them, and ``voices`` of both clients.

Owns the types and the flows. The owner of the voice must have permitted its use: no voice is added without that
statement.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from ringtrue.http.exchange import IDENTITY, Flow, Request, exchange, id_of, post, read
from ringtrue.jobs import Json

T = TypeVar("T")
PAGE = 100
SLOW_S = 60.0
"""Seconds. A recording takes a while to send and to decode, and others may be ahead of it."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Who permitted the use of the voice, in which words, and when (default: now)."""

    by: str
    text: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def to_json(self) -> dict[str, str]:
        """Return the consent as it is sent. A time without an offset is local time."""
        return {"by": self.by, "at": self.at.astimezone(UTC).isoformat(), "text": self.text}

    @classmethod
    def from_json(cls, data: Json) -> Consent:
        return cls(data["by"], data["text"], datetime.fromisoformat(data["at"]))


@dataclass(frozen=True, slots=True)
class Voice:
    """An uploaded voice. A job's ``reference`` takes its ``id``."""

    id: str
    name: str | None
    pcm_sha256: str
    """Hash of the decoded samples: the same sound has the same hash."""
    sample_rate: int
    duration_s: float
    consent: Consent
    created_at: datetime
    raw: Json = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, data: Json) -> Voice:
        heard = data["recording"]
        return cls(
            id=data["id"],
            name=data["name"],
            pcm_sha256=heard["pcm_sha256"],
            sample_rate=heard["sample_rate"],
            duration_s=heard["duration_s"],
            consent=Consent.from_json(data["consent"]),
            created_at=datetime.fromisoformat(data["created_at"]),
            raw=data,
        )


@dataclass(frozen=True, slots=True)
class VoiceOperations:
    """Every operation as a flow. ``patience_s``: for how many seconds transient failures are tried again."""

    patience_s: float

    def add(self, recording: bytes, consent: Consent, name: str | None, key: str | None) -> Flow[Voice]:
        form = {"consent": json.dumps(consent.to_json(), ensure_ascii=False)} | ({} if name is None else {"name": name})
        upload = post("/v1/voices", key=key, form=form, file=recording, slow_s=SLOW_S)
        answer = yield from exchange(upload, self.patience_s)
        return read(answer, Voice.from_json)

    def all(self) -> Flow[list[Voice]]:
        found: list[Voice] = []
        query: dict[str, str | int] = {"limit": PAGE}
        while True:
            answer = yield from exchange(Request("GET", "/v1/voices", query=query), self.patience_s)
            found += read(answer, lambda data: [Voice.from_json(one) for one in data["data"]])
            cursor: Any = read(answer, lambda data: data["next_cursor"])
            if cursor is None:
                return found
            query["cursor"] = cursor

    def get(self, voice_id: str) -> Flow[Voice]:
        answer = yield from exchange(Request("GET", _path(voice_id)), self.patience_s)
        return read(answer, Voice.from_json)

    def audio(self, voice_id: str) -> Flow[bytes]:
        answer = yield from exchange(Request("GET", _path(voice_id, "/audio"), headers=IDENTITY), self.patience_s)
        return answer.content

    def remove(self, voice_id: str) -> Flow[None]:
        yield from exchange(Request("DELETE", _path(voice_id)), self.patience_s)


class Run(Protocol):
    """Drives a flow to its end."""

    def __call__(self, flow: Flow[T]) -> T: ...


class AsyncRun(Protocol):
    """Drives a flow to its end, for asyncio."""

    def __call__(self, flow: Flow[T]) -> Awaitable[T]: ...


class Voices:
    """``Ringtrue.voices``."""

    def __init__(self, does: VoiceOperations, run: Run) -> None:
        self._does = does
        self._run = run

    def add(
        self,
        recording: str | Path | bytes,
        consent: Consent,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> Voice:
        """Upload a sound file (WAV, FLAC, MP3 or OGG; 0.5 to 60 s) by its path or as bytes, and return its voice."""
        return self._run(self._does.add(_content(recording), consent, name, idempotency_key))

    def all(self) -> list[Voice]:
        """Return every voice of the user, newest first."""
        return self._run(self._does.all())

    def get(self, voice_id: str) -> Voice:
        """Return a voice. Raises `NotFound` (``voice_not_found``) if the user has none with this id."""
        return self._run(self._does.get(voice_id))

    def audio(self, voice: Voice | str) -> bytes:
        """Return the decoded sound of the upload as a WAV file."""
        return self._run(self._does.audio(id_of(voice)))

    def remove(self, voice: Voice | str) -> None:
        """Remove a voice. Jobs that were spoken with it stay."""
        self._run(self._does.remove(id_of(voice)))


class AsyncVoices:
    """``AsyncRingtrue.voices``; `Voices` documents each method."""

    def __init__(self, does: VoiceOperations, run: AsyncRun) -> None:
        self._does = does
        self._run = run

    async def add(
        self,
        recording: str | Path | bytes,
        consent: Consent,
        *,
        name: str | None = None,
        idempotency_key: str | None = None,
    ) -> Voice:
        content = await asyncio.to_thread(_content, recording)
        return await self._run(self._does.add(content, consent, name, idempotency_key))

    async def all(self) -> list[Voice]:
        return await self._run(self._does.all())

    async def get(self, voice_id: str) -> Voice:
        return await self._run(self._does.get(voice_id))

    async def audio(self, voice: Voice | str) -> bytes:
        return await self._run(self._does.audio(id_of(voice)))

    async def remove(self, voice: Voice | str) -> None:
        await self._run(self._does.remove(id_of(voice)))


def _content(recording: str | Path | bytes) -> bytes:
    return recording if isinstance(recording, bytes) else Path(recording).read_bytes()


def _path(voice_id: str, below: str = "") -> str:
    return f"/v1/voices/{quote(voice_id, safe='')}{below}"
