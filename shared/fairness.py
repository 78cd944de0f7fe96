"""Whose job is next: the rules that every store applies in its own way.

Owns the constants and the arithmetic of fair choice. Between users: least audio in the current window first, charged by
estimate when a job is claimed and settled, within the window of that claim, when it ends. Within a user: priority, then
age. A pin that a worker has loaded is preferred, but another pin waits for that no longer than a bound.
"""

from __future__ import annotations

from shared.jobs import SpeechInput

WINDOW_S = 600.0
"""Audio is counted per user within windows of this length; at its end everybody starts even."""

PREFER_LOADED_FOR_S = 10.0
"""A pin with queued jobs that was not served for this long no longer stands behind pins that are loaded."""

_CHARS_PER_SECOND = {"zh": 4.5, "yue": 4.5, "ja": 7.0, "ko": 6.0}
_DEFAULT_CHARS_PER_SECOND = 14.0


def window_at(now: float) -> int:
    """Number of the fairness window that ``now`` (epoch seconds) falls into."""
    return int(now // WINDOW_S)


def estimated_audio_s(spoken: SpeechInput) -> float:
    """Seconds of audio to expect: typical reading speed of the language, over the speed asked for."""
    rate = _CHARS_PER_SECOND.get(spoken.language.split("-")[0].lower(), _DEFAULT_CHARS_PER_SECOND)
    return max(0.5, len(spoken.text) / rate / spoken.speed)
