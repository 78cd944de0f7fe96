"""An engine's options and the JSON Schema (2020-12) that it publishes for them.

Owns how faults are told, and what is declared besides: defaults, and which numbers are integers. The checking is
jsonschema_rs's: it fetches nothing, and a pattern that would take long is given up. The engine host checks again, with
what only it knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationErrorKind

from shared.errors import FieldError
from shared.values.faults import MOST_FAULTS
from shared.values.numbers import as_whole

Schema = Mapping[str, Any]


class OptionSchema:
    """What one pin declares, compiled once. If that is no valid schema, no option can be checked, and none is taken."""

    def __init__(self, schema: Schema) -> None:
        self._wrong = ""
        try:
            self._validator = _compiled(schema)
        except ValueError as error:
            self._wrong, schema = str(error), {"maxProperties": 0}
            self._validator = _compiled(schema)
        self._schema = schema
        known: Mapping[str, Schema | bool] = schema.get("properties", {})
        self._known = ", ".join(known) or "none"
        self._defaults = {
            name: one["default"] for name, one in known.items() if isinstance(one, dict) and "default" in one
        }

    def faults(self, options: Mapping[str, Any]) -> list[FieldError]:
        """Return the faults of ``options``, with JSON pointers into the submission; one more at most than are told."""
        return [*islice(self._told(options), MOST_FAULTS + 1)]

    def as_used(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return every option's value, as in ``options``, which fit, or by default.

        What is declared as an integer is one: an engine may tell 42.0 from 42."""
        declared: dict[str, Any] = _as_declared(options, self._schema)
        return self._defaults | declared

    def _told(self, options: Mapping[str, Any]) -> Iterator[FieldError]:
        for error in self._validator.iter_errors(options):
            at = error.instance_path
            match error.kind:
                case ValidationErrorKind.AdditionalProperties(unexpected=names):
                    words = "no such member" if at else f"unknown option; known options: {self._known}"
                    yield from (FieldError(_pointer(*at, name), words) for name in names)
                case ValidationErrorKind.Required(property=name):
                    yield FieldError(_pointer(*at, name), "is needed")
                case _ if self._wrong:
                    yield FieldError("/options", f"none can be taken, as their schema is wrong: {self._wrong}")
                case _:
                    yield FieldError(_pointer(*at), error.message)


def _compiled(schema: Schema) -> Draft202012Validator:
    return Draft202012Validator(dict(schema), offline=True)


def _pointer(*steps: int | str) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in ("options", *steps))


def _as_declared(value: Any, schema: Schema | bool) -> Any:
    if isinstance(schema, bool):
        return value
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        return {name: _as_declared(member, known.get(name, others)) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_declared(item, schema.get("items", True)) for item in value]
    types = schema.get("type", [])
    declared = [types] if isinstance(types, str) else types
    return as_whole(value) if "integer" in declared and "number" not in declared else value
