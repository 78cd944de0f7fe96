"""What a backend of the family ``whisper`` is: it turns speech in one language into words.

Owns the protocol, and which files of a pin belong to which backend. A pin with model.bin is read by CTranslate2
(ctranslate2_decoder.py), every other one by transformers (transformers_decoder.py).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from services.scorer.metrics import speech
from services.scorer.metrics.base import Samples
from shared.weights.lock import PinLock

TOKENS_PER_S = 20
"""Tokens that a transcript may have for each second, and once besides.

Greedy decoding sometimes repeats a phrase until nothing more fits. Nobody speaks so many words: at four times the usual
speed it is about as many.
"""
WEIGHTS = "model.bin"
"""The file of weights in CTranslate2's form. Checkpoints of transformers have none of this name."""


class Decoder(Protocol):
    """A checkpoint in memory. Not thread-safe.

    ``packages``: distributions whose version can change the words. ``parameters``: what else the words depend on.
    """

    packages: ClassVar[tuple[str, ...]]
    parameters: ClassVar[Mapping[str, Any]]

    def __init__(self, pin: PinLock, folder: Path, threads: int) -> None:
        """Read the pin's files in ``folder``. Raises `WeightsMismatch` if they are incomplete or of another kind."""

    @property
    def languages(self) -> Collection[str]:
        """Whisper's codes of the languages that the checkpoint covers."""

    @property
    def longest_s(self) -> float:
        """Seconds that it hears at a time."""

    def hear(self, samples: Samples, language: str) -> str:
        """Return the words, with Whisper's punctuation, of at most `longest_s` seconds at 16 kHz; no more tokens than
        `most_tokens` says."""

    def log_probabilities(self, samples: Samples | None, language: str, texts: Sequence[str]) -> list[float] | None:
        """Return for each text the natural logarithm of the probability that it is the transcript of at most
        `longest_s` seconds at 16 kHz; without samples, of silence, which is computed once.

        That is the sum over its tokens, each given those before it, among all tokens of text; the end of the transcript
        is not counted. ``None`` if a text has more tokens than can be written.
        """


def most_tokens(samples: Samples) -> int:
    """Return how many tokens a transcript of samples at 16 kHz may have."""
    return TOKENS_PER_S * (1 + math.ceil(len(samples) / speech.RATE))


def is_ctranslate2(pin: PinLock) -> bool:
    """Return whether the pin's weights are in CTranslate2's form."""
    return any(file.path == WEIGHTS for file in pin.files)
