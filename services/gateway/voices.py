"""Uploaded voices: kept, shown, taken away, and found again when a job names one.

Owns that each user has their own, and that a recording is there as long as a voice has it. Knows neither HTTP nor SQL.

Rows and recordings are two stores without a transaction around both. So who adds a voice puts its recording before
the row *and* after it, and who removes the last voice of a recording looks once more when the recording is gone, and
puts it back if somebody has added it meanwhile: whoever is last sees to it that it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping

from shared.audio import Audio
from shared.errors import RefusalCode, Refused
from shared.ports import Blobs
from shared.voices import VOICE_ID, Consent, Recording, Voice, VoiceIds, VoiceStore


class Voices:
    """``recordings``: a place of their own, where nothing of any job lies. For use from one event loop."""

    def __init__(self, store: VoiceStore, recordings: Blobs, clock: Callable[[], float]) -> None:
        self._store = store
        self._recordings = recordings
        self._clock = clock
        self._ids = VoiceIds()

    async def add(self, user: str, name: str | None, consent: Consent, audio: Audio) -> Voice:
        """A new voice, on disk when this returns."""
        return await asyncio.to_thread(self._add, user, name, consent, audio)

    async def of(self, user: str, voice_id: str) -> Voice:
        """One of the user's voices. Another user's is ``voice_not_found``: that it exists is not theirs to know."""
        found = await self._find(user, [voice_id])
        if voice_id not in found:
            raise _not_found(voice_id)
        return found[voice_id]

    async def page(self, user: str, limit: int, before: str | None) -> list[Voice]:
        """The user's voices, newest first."""
        return await asyncio.to_thread(self._store.page, user, limit, before)

    async def named(self, user: str, bodies: Iterable[object]) -> Mapping[str, Voice]:
        """Those of the user's voices that submissions name, by id. ``bodies``: as they came."""
        return await self._find(user, {voice_id for body in bodies for voice_id in _named(body)})

    async def sound(self, voice: Voice) -> Audio:
        """What was uploaded, as it is kept."""
        try:
            pcm = await asyncio.to_thread(self._recordings.get, voice.recording.pcm_sha256)
        except KeyError:  # removed between two looks
            raise _not_found(voice.id) from None
        return Audio(pcm, voice.recording.sample_rate)

    async def remove(self, user: str, voice_id: str) -> None:
        """Forget a voice, and its recording unless another voice has it."""
        if VOICE_ID.fullmatch(voice_id) is None or not await asyncio.to_thread(self._remove, user, voice_id):
            raise _not_found(voice_id)

    async def _find(self, user: str, ids: Iterable[str]) -> Mapping[str, Voice]:
        wanted = [voice_id for voice_id in ids if VOICE_ID.fullmatch(voice_id)]
        return await asyncio.to_thread(self._store.find, user, wanted) if wanted else {}

    def _add(self, user: str, name: str | None, consent: Consent, audio: Audio) -> Voice:
        recording = Recording(self._recordings.put(audio.pcm), audio.sample_rate, audio.duration_s)
        voice = Voice(self._ids.next(), user, name, recording, consent, self._clock())
        self._store.add(voice)
        self._recordings.put(audio.pcm)
        return voice

    def _remove(self, user: str, voice_id: str) -> bool:
        voice = self._store.remove(user, voice_id)
        if voice is None:
            return False
        sha256 = voice.recording.pcm_sha256
        if not self._store.has_recording(sha256):
            with contextlib.suppress(KeyError):  # somebody else is removing it just now
                pcm = self._recordings.get(sha256)
                self._recordings.delete(sha256)
                if self._store.has_recording(sha256):
                    self._recordings.put(pcm)
        return True


def _named(body: object) -> Iterator[str]:
    """What a submission, not looked at yet, names as uploaded voices."""
    if isinstance(body, dict):
        felt = body.get("emotion")
        named = (body.get("reference"), felt.get("audio") if isinstance(felt, dict) else None)
        yield from (voice_id for voice_id in named if isinstance(voice_id, str))


def _not_found(voice_id: str) -> Refused:
    return Refused(RefusalCode.VOICE_NOT_FOUND, f"there is no uploaded voice {voice_id[:40]}")
