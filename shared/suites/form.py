"""Which members a suite and its items have, and what each may be.

Owns the form in one place, for checking files and for the JSON Schema that editors use. checking.py has the relations
between members and between items.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Required

from pydantic import AfterValidator, BeforeValidator, Field, GetPydanticSchema, TypeAdapter, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema
from typing_extensions import TypedDict

from shared.controls import CANONICAL_EMOTIONS
from shared.jobs import MAX_TEXT_CHARS
from shared.readings.pronunciation import MAX_READING_CHARS, MAX_READINGS, MAX_TARGET_CHARS
from shared.suites.suite import SCHEMA
from shared.values.language_tags import MEANT, MOST_CHARS, SPELLED, tag_in
from shared.values.numbers import as_whole
from shared.values.shapes import MappingShape, as_written, few, must_be, strict, wrong
from shared.values.text import TextFault, composed, ssml_in, with_plain_line_ends

MAX_ITEMS = 10_000
MAX_TAGS = 16

_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# the form of a whole text, in the syntax that JSON Schema allows too, and in words
_LINE = (r"[^\x00-\x1f\x7f-\x9f]+", "one line of text")
_LINES = (r"[^\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]+", "text")
_NAME = ("[a-z0-9][a-z0-9._-]*", "lower-case letters, digits, dots, underscores and hyphens")
_VERSION = ("[A-Za-z0-9][A-Za-z0-9._+-]*", "letters, digits, dots, underscores, plus signs and hyphens")
_TAG = (r"[^\x00-\x1f\x7f-\x9f,]+", "one line of text without a comma")
_EMOTION = (
    f"{'|'.join(CANONICAL_EMOTIONS)}|[a-z0-9][a-z0-9_-]*:[a-z0-9][a-z0-9_-]*",
    f"one of {', '.join(CANONICAL_EMOTIONS)} or an engine's own (ENGINE:NAME)",
)


def _text(most: int, form: tuple[str, str], means: str) -> GetPydanticSchema:
    """Return an annotation: text in NFC of at most ``most`` characters, with a newline at the end of every line."""
    text = core_schema.str_schema(min_length=1, max_length=most, pattern=f"^(?:{form[0]})$")
    fits = core_schema.custom_error_schema(text, "is_not", custom_error_message=form[1])
    read = core_schema.no_info_before_validator_function(lambda value: _plain(value, most), fits)
    return GetPydanticSchema(lambda *_: read, lambda schema, handler: {"description": means, **handler(schema)})


def _plain(value: object, most: int) -> str:
    if value is None:
        raise wrong("is empty")
    if not isinstance(value, str):
        quotes = "" if isinstance(value, list | dict) else " without quotes"
        raise wrong(f"must be text; {as_written(value)} is not text{quotes}")
    try:
        text = with_plain_line_ends(composed(value, most))
    except TextFault as fault:
        raise wrong(f"has {fault}") from None
    if not text.strip():
        raise wrong("is empty")
    if (found := _NOT_TEXT.search(text)) is not None:
        raise wrong(f"has the control character U+{ord(found.group()):04X} at {found.start()}")
    if (tag := ssml_in(text)) is not None:
        raise wrong(f"has SSML, which is not read: <{tag}> would be spoken as it is written")
    if text != text.strip():
        raise wrong("begins or ends with white space; in YAML, |- and >- leave out the last newline")
    return text


_Schema = Annotated[int, Field(ge=SCHEMA, le=SCHEMA), WithJsonSchema({"const": SCHEMA})]
_LANGUAGE_MEANS = "BCP 47 tag (`zh-CN`), or as a locale is written (`zh_CN.UTF-8`); upper and lower case are the same."
_Language = Annotated[str, _text(MOST_CHARS, (SPELLED, MEANT), _LANGUAGE_MEANS), AfterValidator(tag_in)]
_Tag = Annotated[str, _text(64, _TAG, "One group that results are told by.")]
_Strength = Annotated[float, Field(ge=0, le=1, description="Of the emotion; default 1.")]
_READING = "How it is said, in ordinary writing that is read in one way."
_Readings = Annotated[
    list[Annotated[str, _text(MAX_READING_CHARS, _LINE, _READING)]],
    Field(json_schema_extra={"minItems": 1, "maxItems": MAX_READINGS, "uniqueItems": True}),
    few(f"1 to {MAX_READINGS} readings", 1, MAX_READINGS),
]
_TAGS = {"maxItems": MAX_TAGS, "uniqueItems": True}
_EVERY_ITEM_SAYS = {"properties": {"items": {"items": {"required": ["language"]}}}}


class ItemMembers(TypedDict, total=False):
    """An item: one text, and how it is to be spoken."""

    __pydantic_config__ = strict(title="Item", dependentRequired={"strength": ["emotion"]})  # type: ignore[misc]
    id: Required[Annotated[str, _text(64, _NAME, "Its name in the suite; items of two evaluations are paired by it.")]]
    text: Required[
        Annotated[str, _text(MAX_TEXT_CHARS, _LINES, "What to speak; no control characters but line ends and tab.")]
    ]
    language: _Language
    emotion: Annotated[str, _text(200, _EMOTION, "A canonical emotion, or ENGINE:NAME for one of an engine's own.")]
    voice: Annotated[str, _text(200, _LINE, "One of the engine's own voices.")]
    reference: Annotated[str, _text(200, _LINE, "Id of an uploaded voice to speak with.")]
    strength: Annotated[_Strength, AfterValidator(abs), must_be("a number from 0 to 1")]  # -0.0 is 0
    tags: Annotated[list[_Tag], Field(json_schema_extra=_TAGS), few(f"at most {MAX_TAGS}", most=MAX_TAGS)]
    pronunciation: Any  # PRONUNCIATION checks it, because a mapping's shape has no mappings in it


class PronunciationMembers(TypedDict, total=False):
    """What is judged of an item's pronunciation: a part of its text, and how to say this part."""

    __pydantic_config__ = strict(title="Pronunciation")  # type: ignore[misc]
    target: Required[Annotated[str, _text(MAX_TARGET_CHARS, _LINE, "The part; it occurs once in the text.")]]
    right: Required[_Readings]
    wrong: Required[_Readings]


