"""An item may say how a part of its text is pronounced. It is read with its lines, and hashed only where it is said."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from shared.readings.pronunciation import MAX_READINGS, Pronunciation
from shared.suites.form import suite_schema
from shared.suites.suite import Item
from tests.shared.suites.suite_texts import FIRST, HEAD, as_data, faults, parsed

CHONGQING = Pronunciation("重庆", ("崇庆",), ("众庆",))
IN_YAML = HEAD + "- {id: a, text: 我在重庆。, pronunciation: {target: 重庆, right: [崇庆], wrong: [众庆]}}\n"
ITEM = {"id": "a", "text": "我在重庆。", "pronunciation": {"target": "重庆", "right": ["崇庆"], "wrong": ["众庆"]}}


def test_both_notations_say_the_same() -> None:
    head = {"schema": 1, "name": "ours", "version": "1.0", "title": "Ours", "licence": "CC0-1.0", "language": "en"}
    in_json_lines = "\n".join(json.dumps(line, ensure_ascii=False) for line in (head, ITEM))
    suite = parsed(IN_YAML)
    assert suite.items == (Item("a", "我在重庆。", "en", pronunciation=CHONGQING),)
    assert parsed(in_json_lines, "suite.jsonl") == suite
    assert parsed(json.dumps(as_data(suite))) == suite


def test_it_is_part_of_what_an_item_asks_for() -> None:
    (item,) = parsed(IN_YAML).items
    assert item.submission()["pronunciation"] == ITEM["pronunciation"]
    assert Item.from_json(json.loads(json.dumps(item.to_json()))) == item


def test_the_hash_covers_it_where_there_is_one() -> None:
    """Without one an item is hashed as it always was: the hashes of the suites that ship are in another test."""
    without = parsed(HEAD + "- {id: a, text: 我在重庆。}\n")
    assert "pronunciation" not in without.items[0].hashed()
    hashes = {parsed(IN_YAML.replace("众庆", wrong)).sha256 for wrong in ("众庆", "中庆")}
    assert len({without.sha256, *hashes}) == 3


def test_two_items_that_differ_in_their_readings_alone_are_the_same_speech() -> None:
    twice = IN_YAML + "- {id: b, text: 我在重庆。}\n"
    assert [fault.what for fault in faults(twice)] == ["item b: asks for the same as item a"]


@pytest.mark.parametrize(
    ("members", "what"),
    [
        ("target: 上海, right: [崇庆], wrong: [众庆]", "target '上海' must occur once in the text (found 0 times)"),
        ("target: 重, right: [崇], wrong: [众]", "target '重' must occur once in the text (found 2 times)"),
        ("target: 重庆, right: [崇庆], wrong: [崇庆]", "the reading '崇庆' is right as well"),
        ("target: 重庆, right: [Red x], wrong: [red  X]", "the reading 'red x' is right as well"),
        ("target: 重庆, right: [崇庆, 崇庆], wrong: [众庆]", "the reading '崇庆' appears twice"),
        ("target: 重庆, right: [], wrong: [众庆]", f"right must be a list of 1 to {MAX_READINGS} readings"),
        ("target: 重庆, right: 崇庆, wrong: [众庆]", f"right must be a list of 1 to {MAX_READINGS} readings"),
        (
            f"target: 重庆, right: [崇庆], wrong: [{', '.join('abcdefghi')}]",
            f"wrong must be a list of 1 to {MAX_READINGS} readings",
        ),
        ("target: 重庆, right: [崇庆]", "wrong is missing"),
        ("right: [崇庆], wrong: [众庆]", "target is missing"),
        ("target: 重庆, right: [7], wrong: [众庆]", "one of right must be text; 7 is not text without quotes"),
        ("target: 重庆, right: [''], wrong: [众庆]", "one of right is empty"),
        (f"target: 重庆, right: [{'a' * 201}], wrong: [b]", "one of right has 201 characters; at most 200 are allowed"),
        (
            "target: 重庆, right: [崇庆], wrong: [众庆], maybe: [a]",
            "unknown member 'maybe'; known members: target, right, wrong",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(members: str, what: str) -> None:
    written = f"- id: a\n  text: 重庆的重。\n  pronunciation: {{{members}}}\n"
    (fault,) = faults(HEAD + written)
    assert fault.line == FIRST + 2
    assert fault.what == f"item a: pronunciation: {what}"


def test_a_fault_in_a_long_one_has_the_line_of_its_part() -> None:
    members = "    target: 重庆\n    right: [崇庆]\n    wrong:\n      - 众庆\n      - 崇庆\n"
    written = f"- id: a\n  text: 我在重庆。\n  pronunciation:\n{members}"
    (fault,) = faults(HEAD + written)
    assert (fault.line, fault.what) == (FIRST + 7, "item a: pronunciation: the reading '崇庆' is right as well")


def test_it_is_a_mapping() -> None:
    (fault,) = faults(HEAD + "- {id: a, text: One., pronunciation: wun}\n")
    assert fault.what == "item a: pronunciation: a mapping is required, with the members target, right, wrong"


@pytest.mark.parametrize(
    "wrong", [{"right": []}, {"wrong": None}, {"target": ""}, {"right": ["a", "a"]}, {"maybe": ["a"]}], ids=str
)
def test_the_schema_refuses_it_too(wrong: dict[str, Any]) -> None:
    schema = jsonschema.Draft202012Validator(suite_schema())
    head = {"schema": 1, "name": "ours", "version": "1.0", "title": "Ours", "licence": "CC0-1.0", "language": "zh"}
    changed = {**ITEM, "pronunciation": {**CHONGQING.to_json(), **wrong}}
    assert schema.is_valid({**head, "items": [ITEM]})
    assert not schema.is_valid({**head, "items": [changed]})
