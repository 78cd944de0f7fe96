"""Which job is next: the rules that every store applies in its own way.

Owns the constants and the arithmetic of fair choice. Between users, the one with the least audio in the current window
comes first. Audio is charged by estimate when a job is claimed, and settled, within the window of that claim, when it
ends. Within a user, priority comes first, then age. A pin that a worker has loaded is preferred, but another pin does
not wait for that longer than a bound.

Scorers have separate accounts, one for each kind of work. Between users, the one who has taken least in the current
window comes first; within a user, what has been due longest. Work is charged when it is claimed.
"""

from __future__ import annotations

from shared.jobs import SpeechInput

WINDOW_S = 600.0
"""Length of a window in seconds. Audio is counted per user and window; in a new one all users start even."""

PREFER_LOADED_FOR_S = 10.0
"""Seconds after which a pin with queued jobs that was not served no longer ranks behind loaded pins."""

PASSED_ON_S = 60.0
"""Seconds for which a job that a worker failed and passed on is left to other workers."""

_CHARS_PER_SECOND = {"zh": 4.5, "yue": 4.5, "ja": 7.0, "ko": 6.0}
_DEFAULT_CHARS_PER_SECOND = 14.0


def process_of(worker: str) -> str:
    """Return the process of a slot, as it publishes: ``host-12`` for ``host-12/0``."""
    return worker.partition("/")[0]


def window_at(now: float) -> int:
    """Return the number of the fairness window that ``now`` (epoch seconds) is in."""
    return int(now // WINDOW_S)


def counts_seconds(work: str) -> bool:
    """Return whether an account of scorers counts seconds of audio; else each piece of work counts as one.

    Scoring takes as long as the clip, so it counts the seconds of audio that were estimated at submission.
    """
    return work == "scoring"


def estimated_audio_s(spoken: SpeechInput) -> float:
    """Return the expected seconds of audio, by the language's typical reading speed and the requested speed."""
    rate = _CHARS_PER_SECOND.get(spoken.language.split("-")[0].lower(), _DEFAULT_CHARS_PER_SECOND)
    return max(0.5, len(spoken.text) / rate / spoken.speed)
