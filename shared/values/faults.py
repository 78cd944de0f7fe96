"""Faults of an input, up to as many as a person can correct.

Owns the limit, and how a part of the input is named. Knows neither what is checked nor how it is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

Loc = tuple[int | str, ...]
"""The way to a part of the input: names of members, and indices in lists."""

MOST_FAULTS = 100
"""Most faults of one request or file. More would cost time and memory for every byte that was sent, and help nobody."""
AND_MORE = f"and more: checking stopped after {MOST_FAULTS} faults"


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands for a part of the input that could not be read. ``what`` is wrong, to be put after the part's name."""

    what: str


def pointer(loc: Loc) -> str:
    """Return the JSON pointer (RFC 6901) to a part of the input."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in loc)
