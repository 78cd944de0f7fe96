"""Parts a long clip, so that each part fits into what Whisper hears at a time.

Owns where the cuts are: in pauses. Knows no model and no samples, only the stretches of speech.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

MARGIN_S = 0.2
"""Kept before and after the speech of a part, or half the pause where that is shorter: the detector may miss the sound
that a word begins or ends with. What is cut away is silence, in which Whisper hears words that nobody said."""

PARAMETERS = {"margin_s": MARGIN_S}

Stretch = tuple[float, float]
"""Start and end, in seconds."""


def parts(stretches: Sequence[Stretch], longest_s: float) -> list[Stretch]:
    """Where each part begins and ends, in order, none longer than ``longest_s`` and none over another.

    A cut is in the longest pause of a part's second half, else of its first. Speech that goes on for that long without
    a pause is cut into equal lengths, words or not.
    """
    if not stretches:
        return []
    margins = [max(0.0, min(MARGIN_S, pause / 2)) for pause in _pauses(stretches)]
    cuts: list[Stretch] = []
    for first, last in _grouped(stretches, longest_s - 2 * MARGIN_S):
        cuts += _equal(stretches[first][0] - margins[first], stretches[last][1] + margins[last + 1], longest_s)
    return cuts


def _pauses(stretches: Sequence[Stretch]) -> list[float]:
    """Silence before each stretch, and after the last, which has no end."""
    return [
        2 * stretches[0][0],
        *(after[0] - before[1] for before, after in pairwise(stretches)),
        math.inf,
    ]


def _grouped(stretches: Sequence[Stretch], room_s: float) -> Iterator[tuple[int, int]]:
    """First and last stretch of each part."""
    first = 0
    while first < len(stretches):
        last = first + _last(stretches[first:], room_s)
        yield first, last
        first = last + 1


def _last(stretches: Sequence[Stretch], room_s: float) -> int:
    """The stretch that ends the part which begins with the first of these."""
    start = stretches[0][0]
    fitting = sum(end - start <= room_s for _, end in stretches)
    if fitting in (0, len(stretches)):
        return max(fitting - 1, 0)
    late = [index for index in range(fitting) if stretches[index][1] - start >= room_s / 2]
    return max(late or range(fitting), key=lambda index: stretches[index + 1][0] - stretches[index][1])


def _equal(start: float, end: float, longest_s: float) -> Iterator[Stretch]:
    count = max(1, math.ceil((end - start) / longest_s - 1e-9))
    step = (end - start) / count
    return ((start + index * step, start + (index + 1) * step) for index in range(count))