class SuiteMembers(TypedDict, total=False):
    """A suite: what is spoken to judge a pin."""

    __pydantic_config__ = strict(title="Suite", anyOf=[{"required": ["language"]}, _EVERY_ITEM_SAYS])  # type: ignore[misc]
    schema: Required[Annotated[_Schema, BeforeValidator(as_whole), must_be(str(SCHEMA))]]
    name: Required[Annotated[str, _text(64, _NAME, "The suite's name.")]]
    version: Required[Annotated[str, _text(32, _VERSION, "The team's own word; another one whenever an item changes.")]]
    title: Required[Annotated[str, _text(200, _LINE, "What the suite is, in a line.")]]
    licence: Required[Annotated[str, _text(100, _LINE, "Of the texts, as an SPDX expression.")]]
    description: Annotated[str, _text(4000, _LINES, "What it is for.")]
    language: _Language
    # the items are checked one by one: checking ends after so many faults
    items: Required[Annotated[Any, few("at least one item", 1)]]


ITEM = MappingShape(ItemMembers)
PRONUNCIATION = MappingShape(PronunciationMembers)
SUITE = MappingShape(SuiteMembers)


def is_name(value: object) -> bool:
    """Return whether an item may have this id."""
    return isinstance(value, str) and len(value) <= 64 and re.fullmatch(_NAME[0], value) is not None


class _Untitled(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002
        return False


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema, draft 2020-12, of a suite in YAML.

    In JSON Lines, the first line is that without `items`, and each further line fits `#/$defs/item`.
    """
    shapes = (SuiteMembers, ItemMembers, PronunciationMembers)
    suite, item, pronunciation = (TypeAdapter(one).json_schema(schema_generator=_Untitled) for one in shapes)
    item["properties"]["pronunciation"] = {"$ref": "#/$defs/pronunciation"}
    items = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": {"$ref": "#/$defs/item"}}
    suite["properties"]["items"] = items
    return {
        "$schema": _Untitled.schema_dialect,
        "$id": f"urn:ringtrue:suite:{SCHEMA}",
        **suite,
        "$defs": {"item": item, "pronunciation": pronunciation},
    }
