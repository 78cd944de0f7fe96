"""Checks an engine's options against the JSON Schema that it publishes.

Owns the part of JSON Schema 2020-12 that engines use: type, enum, const, bounds, lengths, pattern, items, properties,
required, additionalProperties, default. The engine host checks again, with what only it knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.errors import FieldError
from shared.values.numbers import as_whole

Schema = Mapping[str, Any]

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(as_whole(value), int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}
_BOUNDS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "minimum": (lambda value, bound: value >= bound, "at least"),
    "maximum": (lambda value, bound: value <= bound, "at most"),
    "exclusiveMinimum": (lambda value, bound: value > bound, "more than"),
    "exclusiveMaximum": (lambda value, bound: value < bound, "less than"),
}
_LENGTHS = {"minLength": "minimum", "maxLength": "maximum", "minItems": "minimum", "maxItems": "maximum"}


def faults(value: object, schema: Schema, pointer: str) -> Iterator[FieldError]:
    """Yield the faults of ``value``; none if it fits the schema. ``pointer``: its place in the request."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_TYPES[name](value) for name in types):
        yield FieldError(pointer, f"must be of type {' or '.join(types)}")
        return
    if "enum" in schema and value not in schema["enum"]:
        yield FieldError(pointer, f"must be one of {', '.join(map(repr, schema['enum']))}")
    if "const" in schema and value != schema["const"]:
        yield FieldError(pointer, f"must be {schema['const']!r}")
    if isinstance(value, dict):
        yield from _members(value, schema, pointer)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from faults(item, schema.get("items", {}), f"{pointer}/{at}")
    out_of_bounds = [*_bounds(value, schema, pointer)]
    yield from out_of_bounds
    # the pattern comes from an engine: do not run it on a text that is longer than the engine takes
    pattern = None if out_of_bounds else schema.get("pattern")
    if pattern is not None and isinstance(value, str) and re.search(pattern, value) is None:
        yield FieldError(pointer, f"must match {pattern}")


def as_declared(value: Any, schema: Schema) -> Any:
    """Return ``value``, which fits, with integers where the schema declares them: an engine may tell 42.0 from 42."""
    if isinstance(value, dict) and value:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        known = {name: properties.get(name, others) for name in value}
        return {
            name: as_declared(member, known[name]) if isinstance(known[name], dict) else member
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [as_declared(item, schema.get("items", {})) for item in value]
    types = schema.get("type", [])
    declared = [types] if isinstance(types, str) else types
    return as_whole(value) if "integer" in declared and "number" not in declared else value


def defaults(schema: Schema) -> dict[str, Any]:
    """Return the defaults of the options that have one."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    return {name: member["default"] for name, member in properties.items() if "default" in member}


def _members(value: Mapping[str, Any], schema: Schema, pointer: str) -> Iterator[FieldError]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            yield FieldError(f"{pointer}/{name}", "is required")
    for name, member in value.items():
        at = pointer + "/" + name.replace("~", "~0").replace("/", "~1")
        if name in properties:
            yield from faults(member, properties[name], at)
        elif others is False:
            yield FieldError(at, f"unknown option; known options: {', '.join(properties) or 'none'}")
        elif isinstance(others, dict):
            yield from faults(member, others, at)


def _bounds(value: object, schema: Schema, pointer: str) -> Iterator[FieldError]:
    if _TYPES["number"](value):
        for keyword, (holds, words) in _BOUNDS.items():
            if keyword in schema and not holds(value, schema[keyword]):
                yield FieldError(pointer, f"must be {words} {schema[keyword]}")
    elif isinstance(value, str | list):
        for keyword, bound in _LENGTHS.items():
            holds, words = _BOUNDS[bound]
            applies = keyword in schema and keyword.endswith("Length") == isinstance(value, str)
            if applies and not holds(len(value), schema[keyword]):
                yield FieldError(pointer, f"length must be {words} {schema[keyword]}")
