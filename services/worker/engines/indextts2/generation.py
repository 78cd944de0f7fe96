"""The options of a job for IndexTTS2's generation: which are passed on, and within which bounds.

The package passes every other argument to its generator, which refuses unknown ones and ignores ``do_sample``; neither
is an option here. The bounds are those of the package's own web page, the defaults those of ``infer``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.worker.engines import options
from services.worker.engines.indextts2.weights import IndexTtsWeights
from services.worker.engines.options import Number

SAMPLING = (
    Number("temperature", 0.8, 0.1, 2.0, "how freely tokens of speech are drawn"),
    Number("top_p", 0.8, 0.01, 1.0, "drawn from the likeliest tokens that make up this share"),
    Number("top_k", 30, 1, 100, "drawn from this many of the likeliest tokens", whole=True),
    Number("num_beams", 3, 1, 10, "beams of the search", whole=True),
    Number("length_penalty", 0.0, -2.0, 2.0, "above 0 longer beams win, below 0 shorter ones"),
    Number("repetition_penalty", 10.0, 0.1, 20.0, "above 1 tokens that were used become less likely"),
)
INTERVAL = Number("interval_silence", 200, 0, 2000, "silence between segments, in milliseconds at speed 1", whole=True)
RANDOM = Number("use_random", 0, 0, 1, "1: an emotion by name or vector sounds otherwise with every seed", whole=True)
NORMALISATION = Number("text_normalization", 1, 0, 1, "0: numbers and signs are left as they are written", whole=True)
SWITCHES = frozenset({RANDOM.name, NORMALISATION.name})
MOST_SPEECH_TOKENS = 1815
MOST_TEXT_TOKENS = 600
"""Of a segment. Both numbers are those of the official config.yaml."""


def options_of(weights: IndexTtsWeights) -> Sequence[Number]:
    """Return the options that a job for these weights may set."""
    speech = weights.limit("max_mel_tokens", MOST_SPEECH_TOKENS)
    text = weights.limit("max_text_tokens", MOST_TEXT_TOKENS)
    limits = (
        Number("max_mel_tokens", min(1500, speech), 50, speech, "longest segment, in tokens of 20 ms", whole=True),
        Number("max_text_tokens_per_segment", min(120, text), 20, text, "longer text is cut into segments", whole=True),
    )
    return (*SAMPLING, *limits, INTERVAL, RANDOM, *((NORMALISATION,) if weights.release.asks_language else ()))


def arguments(known: Sequence[Number], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every argument of ``infer`` by name. Raises `EngineError` for one that is unknown or out of bounds."""
    chosen = options.chosen(known, given)
    return {name: bool(value) if name in SWITCHES else value for name, value in chosen.items()}
