"""Options of an engine against the schema that it publishes, whatever of JSON Schema that uses and whoever made it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from services.gateway.models.admission import Admission, Provenance
from services.gateway.models.option_schema import OptionSchema
from services.gateway.requests.job_schemas import read_job
from shared.errors import InvalidRequest, RefusalCode
from shared.values.faults import MOST_FAULTS
from tests.gateway.place import RICH, SENTENCE

SCHEMA = {
    "type": "object",
    "properties": {
        "steps": {"$ref": "#/$defs/steps"},
        "gain": {"anyOf": [{"type": "number", "multipleOf": 0.5}, {"const": "auto"}]},
        "tags/~": {"type": "array", "items": {"type": ["string", "null"], "maxLength": 3}, "uniqueItems": True},
        "form": {"type": "object", "properties": {"a": {"enum": [1, None]}}, "required": ["a"]},
        "note": {"type": "string", "pattern": "^(a+)+$"},
    },
    "patternProperties": {"^x-": {"type": "boolean"}},
    "required": ["steps"],
    "additionalProperties": False,
    "$defs": {"steps": {"type": "integer", "minimum": 1, "exclusiveMaximum": 100}},
}
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({}, "/options/steps", "is needed"),
    ({"steps": 100}, "/options/steps", "100 is greater than or equal to the maximum of 100"),
    ({"steps": 2.5}, "/options/steps", '2.5 is not of type "integer"'),
    ({"steps": True}, "/options/steps", 'true is not of type "integer"'),
    ({"steps": 10**30}, "/options/steps", "maximum of 100"),
    ({"steps": 1, "gain": 0.7}, "/options/gain", "not valid under any"),
    ({"steps": 1, "tags/~": ["a", 7]}, "/options/tags~1~0/1", "7 is not of types"),
    ({"steps": 1, "tags/~": ["a", "a"]}, "/options/tags~1~0", "non-unique"),
    ({"steps": 1, "form": {}}, "/options/form/a", "is needed"),
    ({"steps": 1, "form": {"a": True}}, "/options/form/a", "true is not one of 1 or null"),
    ({"steps": 1, "x-1": 0}, "/options/x-1", '0 is not of type "boolean"'),
    ({"steps": 1, "a/b": 0}, "/options/a~1b", "unknown option; known options: steps, gain, tags/~, form, note"),
]


@pytest.mark.parametrize(("options", "pointer", "words"), BAD, ids=str)
def test_an_option_that_does_not_fit_is_told_by_its_place(options: dict[str, Any], pointer: str, words: str) -> None:
    (fault,) = OptionSchema(SCHEMA).faults(options)
    assert fault.pointer == pointer
    assert words in fault.detail


@pytest.mark.parametrize(
    "options", [{"steps": 1.0}, {"steps": 99, "gain": "auto", "tags/~": ["a", None], "form": {"a": None}, "x-y": True}]
)
def test_options_that_fit_are_taken(options: dict[str, Any]) -> None:
    assert not OptionSchema(SCHEMA).faults(options)


def test_no_more_faults_are_looked_for_than_are_told() -> None:
    found = OptionSchema(RICH.options_schema).faults({f"x{number}": number for number in range(1000)})
    assert len(found) == MOST_FAULTS + 1


def test_a_pattern_that_would_take_long_is_given_up() -> None:
    began = time.monotonic()
    assert [one.pointer for one in OptionSchema(SCHEMA).faults({"steps": 1, "note": "a" * 9_999 + "b"})] == [
        "/options/note"
    ]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"properties": []},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}},
        {"properties": {"a": {"$ref": "#/$defs/none"}}},
        {"$ref": "file:///etc/passwd"},
    ],
    ids=str,
)
def test_with_a_schema_that_is_none_no_option_is_taken_but_jobs_are(schema: dict[str, Any]) -> None:
    admission = Admission(replace(RICH, options_schema=schema))
    provenance = Provenance("job_1", "ann", SENTENCE, 0.0)
    assert admission.admit(read_job(SENTENCE), provenance).input.options == {}
    with pytest.raises(InvalidRequest, match="/options: none can be taken, as their schema is wrong: ") as refused:
        admission.admit(read_job({**SENTENCE, "options": {"a": 1}}), provenance)
    assert refused.value.code is RefusalCode.OPTION_INVALID


def test_a_member_may_be_declared_by_true_alone() -> None:
    options = OptionSchema({"properties": {"a": True, "rows": {"type": "array", "items": True}}})
    assert options.as_used({"a": 1.0, "rows": [2.0], "other": 3.0}) == {"a": 1.0, "rows": [2.0], "other": 3.0}


def test_a_schema_that_leads_to_itself_ends() -> None:
    assert not OptionSchema({"properties": {"a": {"$ref": "#/properties/a"}}}).faults({"a": 1})
