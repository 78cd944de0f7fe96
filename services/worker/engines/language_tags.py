"""Language tags as catalogs and models write them (BCP 47, in lower case): which texts are one.

Languages are named by two or three letters (ISO 639); longer words are names, such as "english".
"""

from __future__ import annotations

import re

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")


def is_tag(value: object) -> bool:
    """It is a text, and a tag in lower case."""
    return isinstance(value, str) and _TAG.fullmatch(value) is not None


def tags_fault(value: object) -> str | None:
    """What is wrong with a pin's option ``languages``, upper and lower case being the same; ``None`` where it fits."""
    tags = isinstance(value, list) and value and all(isinstance(tag, str) and is_tag(tag.lower()) for tag in value)
    return None if tags else "must be a list of language tags"
