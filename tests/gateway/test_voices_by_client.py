"""The client's voices and the gateway's are the same ones."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import soundfile  # type: ignore[import-untyped]

from ringtrue import AsyncRingtrue, Consent, InvalidRequest, NotFound
from services.gateway.app import create_app
from tests.gateway.place import opened
from tests.gateway.uploads import CLONER, recorded, voiced

pytestmark = pytest.mark.anyio
CONSENT = Consent("Ann Example", "我同意使用我的声音。")
SPOKEN = recorded((voiced() * 32767).astype("<i2"))


class LosesFirstAnswer(httpx.AsyncBaseTransport):
    """A connection that breaks once, when the gateway has done its work."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.lost = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if not self.lost:
            self.lost = True
            raise httpx.ReadError("cut")
        return answer


@pytest.fixture
async def ringtrue(tmp_path: Path) -> AsyncIterator[AsyncRingtrue]:
    """A client of a gateway with a pin that speaks with uploaded voices."""
    async with opened(tmp_path) as place:
        place.store.publish("worker", [CLONER], time.time())
        transport = httpx.ASGITransport(create_app(place.gateway), raise_app_exceptions=False)
        async with AsyncRingtrue("http://127.0.0.1", transport=transport) as ringtrue:
            yield ringtrue


async def test_a_voice_is_uploaded_listed_heard_and_spoken_with(ringtrue: AsyncRingtrue) -> None:
    voice = await ringtrue.voices.add(SPOKEN, CONSENT, name="Ann, quiet")
    assert (voice.name, voice.sample_rate, voice.duration_s) == ("Ann, quiet", 16_000, 1.0)
    assert (voice.consent.by, voice.consent.text) == (CONSENT.by, CONSENT.text)
    assert await ringtrue.voices.all() == [voice]
    assert await ringtrue.voices.get(voice.id) == voice
    samples, _ = soundfile.read(io.BytesIO(await ringtrue.voices.audio(voice)), dtype="int16")
    assert samples.tobytes() == SPOKEN[44:]
    job = await ringtrue.submit("Hello.", pin=CLONER.pin, reference=voice.id)
    assert job.raw["input"]["recordings"][voice.id]["pcm_sha256"] == voice.pcm_sha256


async def test_an_upload_whose_answer_was_lost_is_one_voice(tmp_path: Path) -> None:
    async with opened(tmp_path) as place:
        breaking = LosesFirstAnswer(httpx.ASGITransport(create_app(place.gateway)))
        async with AsyncRingtrue("http://127.0.0.1", transport=breaking) as ringtrue:
            voice = await ringtrue.voices.add(SPOKEN, CONSENT)
            assert breaking.lost
            assert await ringtrue.voices.all() == [voice]


async def test_a_voice_that_was_taken_back_is_not_found(ringtrue: AsyncRingtrue) -> None:
    voice = await ringtrue.voices.add(SPOKEN, CONSENT)
    await ringtrue.voices.remove(voice)
    with pytest.raises(NotFound):
        await ringtrue.voices.get(voice.id)


async def test_a_file_that_is_no_voice_is_an_invalid_request(ringtrue: AsyncRingtrue) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await ringtrue.voices.add(b"hello", CONSENT)
    assert refused.value.errors[0].pointer == "/file"
