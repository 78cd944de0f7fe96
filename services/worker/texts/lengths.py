"""How long the speech of a text may be. An engine that babbles, loops or does not stop gives more.

Owns the bound. It is no estimate: the slowest speech that was measured takes two thirds of it (espeak, sad, naming
letters of a script that it does not know, at a quarter of the speed and with the longest pauses). Knows no engine. The
limit for any clip, whatever its text, is in engines/samples.py.
"""

from __future__ import annotations

from shared.audio import Audio
from shared.errors import FailureCode, JobFailure

SHORTEST_BOUND_S = 30.0
"""Seconds for any text at speed 1: even a word may come with a breath, a hum and silence around it."""
LETTER_S = 1.0
"""Seconds for a letter from A to Z or white space. 0.06 is common; 0.6 was measured letter by letter with the longest
pauses."""
OTHER_S = 6.0
"""Seconds for any other character. A digit, a symbol or an emoji may be several words, and an unknown letter may be
named."""


def longest_s(text: str, speed: float) -> float:
    """Return the most seconds that the speech of ``text`` may take at ``speed``. A speed above 1 does not lower it."""
    others = sum(not (one.isspace() or (one.isascii() and one.isalpha())) for one in text)
    return (SHORTEST_BOUND_S + LETTER_S * (len(text) - others) + OTHER_S * others) / min(speed, 1.0)


def checked(audio: Audio, text: str, speed: float) -> Audio:
    """Return ``audio`` if it may be the speech of ``text``. Raises `JobFailure` ``audio_invalid`` if it is too long."""
    if audio.duration_s > (most_s := longest_s(text, speed)):
        raise JobFailure(
            FailureCode.AUDIO_INVALID,
            f"the engine returned {audio.duration_s:,.1f} s for {len(text)} characters at speed {speed:g}; at most"
            f" {most_s:,.1f} s are plausible",
        )
    return audio
