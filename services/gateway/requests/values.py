"""Validators for the values of fields.

Owns the limits of texts within a request, and of values that have no shape of their own. Knows no field by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from shared.errors import RefusalCode
from shared.jobs import MAX_TEXT_CHARS
from shared.values.text import (
    SSML_ADVICE,
    TextFault,
    TextTooLong,
    check_marks,
    composed,
    shown,
    ssml_in,
    with_plain_line_ends,
)

MAX_JSON_DEPTH = 64
"""Most levels of nested lists and objects. No shape of ours has more than a dozen. Code that reads and compares values
goes one call deeper with each level."""
_MAX_OPTIONS_DEPTH = 8
_MAX_OPTIONS_VALUES = 1000
"""Most keys, strings, numbers and so on in all of `options`."""
_MOST_STRANGERS = 50
"""So many unknown members of an object are reported one by one."""
_MOST_NAMED = 5
_SPLIT = ". Split the text at paragraphs into several jobs (POST /v1/jobs:batch takes many) or items of a suite"
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def wrong(detail: str, code: RefusalCode = RefusalCode.INVALID_REQUEST) -> PydanticCustomError:
    """Return the error for a validator to raise."""
    return PydanticCustomError(code.value, "{detail}", {"detail": detail})


def clean(text: str, most: int = MAX_TEXT_CHARS, too_long: RefusalCode = RefusalCode.INVALID_REQUEST) -> str:
    """Return the text in NFC with newlines as line ends.

    Raises if it has more than ``most`` characters, or control characters other than tab and newline."""
    try:
        text = with_plain_line_ends(composed(text, most))
    except TextTooLong as fault:
        what_to_do = _SPLIT if too_long is RefusalCode.TEXT_TOO_LONG else ""
        raise wrong(f"{fault}{what_to_do}", too_long) from None
    except TextFault as fault:
        raise wrong(str(fault)) from None
    if (found := _CONTROLS.search(text)) is not None:
        raise wrong(f"control character U+{ord(found.group()):04X} at character {found.start()}")
    return text


def to_speak(text: str) -> str:
    """Return the text of a job. Raises if it is empty, too long or SSML."""
    text = clean(text, MAX_TEXT_CHARS, RefusalCode.TEXT_TOO_LONG)
    if not text.strip():
        raise wrong("there is nothing to speak", RefusalCode.TEXT_EMPTY)
    if (tag := ssml_in(text)) is not None:
        raise wrong(f"SSML is not supported: <{tag}> would be spoken as it is written. {SSML_ADVICE}")
    return text


def few_marks(text: str) -> str:
    """Return a text that is kept as it is written, not normalised: a name, key or value.

    Raises if it has too many combining marks in a row."""
    if text.isascii():
        return text
    try:
        check_marks(text)
    except TextFault as fault:
        raise wrong(str(fault)) from None
    return text


def members(value: object, known: int) -> object:
    """Return an object of a shape with ``known`` members. Raises if it has so many more that reporting each would be
    work."""
    if isinstance(value, dict) and len(value) > known + _MOST_STRANGERS:
        raise wrong(f"{len(value)} members; only {known} are known here")
    return value


def options(value: dict[str, Any]) -> dict[str, Any]:
    """Check an engine's own options as far as that is possible without the engine's schema, and return them."""
    _count(value, _MAX_OPTIONS_DEPTH, 0)
    return value


def _count(value: object, left: int, counted: int) -> int:
    """Return ``counted`` plus the number of values in ``value``.

    Raises if one of them is nested too deeply or is a text that is not taken, or if there are too many."""
    if left < 0:
        raise wrong(f"nested deeper than {_MAX_OPTIONS_DEPTH}")
    counted += 1
    if counted > _MAX_OPTIONS_VALUES:
        raise wrong(f"more than {_MAX_OPTIONS_VALUES} keys and values")
    if isinstance(value, str):
        clean(value)
    elif isinstance(value, dict):
        for key, member in value.items():
            counted = _count(member, left - 1, _count(key, left, counted))
    elif isinstance(value, list):
        for member in value:
            counted = _count(member, left - 1, counted)
    return counted


def check_depth(value: object) -> None:
    """Raise `PydanticCustomError` for JSON that is nested deeper than `MAX_JSON_DEPTH`."""
    level = [value]
    for _ in range(MAX_JSON_DEPTH):
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [part for parts in inner for part in parts if isinstance(part, dict | list)]
        if not level:
            return
    raise wrong(f"nested deeper than {MAX_JSON_DEPTH}")


def named(values: Sequence[object]) -> str:
    """Return what a user named, shortened for a message."""
    others = f" and {len(values) - _MOST_NAMED} others" if len(values) > _MOST_NAMED else ""
    return ", ".join(map(shown, values[:_MOST_NAMED])) + others
