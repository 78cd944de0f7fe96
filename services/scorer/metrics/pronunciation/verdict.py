"""From what two recognisers found likely to one verdict.

Owns the rule. A recogniser hears a reading if that is likelier than every reading of the other kind by at least the
recogniser's margin; otherwise it does not know. The margins were measured (``python -m
benchmarks.evidence.pronunciation``, docs/pronunciation.md). Knows no recogniser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from services.scorer.metrics.base import PronunciationVerdict, Reading
from shared.readings.pronunciation import Pronunciation
from shared.scores import HeardReading

WHISPER, POCKETSPHINX = "whisper", "pocketsphinx"
MARGINS: Mapping[str, float] = {WHISPER: 2.0, POCKETSPHINX: 20.0}
"""Nats that the likeliest reading must be ahead of the likeliest of the other kind. pocketsphinx counts every frame as
if it were independent of the others, so its likelihoods are far apart."""
PARAMETERS = {"rule": 1, **{f"margin_{name}": margin for name, margin in MARGINS.items()}}

_MOST = 1000.0
"""Nats. A reading that does not fit at all is behind by so much: a score has no infinity."""


def heard(recogniser: str, said: Pronunciation, likely: Sequence[float]) -> HeardReading:
    """Return which reading a recogniser found likeliest, and its margin.

    ``likely``: natural logarithms, of the right readings and then of the wrong ones, each in their order.
    """
    count = len(said.right)
    right, wrong = max(likely[:count]), max(likely[count:])
    readings = (*said.right, *said.wrong)
    best = readings[max(range(len(likely)), key=lambda index: likely[index])]
    ahead = abs(right - wrong) if math.isfinite(right) or math.isfinite(wrong) else 0.0
    return HeardReading(recogniser, best, right > wrong, min(ahead, _MOST))


def verdict(found: Sequence[HeardReading]) -> dict[str, Reading]:
    """Return a reading for each name of the family: 1 for the verdict, with what was heard, and 0 for the others."""
    told = {one.right for one in found if one.margin >= MARGINS[one.recogniser]}
    name = "unknown" if len(told) != 1 else "right" if told == {True} else "wrong"
    readings: dict[str, Reading] = {f"pronunciation/{one}": 0.0 for one in ("right", "wrong", "unknown")}
    return readings | {f"pronunciation/{name}": PronunciationVerdict(tuple(found))}
