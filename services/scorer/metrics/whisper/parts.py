"""Cuts a long clip into parts that Whisper can hear at once.

Owns where the cuts are: in pauses. Knows no model and no samples, only the stretches of speech.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

MARGIN_S = 0.2
"""Seconds kept before and after the speech of a part, or half the pause if that is shorter.

The detector may miss the sound that a word begins or ends with. The rest of the silence is cut off, because Whisper
hears words in silence that nobody said.
"""

PARAMETERS = {"margin_s": MARGIN_S}

Stretch = tuple[float, float]
"""Start and end, in seconds."""


def parts(stretches: Sequence[Stretch], longest_s: float) -> list[Stretch]:
    """Return the start and end of each part, in order. No part is longer than ``longest_s``, and none overlap.

    A cut is in the longest pause of a part's second half, else of its first half. Speech that goes on for that long
    without a pause is cut into equal lengths, even inside words.
    """
    if not stretches:
        return []
    margins = [max(0.0, min(MARGIN_S, pause / 2)) for pause in _pauses(stretches)]
    cuts: list[Stretch] = []
    for first, last in _grouped(stretches, longest_s - 2 * MARGIN_S):
        cuts += _equal(stretches[first][0] - margins[first], stretches[last][1] + margins[last + 1], longest_s)
    return cuts


def _pauses(stretches: Sequence[Stretch]) -> list[float]:
    """Return the silence before each stretch, and after the last one, which has no end."""
    return [
        2 * stretches[0][0],
        *(after[0] - before[1] for before, after in pairwise(stretches)),
        math.inf,
    ]


def _grouped(stretches: Sequence[Stretch], room_s: float) -> Iterator[tuple[int, int]]:
    """Yield the indices of the first and last stretch of each part."""
    first = 0
    while first < len(stretches):
        last = first + _last(stretches[first:], room_s)
        yield first, last
        first = last + 1


def _last(stretches: Sequence[Stretch], room_s: float) -> int:
    """Return the index of the stretch that ends the part that the first of these begins."""
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
