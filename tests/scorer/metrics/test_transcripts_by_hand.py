"""Errors that were counted by hand, and those that the scorer counts, in transcripts of Whisper base.

The lines are in transcripts_by_hand, with the conventions in its README. ``python -m benchmarks.evidence.transcripts``
speaks and hears them again.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from benchmarks.evidence.transcripts import CountedLine, counted_lines
from services.scorer.metrics.base import ErrorRate
from services.scorer.metrics.counting.rates import character_error_rate, word_error_rate

LINES = [line for language in ("en", "zh") for line in counted_lines(language)]
KNOWN = {
    "en-06": (28, 2),  # 1907 as a quantity, not as a year
    "en-09": (29, 0),  # 2027 as a quantity
    "en-10": (28, 4),  # no "cents"; zero euros ninety nine
    "en-20": (13, 0),  # 2:15 against 2.15 is "two point fifteen" on both sides
    "en-22": (13, 0),  # 555 as a quantity, not as three digits
    "en-24": (12, 0),  # 2019 as a quantity
    "en-26": (10, 1),  # no "dot" in an address
    "en-33": (8, 0),  # "alright" counts as two words
    "en-38": (10, 0),  # XIV as it is written, not as "the fourteenth"
    "en-42": (16, 0),  # 1847 as a quantity
    "en-44": (15, 0),  # no "cents"
    "zh-08": (28, 6),  # 1107 and 24107 as quantities, not as digits
    "zh-09": (39, 5),  # km may stay as it is written, so it is one unit as GM is
    "zh-28": (16, 2),  # 110 as a quantity
}
"""What the scorer counts otherwise: units and errors. Of readings with as few errors, it takes the first."""

_UNIT = re.compile(r"[a-z']+|[^\sa-z]")


def counted(line: CountedLine) -> tuple[int, int]:
    """Return the words or characters of the text, and the errors, as the scorer counts them."""
    rate = word_error_rate if line.language == "en" else character_error_rate
    found = rate(line.text, line.heard, line.language)
    assert isinstance(found, ErrorRate), found
    written = found.transcript.text_counted
    units = len(written.split() if line.language == "en" else _UNIT.findall(written))
    return units, round(found.value * units)


@pytest.mark.parametrize("line", LINES, ids=[line.id for line in LINES])
def test_the_scorer_counts_what_was_counted_by_hand(line: CountedLine) -> None:
    assert counted(line) == KNOWN.get(line.id, (line.units, line.errors))


def test_fifty_lines_of_each_language_were_counted() -> None:
    assert Counter(line.language for line in LINES) == {"en": 50, "zh": 50}
    assert len({line.text for line in LINES}) == len({line.id for line in LINES}) == 100


def test_what_is_counted_otherwise_is_among_the_lines() -> None:
    assert set(KNOWN) <= {line.id for line in LINES}
    assert all((line.units, line.errors) != KNOWN.get(line.id) for line in LINES)
