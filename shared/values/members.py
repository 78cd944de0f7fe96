"""Reads stored JSON into records, whichever version wrote it: members that a record does not have are left out.

Owns that rule. During an upgrade, several versions read and write one store. So a version may add members, and other
versions ignore them; an absent member gets the record's default. Knows no record and no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

_NAMES: dict[type[Any], frozenset[str]] = {}


def known(record: type[Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the members of ``data`` that the dataclass ``record`` has."""
    names = _names(record)
    if data.keys() <= names:
        return data
    return {name: value for name, value in data.items() if name in names}


def _names(record: type[Any]) -> frozenset[str]:
    found = _NAMES.get(record)
    if found is None:
        found = _NAMES[record] = frozenset(field.name for field in fields(record))
    return found
