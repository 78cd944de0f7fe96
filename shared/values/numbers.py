"""Whole numbers as JSON writes them.

Owns the rule that 42.0 is 42: JSON has one kind of number, and an `integer` of JSON Schema is any number without a
fraction. Knows no field.
"""

from __future__ import annotations

import re

_WHOLE = re.compile(r"([0-9]{1,18})(?:\.0{1,18})?", re.ASCII)


def as_whole(value: object) -> object:
    """Return a float without a fraction as an ``int``; anything else unchanged."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def whole_in(text: str) -> int:
    """Return the whole number, not below 0, in a query parameter such as `50` or `50.0`. Raises `ValueError`."""
    if (found := _WHOLE.fullmatch(text)) is None:
        raise ValueError("not a whole number")
    return int(found[1])
