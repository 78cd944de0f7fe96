"""Collects faults, up to as many as a person can correct.

Owns the limit, and how a part of the input is named. Code that checks a user's input appends to `Faults` and lets
`Enough` pass; code that reports to the user catches it. Knows neither what is checked nor how it is reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
Loc = tuple[int | str, ...]
"""The way to a part of the input: names of members, and indices in lists."""

MOST_FAULTS = 100
"""Most faults of one request or file. More would cost time and memory for every byte that was sent, and help nobody."""
AND_MORE = f"and more: checking stopped after {MOST_FAULTS} faults"


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands for a part of the input that could not be read. ``what`` is wrong, to be put after the part's name."""

    what: str


class Enough(Exception):
    """As many faults were found as are reported; the rest is not checked."""


class Faults(list[T]):
    """A list of faults. The first one beyond the limit raises `Enough`; it is kept, and shows that there were more."""

    def append(self, fault: T, /) -> None:
        super().append(fault)
        if len(self) > MOST_FAULTS:
            raise Enough


def pointer(loc: Loc) -> str:
    """Return the JSON pointer (RFC 6901) to a part of the input."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in loc)
