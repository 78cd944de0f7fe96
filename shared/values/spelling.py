"""Which name was meant by one that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST_COMPARED = 100
"""Characters. No name of ours is longer, and comparing takes time for each."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message, ``; did you mean NAME?``, or nothing if no known name is like it."""
    near = difflib.get_close_matches(name[:_LONGEST_COMPARED], known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
