"""Uploaded voices as a dictionary."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from shared.voices import Voice, VoiceShare


class MemoryVoiceStore:
    """Implements ``shared.voices.VoiceStore``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._voices: dict[str, Voice] = {}

    def add(self, voice: Voice, most: VoiceShare | None = None) -> VoiceShare | None:
        with self._lock:
            had = self._had(voice.user)
            if most is not None and not most.takes(voice.recording.duration_s, had):
                return had
            self._voices[voice.id] = voice
            return None

    def had(self, user: str) -> VoiceShare:
        with self._lock:
            return self._had(user)

    def _had(self, user: str) -> VoiceShare:
        seconds = [voice.recording.duration_s for voice in self._voices.values() if voice.user == user]
        return VoiceShare(len(seconds), sum(seconds))

    def find(self, user: str, ids: Iterable[str]) -> dict[str, Voice]:
        with self._lock:
            found = {id_: self._voices[id_] for id_ in ids if id_ in self._voices}
        return {id_: voice for id_, voice in found.items() if voice.user == user}

    def page(self, user: str, limit: int, before: str | None = None) -> list[Voice]:
        with self._lock:
            theirs = [v for v in self._voices.values() if v.user == user and (before is None or v.id < before)]
        return sorted(theirs, key=lambda voice: voice.id, reverse=True)[:limit]

    def remove(self, user: str, voice_id: str) -> Voice | None:
        with self._lock:
            voice = self._voices.get(voice_id)
            return self._voices.pop(voice_id) if voice is not None and voice.user == user else None

    def has_recording(self, pcm_sha256: str) -> bool:
        with self._lock:
            return any(voice.recording.pcm_sha256 == pcm_sha256 for voice in self._voices.values())
