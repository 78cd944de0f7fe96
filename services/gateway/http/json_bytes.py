"""Answers as JSON bytes."""

from __future__ import annotations

import orjson


def as_json(document: object) -> bytes:
    """Return the JSON bytes of any answer."""
    return orjson.dumps(document)


def as_part(document: object) -> object:
    """Return a finished document that can be put into a larger one. As bytes it takes a fraction of the memory."""
    return orjson.Fragment(orjson.dumps(document))
