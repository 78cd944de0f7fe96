"""An engine's own options: declared once, published as a schema, checked when a request brings them.

Owns the one kind of option that engines have needed so far, a number within bounds. Knows no engine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.worker.engines.base import EngineError


@dataclass(frozen=True, slots=True)
class Number:
    """A number from ``minimum`` to ``maximum``, both included. ``whole``: integers only."""

    name: str
    default: float
    minimum: float
    maximum: float
    description: str
    whole: bool = False

    def schema(self) -> dict[str, Any]:
        return {
            "type": "integer" if self.whole else "number",
            "minimum": self.minimum,
            "maximum": self.maximum,
            "default": self.default,
            "description": self.description,
        }

    def fault(self, value: object) -> str | None:
        """Return what is wrong with ``value``, or ``None``."""
        kinds = (int,) if self.whole else (int, float)
        if not isinstance(value, kinds) or isinstance(value, bool) or not math.isfinite(value):
            return f"must be {'a whole number' if self.whole else 'a number'}"
        if not self.minimum <= value <= self.maximum:
            return f"must be from {self.minimum} to {self.maximum}"
        return None


def schema(options: Sequence[Number]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) that a manifest publishes."""
    return {
        "type": "object",
        "properties": {option.name: option.schema() for option in options},
        "additionalProperties": False,
    }


def unknown(name: str, known: Iterable[str]) -> EngineError:
    """Return the refusal of an option that is none of ``known``."""
    return EngineError(f"options/{name}: unknown option; known options: {', '.join(known) or 'none'}")


def chosen(options: Sequence[Number], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every option's value, as ``given`` or by default. Raises `EngineError` for what the schema does not
    allow."""
    known = {option.name: option for option in options}
    for name, value in given.items():
        if name not in known:
            raise unknown(name, known)
        if (fault := known[name].fault(value)) is not None:
            raise EngineError(f"options/{name}: {fault}, not {value!r}")
    return {option.name: given.get(option.name, option.default) for option in options}
