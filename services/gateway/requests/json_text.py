"""Parses a JSON body without losing anything silently.

Owns the reports, with their place, of what the parser drops or stops at: a member that is given twice, of which the
parser keeps the last, and numbers that are too large or not finite. Knows no request.
"""

from __future__ import annotations

import codecs
import json
import math
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import orjson

from services.gateway.requests.json_size import check_size, without_strings
from shared.errors import FieldError, InvalidRequest
from shared.values.faults import MOST_FAULTS

_OTHER_ENCODINGS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST_DIGITS = 308
"""A whole number with more digits is too large for a float."""
_LONGEST_STEP = 64


def parse_json(body: bytes) -> object:
    """Return the value of a body.

    Raises `InvalidRequest` if it is not JSON or gives a member twice, and `Refused` if it has too many values."""
    if body.startswith(_OTHER_ENCODINGS):
        raise _wrong("not JSON: must be UTF-8 (found UTF-16 or UTF-32)")
    body = body.removeprefix(codecs.BOM_UTF8)
    check_size(body)
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(_faults(body) or (FieldError("", f"not JSON: {error}"),)) from None
    if _is_doubled(body, value):
        raise InvalidRequest(_faults(body) or (FieldError("", "a member is given more than once"),))
    return value


def _is_doubled(body: bytes, value: object) -> bool:
    """Return whether some object has two members of one name: the text then has more members than the value that was
    read."""
    members = _members(value)
    return body.count(b":") != members and without_strings(body).count(b":") != members


def _members(value: object) -> int:
    count, left = 0, [value]
    while left:
        one: Any = left.pop()
        if type(one) is dict:
            count += len(one)
            one = one.values()
        elif type(one) is not list:
            continue
        left += [part for part in one if type(part) is dict or type(part) is list]
    return count


class _Doubled(dict[str, Any]):
    """An object in which the members ``names`` are given twice."""

    names: tuple[str, ...] = ()


def _faults(body: bytes) -> tuple[FieldError, ...]:
    """Return the faults of a body by a second parser, which is slower and less strict. Empty if that cannot read it
    either."""
    try:
        value = json.loads(body, object_pairs_hook=_object, parse_int=_whole)
        return tuple(islice(_told(value, ""), MOST_FAULTS))
    except (ValueError, RecursionError):
        return ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = _Doubled(pairs)
    if len(value) < len(pairs):
        value.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return value


def _whole(digits: str) -> float:
    return math.inf if len(digits) > _MOST_DIGITS else int(digits)


def _told(value: object, at: str) -> Iterator[FieldError]:
    if isinstance(value, float) and not math.isfinite(value):
        yield FieldError(at, "must be a finite number within the range of a 64-bit float")
    elif isinstance(value, _Doubled):
        yield from (FieldError(f"{at}/{_step(name)}", "given more than once") for name in value.names)
        for name, member in value.items():
            yield from _told(member, f"{at}/{_step(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _told(item, f"{at}/{index}")


def _step(name: str) -> str:
    shown = name if len(name) <= _LONGEST_STEP else f"{name[:_LONGEST_STEP]}…"
    return shown.replace("~", "~0").replace("/", "~1")


def _wrong(detail: str) -> InvalidRequest:
    return InvalidRequest((FieldError("", detail),))
