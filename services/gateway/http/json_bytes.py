"""Answers as JSON bytes."""

from __future__ import annotations

import orjson


def as_json(document: object) -> bytes:
    """Return the JSON bytes of any answer."""
    return orjson.dumps(document)


def as_part(document: object) -> object:
    """Return a finished document that can be put into a larger one. As bytes it takes a fraction of the memory."""
    # A copy: what orjson returns keeps the buffer that it was written in, which is up to nine times as large.
    return orjson.Fragment(memoryview(orjson.dumps(document)).tobytes())
