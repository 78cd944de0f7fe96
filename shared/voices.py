"""Uploaded voices: recordings that jobs speak with, and the consent that came with each.

Owns their values, what may be uploaded, and the port to their store. Knows neither codec nor HTTP nor SQL. A recording
is its samples: two uploads of the same sound are two voices with one recording.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from shared.ids import ULID_PATTERN, Ids

MAX_FILE_BYTES = 20 << 20
SHORTEST_S, LONGEST_S = 0.5, 60.0
FORMATS = ("WAV", "FLAC", "MP3", "OGG")
VOICE_MINUTES = 60.0
"""Minutes of sound in all voices of a user, unless the settings say otherwise."""
MOST_VOICES = 1000
"""Most voices of a user. Without it the shortest recordings could be thousands, each with its own consent."""
VOICE_ID = re.compile(f"voice_{ULID_PATTERN}")


class VoiceIds(Ids):
    """Creates voice ids: ``voice_`` + ULID."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__("voice_", clock)


@dataclass(frozen=True, slots=True)
class Recording:
    """The decoded sound of an upload: mono 16-bit PCM at its own sample rate (Hz), named by its hash."""

    pcm_sha256: str
    sample_rate: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Consent:
    """Who permitted the use of the voice, when (epoch seconds), and in which words. Kept as long as the voice."""

    by: str
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Voice:
    """An uploaded voice. Only its user sees it and can speak with it."""

    id: str
    user: str
    name: str | None
    recording: Recording
    consent: Consent
    created_at: float
    """Epoch seconds."""


@dataclass(frozen=True, slots=True)
class VoiceShare:
    """How many uploaded voices, and seconds of them, a user has or may have.

    Two voices with one recording count as two.
    """

    voices: int = MOST_VOICES
    seconds: float = VOICE_MINUTES * 60

    def takes(self, seconds: float, had: VoiceShare) -> bool:
        """Return whether one more voice of ``seconds`` fits, if the user already has ``had``."""
        return had.voices + 1 <= self.voices and had.seconds + seconds <= self.seconds


class VoiceStore(Protocol):
    """Voices as rows; their sound is a blob. Each method is one transaction and may be called from any thread."""

    def add(self, voice: Voice, most: VoiceShare | None = None) -> VoiceShare | None:
        """Store a new voice and return ``None``. The commit survives power loss.

        If the user would then have more than ``most``, store nothing and return what the user has. The count is in the
        same transaction, so that two uploads at once cannot exceed the limit.
        """

    def had(self, user: str) -> VoiceShare:
        """Return how many voices, and seconds of them, the user has."""

    def find(self, user: str, ids: Iterable[str]) -> dict[str, Voice]:
        """Return the user's voices by id. Ids that do not exist or belong to another user are absent."""

    def page(self, user: str, limit: int, before: str | None = None) -> list[Voice]:
        """Return the user's voices, newest first, at most ``limit``. ``before``: a voice's id, for the next page."""

    def remove(self, user: str, voice_id: str) -> Voice | None:
        """Delete a voice of the user durably. Return the deleted voice, or ``None`` if there was none."""

    def has_recording(self, pcm_sha256: str) -> bool:
        """Return whether any voice of any user has this recording."""
