"""A suite as JSON is held to the rules that files are, and its faults have places instead of lines."""

from __future__ import annotations

from typing import Any

import pytest

from shared.suites.document import DocumentInvalid, suite_in
from shared.suites.reading import golden_names, golden_suite


def document(*items: Any, **head: Any) -> dict[str, Any]:
    said = {"schema": 1, "name": "ours", "version": "1", "title": "One", "licence": "CC0-1.0", "language": "en"}
    return {**said, "items": list(items or [{"id": "one", "text": "Hello."}]), **head}


@pytest.mark.parametrize("name", golden_names())
def test_what_a_suite_says_of_itself_is_that_suite(name: str) -> None:
    suite = golden_suite(name)
    assert suite_in(suite.to_json()) == suite


@pytest.mark.parametrize(
    ("said", "pointer", "detail"),
    [
        ({}, "", "is missing"),
        (document(schema=2), "/schema", "schema must be 1 (found 2)"),
        (document(name="Ours!"), "/name", "lower-case"),
        (document(items=[]), "/items", "at least one item"),
        (document(items={"id": "one"}), "/items", "at least one item"),
        (document("one"), "/items/0", "a mapping is required"),
        (document({"id": "one"}), "/items/0", "text is missing"),
        (document({"id": "one", "text": 3}), "/items/0/text", "must be text"),
        (document({"id": "one", "text": "a", "tags": ["x", "x"]}), "/items/0/tags/1", "appears twice"),
        (document({"id": "a", "text": "a"}, {"id": "a", "text": "b"}), "/items/1/id", "/items/0/id has an item"),
        (document({"id": "a", "text": "a", "a/b~c": 1}), "/items/0/a~1b~0c", "unknown member 'a/b~c'"),
        (document(sha256="ab" * 32), "/sha256", "is not that of the items"),
    ],
)
def test_a_fault_has_its_place(said: dict[str, Any], pointer: str, detail: str) -> None:
    with pytest.raises(DocumentInvalid) as invalid:
        suite_in(said)
    errors = {error.pointer: error.detail for error in invalid.value.errors}
    assert detail in errors[pointer]


def test_all_faults_are_told_in_the_order_of_the_document() -> None:
    with pytest.raises(DocumentInvalid) as invalid:
        suite_in(document({"id": "A"}, {"id": "b", "text": ""}, schema=0))
    pointers = [error.pointer for error in invalid.value.errors]
    assert pointers == ["/schema", "/items/0", "/items/0/id", "/items/1/text"]


def test_what_is_nested_too_deeply_is_not_followed() -> None:
    deep: Any = "a"
    for _ in range(1000):
        deep = [deep]
    with pytest.raises(DocumentInvalid, match="/items/0: item 1: a mapping is required"):
        suite_in(document(deep))
