"""Checks language tags of catalogs and models (BCP 47, in lower case).

A tag starts with two or three letters (ISO 639). Longer words, such as "english", are names and not tags.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")


def is_tag(value: object) -> bool:
    """Return whether ``value`` is a tag in lower case."""
    return isinstance(value, str) and _TAG.fullmatch(value) is not None


def tags_fault(value: object) -> str | None:
    """Return what is wrong with a pin's option ``languages``, ignoring case, or ``None``."""
    tags = isinstance(value, list) and value and all(isinstance(tag, str) and is_tag(tag.lower()) for tag in value)
    return None if tags else "must be a list of language tags"
