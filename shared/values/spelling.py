"""Which name was meant by one that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST_COMPARED = 100
"""Characters. No name of ours is longer, and comparing takes time for each."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like ``name``, or None if none is like it."""
    return next(iter(difflib.get_close_matches(name[:_LONGEST_COMPARED], known, n=1)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message, ``; did you mean NAME?``, or nothing if no known name is like it."""
    near = nearest(name, known)
    return f"; did you mean {near}?" if near else ""
