"""What is wrong with a suite is said, all of it at once, each fault with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.suites.errors import Fault, SuiteInvalid
from shared.suites.form import MAX_ITEMS, MAX_TAGS
from shared.suites.reading import MAX_BYTES, read_suite
from tests.shared.suites.suite_texts import FIRST, HEAD, IN_JSON_LINES, IN_YAML, ONE, faults

SUITE_MEMBERS = "schema, name, version, title, licence, description, language, items"
ITEM_MEMBERS = "id, text, language, emotion, voice, reference, strength, tags, pronunciation"
IN_MANY_WAYS = """\
schema: 2
name: Our Suite
version: 1.0
licence: CC0-1.0
colour: red
items:
  - id: a
    text: One.
    language: en
  - id: a
    text: Two.
    mood: happy
    language: klingon!
  - text: Three.
  - id: d
    text: One.
    language: EN
  - just a text
"""


def test_all_of_it_is_said_at_once_with_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "suite.yaml"
    file.write_text(IN_MANY_WAYS)
    with pytest.raises(SuiteInvalid) as caught:
        read_suite(file)
    assert [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()] == [
        "1: schema must be 1 (found 2)",
        "1: title is missing",
        "2: name 'Our Suite' is not lower-case letters, digits, dots, underscores and hyphens",
        "3: version must be text; 1.0 is not text without quotes",
        f"5: unknown member 'colour'; known members: {SUITE_MEMBERS}",
        "10: item a: line 7 has an item of that id",
        f"12: item a: unknown member 'mood'; known members: {ITEM_MEMBERS}",
        "13: item a: language 'klingon!' is not a language tag such as en, en-GB or zh-Hans-CN (BCP 47); zh_CN and"
        " en_US.UTF-8 are accepted too",
        "14: item 3: id is missing",
        "14: item 3: there is no language: neither the item nor the suite says one",
        "15: item d: asks for the same as item a",
        f"18: item 5: a mapping is required, with the members {ITEM_MEMBERS}",
    ]


@pytest.mark.parametrize(
    ("item", "what"),
    [
        ("id: A, text: One.", "item 1: id 'A' is not lower-case letters, digits, dots, underscores and hyphens"),
        (f"id: {'a' * 65}, text: One.", "item 1: id has 65 characters; at most 64 are allowed"),
        ("id: 7, text: One.", "item 1: id must be text; 7 is not text without quotes"),
        ("id: a", "item a: text is missing"),
        ("id: a, text: ", "item a: text is empty"),
        ("id: a, text: ''", "item a: text is empty"),
        ("id: a, text: true", "item a: text must be text; true is not text without quotes"),
        ("id: a, text: [One.]", "item a: text must be text; a list is not text"),
        (f"id: a, text: '{'é' * 10_001}'", "item a: text has 10001 characters; at most 10000 are allowed"),
        ('id: a, text: "a\\x07b"', "item a: text has the control character U+0007 at 1"),
        (
            'id: a, text: "One.\\n"',
            "item a: text begins or ends with white space; in YAML, |- and >- leave out the last newline",
        ),
        (
            "id: a, text: One., emotion: joyful",
            "item a: emotion 'joyful' is not one of neutral, happy, angry, sad, fear, disgust, surprise or an engine's"
            " own (ENGINE:NAME)",
        ),
        ("id: a, text: One., emotion: sad, strength: 1.2", "item a: strength must be a number from 0 to 1 (found 1.2)"),
        ("id: a, text: One., emotion: sad, strength: -1", "item a: strength must be a number from 0 to 1 (found -1)"),
        (
            "id: a, text: One., emotion: sad, strength: .nan",
            "item a: strength must be a number from 0 to 1 (found '.nan')",
        ),
        (
            "id: a, text: One., emotion: sad, strength: true",
            "item a: strength must be a number from 0 to 1 (found true)",
        ),
        (
            "id: a, text: One., emotion: sad, strength: [1]",
            "item a: strength must be a number from 0 to 1 (found a list)",
        ),
        ("id: a, text: One., strength: 0.5", "item a: strength is that of an emotion, and there is none"),
        ("id: a, text: One., tags: short", f"item a: tags must be a list of at most {MAX_TAGS}"),
        (f"id: a, text: One., tags: {[*'abcdefghijklmnopq']}", f"item a: tags must be a list of at most {MAX_TAGS}"),
        ("id: a, text: One., tags: ['b,c']", "item a: one of tags 'b,c' is not one line of text without a comma"),
        ("id: a, text: One., tags: [b, b]", "item a: the tag 'b' appears twice"),
        ('id: a, text: One., voice: "b\\tc"', "item a: voice 'b\\tc' is not one line of text"),
        ("id: a, text: One., text: Two.", "item a: text appears twice, first in line 8"),
        ("id: a, text: *one", "item a: text is an alias (*one), which is not allowed: write it out"),
        (
            "id: a, text: !!python/name:os.system One.",
            "item a: text has a tag (tag:yaml.org,2002:python/name:os.system), which is not allowed",
        ),
        ("id: a, !!str text: One.", "item a: text has a tag (tag:yaml.org,2002:str), which is not allowed"),
    ],
)
def test_an_item_is_wrong(item: str, what: str) -> None:
    assert faults(f"{HEAD}- {{{item}}}\n") == [Fault(FIRST, what)]


def test_a_member_is_told_by_its_own_line() -> None:
    text = HEAD + "- id: a\n  text: One.\n  emotion: sad\n  strength: 7\n  tags:\n  - b\n  - ''\n"
    assert faults(text) == [
        Fault(FIRST + 3, "item a: strength must be a number from 0 to 1 (found 7)"),
        Fault(FIRST + 6, "item a: one of tags is empty"),
    ]


def test_what_could_not_be_read_is_told_once() -> None:
    text = HEAD + "- {id: a, text: *one}\n- {id: b, text: *one, tags: *two}\n- {? [id] : c, text: Three.}\n- *three\n"
    assert [(fault.line - FIRST, fault.what.partition(",")[0]) for fault in faults(text)] == [
        (0, "item a: text is an alias (*one)"),
        (1, "item b: tags is an alias (*two)"),
        (1, "item b: text is an alias (*one)"),
        (2, "item 3: '?' stands for a name that is not text"),
        (2, "item 3: id is missing"),
        (3, "item 4: is an alias (*three)"),
    ]


def test_names_are_told_in_a_few_words_however_many_and_long_they_are() -> None:
    head, *_ = IN_JSON_LINES.splitlines(keepends=True)
    many = {"id": "a", "text": "One."} | {f"x{number}": 1 for number in range(200)}
    long = '{"id": "b", "text": "Two.", "' + "x" * 1000 + '": 1, "\\ud800": 2}\n'
    assert faults(head + json.dumps(many) + "\n" + long, "suite.jsonl") == [
        Fault(2, f"item a: there are 202 members; known members: {ITEM_MEMBERS}"),
        Fault(3, f"item b: unknown member '\\ud800'; known members: {ITEM_MEMBERS}"),
    ]
    assert faults(head + long.replace("\\ud800", "y"), "suite.jsonl") == [
        Fault(2, f"item b: unknown member '{'x' * 39}…; known members: {ITEM_MEMBERS}"),
        Fault(2, f"item b: unknown member 'y'; known members: {ITEM_MEMBERS}"),
    ]


def test_a_wrong_language_of_the_suite_is_told_once() -> None:
    text = (HEAD + ONE + "- {id: b, text: Two.}\n").replace("language: en", "language: 7")
    assert faults(text) == [Fault(6, "language must be text; 7 is not text without quotes")]


def test_an_anchor_that_nobody_uses_is_taken() -> None:
    assert faults(HEAD + "- {id: a, text: &one One.}\n") == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault(1, "there is nothing in the file")),
        ("# nothing but a comment\n", Fault(1, "there is nothing in the file")),
        ("a: [1,\nb: 2\n", Fault(2, "not valid YAML: did not find expected ',' or ']'")),
        (HEAD + ONE + "---\n" + ONE, Fault(FIRST + 1, "a second document begins; a suite is one")),
        (HEAD + ONE + "- id: \x07\n", Fault(FIRST + 1, "control character U+0007")),
        (HEAD + "- " + "[" * 100_000, Fault(FIRST, "nested deeper than 8")),
        (HEAD + ONE + "[a]: b\n", Fault(FIRST + 1, "'?' stands for a name that is not text")),
        (HEAD, Fault(FIRST - 1, "items must be a list of at least one item")),
        (
            HEAD.replace("items:", "items: *a"),
            Fault(FIRST - 1, "items is an alias (*a), which is not allowed: write it out"),
        ),
        (HEAD + "  a: One.\n", Fault(FIRST - 1, "items must be a list of at least one item")),
        ((HEAD + ONE).replace("schema: 1", "schema: true"), Fault(1, "schema must be 1 (found true)")),
        ((HEAD + ONE).replace("schema: 1", "schema: [1]"), Fault(1, "schema must be 1 (found a list)")),
        (
            "- one\n",
            Fault(1, f"a mapping is required, with the members {SUITE_MEMBERS}"),
        ),
    ],
)
def test_a_file_is_wrong(text: str, fault: Fault) -> None:
    assert faults(text) == [fault]


def test_what_refers_to_itself_ends() -> None:
    assert [fault.line for fault in faults(HEAD + "- &a [*a]\n- &b {id: *b}\n")] == [FIRST, FIRST + 1, FIRST + 1]


def test_bytes_that_are_no_utf_8_have_a_line() -> None:
    before = (HEAD + ONE).encode() + b"- {id: b, text: Zw"
    (fault,) = faults(before + "ölf.}".encode("latin-1"))
    assert fault.line == FIRST + 1
    assert fault.what.startswith(f"byte {len(before)} (0xf6) is not UTF-8; if the text is GBK, `iconv ")


def test_a_file_has_bounds() -> None:
    assert faults(b"#" * (MAX_BYTES + 1)) == [Fault(1, "a suite has at most 8 MiB")]
    items = "".join(f'{{"id": "i{number}", "text": "{number}"}}\n' for number in range(MAX_ITEMS + 1))
    head = IN_JSON_LINES.splitlines(keepends=True)[0]
    assert faults(head + items, "suite.jsonl") == [Fault(MAX_ITEMS + 2, "at most 10000 items are allowed")]


TOKENS = [
    "*a",
    "&a ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "? ",
    ": ",
    "!!x ",
    "\n",
    "---\n",
    '"',
    "'",
    "|",
    ">",
    "<<: ",
    "\0",
    "#",
]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([(IN_YAML, "a.yaml"), (IN_JSON_LINES, "a.jsonl")]),
    st.lists(st.tuples(st.integers(0, len(IN_YAML)), st.integers(0, 20), st.sampled_from(TOKENS)), max_size=4),
)
def test_whatever_is_in_it_a_file_is_a_suite_or_has_faults(
    source: tuple[str, str], edits: list[tuple[int, int, str]]
) -> None:
    text, file = source
    for at, removed, token in edits:
        text = text[:at] + token + text[at + removed :]
    lines = max(1, len(text.splitlines()))
    assert [fault for fault in faults(text, file) if not 1 <= fault.line <= lines] == []


def test_the_ending_tells_the_notation() -> None:
    assert faults(HEAD + ONE, "suite.txt") == [Fault(1, "a suite's file ends in one of .yaml, .yml, .jsonl")]


def test_lines_of_json_are_told_by_their_numbers() -> None:
    head = IN_JSON_LINES.splitlines(keepends=True)[0]
    text = head + "\n".join(
        (
            "",
            '{"id": "a", "text": "One."',
            '{"id": "b", "text": "Two.", "id": "c"}',
            '{"id": "d", "text": "Three.", "emotion": "sad", "strength": NaN}',
            '{"id": "e", "text": "\\ud800"}',
            "[" * 100_000,
            '"f"',
            '{"id": "g", "text": [[[[[[[[[1]]]]]]]]]}',
        )
    )
    assert faults(text, "suite.jsonl") == [
        Fault(3, "item 1: is no JSON: Expecting ',' delimiter, column 27"),
        Fault(4, "item 2: id appears twice"),
        Fault(5, "item 3: is no JSON: NaN is none of its numbers"),
        Fault(6, "item e: text has the control character U+D800 at 0"),
        Fault(7, "item 5: is nested deeper than 8"),
        Fault(8, f"item 6: a mapping is required, with the members {ITEM_MEMBERS}"),
        Fault(9, "item g: text must be text; a list is not text"),
    ]


@pytest.mark.parametrize("head", ['{"schema": 1', "7"])
def test_items_are_checked_under_a_head_that_cannot_be_read(head: str) -> None:
    text = head + '\n{"id": "a", "text": "One.", "strength": 2, "language": "en"}\n'
    assert [fault.line for fault in faults(text, "suite.jsonl")] == [1, 2, 2]


def test_a_head_of_json_without_items() -> None:
    head = json.loads(IN_JSON_LINES.splitlines()[0])
    assert faults(json.dumps(head), "suite.jsonl") == [Fault(1, "items must be a list of at least one item")]
    assert faults("\n", "suite.jsonl") == [Fault(1, "there is nothing in the file")]
