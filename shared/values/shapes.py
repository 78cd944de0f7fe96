"""Shapes of mappings that users write: TypedDicts that pydantic checks, with messages in plain English.

Owns the messages, and the bound on unknown members. Knows no member by name. pydantic takes time and memory to load, so
import this only where something is read.
"""

from __future__ import annotations

import sys
from typing import Any

from pydantic import BeforeValidator, ConfigDict, GetPydanticSchema, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from shared.values.faults import MOST_FAULTS, Loc, Unread
from shared.values.text import shown

_WORDS = {None: "null", True: "true", False: "false"}
_MESSAGES = {
    "missing": "{name} is missing",
    "extra_forbidden": "unknown member {name}; known members: {known}",
    "string_unicode": "unknown member {value}; known members: {known}",
    "dict_type": "a mapping is required, with the members {known}",
    "must_be": "{name} must be {msg} (found {value})",
    "is_not": "{name} {value} is not {msg}",
}
"""By the type of pydantic's error; `string_unicode` is about a name, and the last two types are ours. Any other error
keeps its own words."""


class MappingShape:
    """A TypedDict as a check. None of its members is a mapping."""

    def __init__(self, members: type) -> None:
        self._adapter = TypeAdapter[dict[str, Any]](members)
        self._known = ", ".join(members.__annotations__)
        self._most = len(members.__annotations__) + MOST_FAULTS

    def read(self, value: object) -> tuple[dict[str, Any] | None, list[tuple[Loc, str]]]:
        """Return what ``value`` says, and ``None`` if there are faults. Those are in the order of ``value``."""
        if isinstance(value, dict) and len(value) > self._most:
            return None, [((), f"there are {len(value)} members; known members: {self._known}")]
        try:
            return self._adapter.validate_python(value), []
        except ValidationError as error:
            faults = [self._fault(one) for one in error.errors(include_url=False)]
        order = [*value] if isinstance(value, dict) else []
        return None, sorted(faults, key=lambda fault: order.index(fault[0][0]) if fault[0] else -1)

    def _fault(self, error: ErrorDetails) -> tuple[Loc, str]:
        kind, loc, value = error["type"], error["loc"], error["input"]
        *_, above, step = "", "", *loc
        name = shown(step) if kind == "extra_forbidden" else f"one of {above}" if isinstance(step, int) else step
        if isinstance(value, Unread):
            return loc, f"{name} {value.what}".lstrip()
        words = {"msg": error["msg"], "value": as_written(value), "known": self._known}
        return loc[:-1] if kind == "missing" else loc, _MESSAGES.get(kind, "{name} {msg}").format(name=name, **words)


def strict(**json_schema: Any) -> ConfigDict:
    """Return the configuration of a TypedDict. ``json_schema`` says what cannot be checked member by member."""
    return ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, json_schema_extra=json_schema)


def must_be(form: str) -> GetPydanticSchema:
    """Return an annotation: whatever pydantic finds wrong with a value, the message says that it must be ``form``."""
    return GetPydanticSchema(
        lambda source, handler: core_schema.custom_error_schema(handler(source), "must_be", custom_error_message=form)
    )


def wrong(detail: str) -> PydanticCustomError:
    """Return an error for a validator to raise. ``detail`` is put after the member's name."""
    return PydanticCustomError("wrong", "{detail}", {"detail": detail})


def few(form: str, fewest: int = 0, most: int = sys.maxsize) -> BeforeValidator:
    """Return an annotation: a list of ``fewest`` to ``most``, which is ``form`` in words."""

    def check(value: object) -> object:
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            raise wrong(f"must be a list of {form}")
        return value

    return BeforeValidator(check)


def as_written(value: object) -> str:
    """Return a value for a message, as JSON, TOML and YAML write it."""
    return _WORDS[value] if value is None or isinstance(value, bool) else shown(value)
