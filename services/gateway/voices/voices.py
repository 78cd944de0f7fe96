"""Uploaded voices: stored, shown, removed, and found when a job names one.

Owns that each user has their own voices, and that a recording is kept as long as a voice has it. Knows neither HTTP nor
SQL.

Rows and recordings are in two stores, without a transaction around both. So adding a voice writes its recording before
the row *and* after it. Removing the last voice of a recording checks once more after the recording is deleted, and
writes it back if another upload has added it meanwhile. Whoever is last makes sure that it is there.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from services.gateway.sharing.pools import Pools
from shared.audio import Audio
from shared.errors import RefusalCode, Refused
from shared.ports import Blobs
from shared.voices import VOICE_ID, Consent, Recording, Voice, VoiceIds, VoiceShare, VoiceStore

RESERVE_BYTES = 512 << 20
"""Bytes of the recordings' disk that are kept free for what is being spoken. With less, no upload is taken."""
_LATER_S = 60
_MUCH_LATER_S = 3600
"""Waiting does not help when a quota is used up: only removing a voice makes room."""


class VoiceRoom(NamedTuple):
    """The room for uploads. ``most``: voices and seconds of each user. ``free_bytes``: on the disk with the
    recordings."""

    most: VoiceShare = VoiceShare()
    free_bytes: Callable[[], float] = lambda: math.inf


class UploadedVoices:
    """The uploaded voices of all users. ``recordings``: a store that holds nothing of any job. For use from one event
    loop."""

    def __init__(
        self,
        store: VoiceStore,
        lists: VoiceStore,
        recordings: Blobs,
        clock: Callable[[], float],
        pools: Pools,
        room: VoiceRoom | None = None,
    ) -> None:
        self._most, self._free_bytes = room or VoiceRoom()
        self._store, self._lists = store, lists
        self._asking, self._files = pools.asking, pools.files
        self._recordings = recordings
        self._clock = clock
        self._ids = VoiceIds(clock)

    async def add(self, user: str, name: str | None, consent: Consent, audio: Audio) -> Voice:
        """Add a voice. Return it when it is on disk. Raises `Refused` if the user's quota or the disk is full."""
        return await self._asking.run(user, lambda: self._add(user, name, consent, audio))

    async def require_room(self, user: str) -> None:
        """Raise `Refused` if not even the shortest voice could be added. Asked before an upload is read and decoded."""
        await self._asking.run(user, lambda: self._require_room(user, 0.0))

    async def of(self, user: str, voice_id: str) -> Voice:
        """Return one of the user's voices.

        Raises `Refused` (`voice_not_found`) also for another user's voice: a user must not learn that it exists."""
        found = await self._find(user, [voice_id])
        if voice_id not in found:
            raise _not_found(voice_id)
        return found[voice_id]

    def page(self, user: str, limit: int, before: str | None) -> list[Voice]:
        """Return up to ``limit`` voices of the user, newest first, from before the id ``before``. Blocks."""
        return self._lists.page(user, limit, before)

    async def named(self, user: str, bodies: Iterable[object]) -> Mapping[str, Voice]:
        """Return, by id, the user's voices that submissions name. ``bodies``: the submissions as they came."""
        return await self._find(user, {voice_id for body in bodies for voice_id in _named(body)})

    async def sound(self, voice: Voice) -> Audio:
        """Return the audio of a voice as it is stored. Raises `Refused` if it was removed."""
        try:
            pcm = await self._files.run(voice.user, lambda: self._recordings.get(voice.recording.pcm_sha256))
        except KeyError:  # removed since the row was read
            raise _not_found(voice.id) from None
        return Audio(pcm, voice.recording.sample_rate)

    async def remove(self, user: str, voice_id: str) -> None:
        """Remove a voice, and its recording unless another voice has it. Raises `Refused` if the user has no such
        voice."""
        known = VOICE_ID.fullmatch(voice_id) is not None
        if not known or not await self._asking.run(user, lambda: self._remove(user, voice_id)):
            raise _not_found(voice_id)

    async def _find(self, user: str, ids: Iterable[str]) -> Mapping[str, Voice]:
        wanted = [voice_id for voice_id in ids if VOICE_ID.fullmatch(voice_id)]
        return await self._asking.run(user, lambda: self._store.find(user, wanted)) if wanted else {}

    def _add(self, user: str, name: str | None, consent: Consent, audio: Audio) -> Voice:
        self._require_room(user, audio.duration_s)
        recording = Recording(self._recordings.put(audio.pcm), audio.sample_rate, audio.duration_s)
        voice = Voice(self._ids.next(), user, name, recording, consent, self._clock())
        if (had := self._store.add(voice, self._most)) is not None:  # another upload took the room meanwhile
            self._forget(recording.pcm_sha256)
            raise self._used_up(had, audio.duration_s)
        # Again: a removal may have deleted the recording before the row was there (see the module).
        self._recordings.put(audio.pcm)
        return voice

    def _require_room(self, user: str, seconds: float) -> None:
        if (free := self._free_bytes()) < RESERVE_BYTES:
            detail = f"only {int(free) >> 20} MiB are free for recordings; {RESERVE_BYTES >> 20} MiB are required"
            raise Refused(RefusalCode.STORE_UNAVAILABLE, detail, retry_after_s=_LATER_S)
        if not self._most.takes(seconds, had := self._store.had(user)):
            raise self._used_up(had, seconds)

    def _used_up(self, had: VoiceShare, seconds: float) -> Refused:
        detail = (
            f"you have {had.voices} voices of {had.seconds / 60:.1f} minutes in total, and {seconds:.1f} s more would"
            f" exceed {self._most.voices} voices or {self._most.seconds / 60:g} minutes. Remove a voice first"
        )
        return Refused(RefusalCode.QUOTA_EXCEEDED, detail, retry_after_s=_MUCH_LATER_S)

    def _remove(self, user: str, voice_id: str) -> bool:
        voice = self._store.remove(user, voice_id)
        if voice is None:
            return False
        self._forget(voice.recording.pcm_sha256)
        return True

    def _forget(self, sha256: str) -> None:
        """Delete a recording, unless a voice has it."""
        if not self._store.has_recording(sha256):
            with contextlib.suppress(KeyError):  # another request is removing it
                pcm = self._recordings.get(sha256)
                self._recordings.delete(sha256)
                if self._store.has_recording(sha256):
                    self._recordings.put(pcm)


def _named(body: object) -> Iterator[str]:
    """Yield the ids of uploaded voices that a submission names. The submission is not checked yet."""
    if isinstance(body, dict):
        felt = body.get("emotion")
        named = (body.get("reference"), felt.get("audio") if isinstance(felt, dict) else None)
        yield from (voice_id for voice_id in named if isinstance(voice_id, str))


def _not_found(voice_id: str) -> Refused:
    return Refused(RefusalCode.VOICE_NOT_FOUND, f"there is no uploaded voice {voice_id[:40]}")
