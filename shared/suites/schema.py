"""A suite's form as a JSON Schema, for editors and for programs that write suites.

Built from form.py. Rules between items (ids, items that ask for the same) cannot be expressed in a schema.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from shared.suites.form import HEAD, HEAD_REQUIRED, ITEM, ITEM_REQUIRED, MAX_ITEMS, MAX_TAGS, TAG, TextMember
from shared.suites.suite import SCHEMA


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema, draft 2020-12, of a suite in YAML.

    In JSON Lines, the first line is that without `items`, and each further line fits `#/$defs/item`.
    """
    items = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": {"$ref": "#/$defs/item"}}
    members = {"schema": {"const": SCHEMA}, **_texts(HEAD), "items": items}
    every_item_says = {"properties": {"items": {"items": {"required": ["language"]}}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:ringtrue:suite:{SCHEMA}",
        "title": "A suite: what is spoken to judge a pin",
        **_object(members, HEAD_REQUIRED),
        "anyOf": [{"required": ["language"]}, every_item_says],
        "$defs": {"item": _item()},
    }


def _item() -> dict[str, Any]:
    strength = {"description": "Of the emotion; default 1.", "type": "number", "minimum": 0, "maximum": 1}
    tags = {"type": "array", "maxItems": MAX_TAGS, "uniqueItems": True, "items": _text(TAG)}
    members = {**_texts(ITEM), "strength": strength, "tags": tags}
    return {**_object(members, ITEM_REQUIRED), "dependentRequired": {"strength": ["emotion"]}}


def _object(members: Mapping[str, Any], required: Collection[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(members),
        "required": list(required),
        "additionalProperties": False,
    }


def _texts(members: Mapping[str, TextMember]) -> dict[str, Any]:
    return {name: _text(member) for name, member in members.items()}


def _text(member: TextMember) -> dict[str, Any]:
    return {
        "description": member.means,
        "type": "string",
        "minLength": 1,
        "maxLength": member.most,
        "pattern": f"^(?:{member.form})$",
    }
