"""Uploaded voices: recordings that jobs speak with, and the consent that each came with.

Owns their words, what may be uploaded, and the door to where they are kept. Knows neither codec nor HTTP nor SQL. A
recording is its samples: two uploads of the same sound are two voices with one recording.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from shared.ids import ULID_PATTERN, Ids

MAX_FILE_BYTES = 20 << 20
SHORTEST_S, LONGEST_S = 0.5, 60.0
FORMATS = ("WAV", "FLAC", "MP3", "OGG")
VOICE_ID = re.compile(f"voice_{ULID_PATTERN}")


class VoiceIds(Ids):
    """``voice_`` + ULID."""

    def __init__(self) -> None:
        super().__init__("voice_")


@dataclass(frozen=True, slots=True)
class Recording:
    """What was heard in an upload: mono 16-bit PCM at its own rate, by its hash."""

    pcm_sha256: str
    sample_rate: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Consent:
    """Who allowed the voice to be used, when (epoch seconds), and in which words. Kept as long as the voice."""

    by: str
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Voice:
    """An uploaded voice. Only its user sees it and speaks with it."""

    id: str
    user: str
    name: str | None
    recording: Recording
    consent: Consent
    created_at: float
    """Epoch seconds."""


class VoiceStore(Protocol):
    """Voices as rows; their sound is a blob. Each method is one transaction and may be called from any thread."""

    def add(self, voice: Voice) -> None:
        """Keep a new voice. The commit survives power loss."""

    def find(self, user: str, ids: Iterable[str]) -> dict[str, Voice]:
        """The user's voices by id; what does not exist or is another user's is absent."""

    def page(self, user: str, limit: int, before: str | None = None) -> list[Voice]:
        """The user's voices, newest first, at most ``limit``. ``before``: a voice's id, for the next page."""

    def remove(self, user: str, voice_id: str) -> Voice | None:
        """Forget a voice of the user, durably; the voice that it was, if there was one."""

    def has_recording(self, pcm_sha256: str) -> bool:
        """Whether any voice of any user has this recording."""
