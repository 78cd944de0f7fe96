"""Texts are normalised in one place, at a cost that is linear in whatever is written.

What takes long in a normalisation is the sorting of marks: each goes past those before it in its run. So the bound is
on the length of runs, which is counted here, and not on a time.
"""

from __future__ import annotations

import ast
import unicodedata
from collections import defaultdict
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.values.text import (
    _WITHOUT_MARKS,
    MOST_COMPOSED,
    MOST_MARKS,
    TextTooLong,
    TooManyMarks,
    check_marks,
    composed,
    in_form,
    shown,
    ssml_in,
)
from tests.rooms import tracked

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
MiB = 1 << 20
ODD = "\u0301\u0316\u0344\u0f73\u0958\u1f82é각\u1100\u1161\u11a8\u034f\u200d\u202e\ufe0f\u20dd\u0903\uff9e\ufdfaがẩ"
TEXTS = st.lists(
    st.tuples(st.text(st.one_of(st.sampled_from(ODD), st.characters()), min_size=1, max_size=3), st.integers(1, 40))
).map(lambda parts: "".join(part * times for part, times in parts))


def longest_run(text: str) -> int:
    """Of what is sorted, in the longest decomposition."""
    classes = map(unicodedata.combining, unicodedata.normalize("NFKD", text))
    return max((sum(1 for _ in run) for marks, run in groupby(classes, bool) if marks), default=0)


def is_mark(character: str) -> bool:
    """As sorting has it, or as people do."""
    return unicodedata.combining(character) > 0 or unicodedata.category(character)[0] == "M"


@cache
def of_each_category() -> dict[str, list[str]]:
    """Characters by their Unicode category."""
    found = defaultdict(list)
    for character in map(chr, range(0x110000)):
        found[unicodedata.category(character)].append(character)
    return found


@settings(deadline=None)
@given(TEXTS)
def test_what_is_taken_has_no_long_run_and_what_is_refused_has_one_by_unicodes_count(text: str) -> None:
    try:
        check_marks(text)
    except TooManyMarks:
        marks = map(is_mark, unicodedata.normalize("NFKD", text))
        assert max(sum(1 for _ in run) for mark, run in groupby(marks) if mark) > MOST_MARKS
    else:
        assert longest_run(text) <= MOST_MARKS


@settings(deadline=None)
@given(TEXTS, st.sampled_from(FORMS))
def test_a_text_that_nobody_can_be_told_of_is_broken_up_and_else_left(text: str, form: str) -> None:
    brought = in_form(form, text)  # type: ignore[arg-type]
    assert longest_run(brought) <= MOST_MARKS
    assert unicodedata.is_normalized(form, brought)  # type: ignore[arg-type]
    if longest_run(text) <= MOST_MARKS // 2 and "\u034f" not in text:
        assert brought.replace("\u034f", "") == unicodedata.normalize(form, text)  # type: ignore[arg-type]


@pytest.mark.parametrize("category", sorted(of_each_category()))
def test_much_of_any_category_is_brought_into_a_form_with_short_runs(category: str) -> None:
    characters = of_each_category()[category]
    text = "".join(characters * (MiB // 4 // len(characters) + 1))[: MiB // 4]
    assert longest_run(in_form("NFKD", text)[: MiB // 4]) <= MOST_MARKS
    with pytest.raises(TextTooLong):
        composed(text, 10_000)


@pytest.mark.parametrize("mark", ["\u0301", "\u0301\u0316", "\u0344", "\ufe0f", "\u20dd", "\u0903", "\u3099", "\uff9e"])
def test_thirty_marks_are_taken_and_one_more_is_not(mark: str) -> None:
    each = sum(map(is_mark, unicodedata.normalize("NFKD", mark)))
    fitting = "a" + mark * (MOST_MARKS // each)
    assert composed(fitting, 100) == unicodedata.normalize("NFC", fitting)
    with pytest.raises(TooManyMarks, match="at "):
        composed(fitting + mark, 100)


def test_the_length_is_looked_at_first() -> None:
    with pytest.raises(TextTooLong, match="520001 characters; at most 10000"):
        composed("a" + "\u0301\u0316" * 260_000, 10_000)
    with pytest.raises(TextTooLong, match="11 characters; at most 10"):
        composed("é" * 11, 10)


def test_no_character_is_composed_of_more_than_is_waited_for() -> None:
    longest = max(len(unicodedata.normalize("NFD", c)) for cs in of_each_category().values() for c in cs)
    assert longest == MOST_COMPOSED
    assert composed("\u03b1\u0313\u0300\u0345" * 10, 10) == "\u1f82" * 10


PEOPLE_WRITE = (
    "Tiếng Việt có dấu",
    "שָׁלוֹם עֲלֵיכֶם",
    "नमस्ते दुनिया",
    "རྒྱལ་པོ་སྐྱེས།",
    "👩🏽\u200d❤️\u200d💋\u200d👨🏽 ✌🏽",
    "สวัสดีชาวโลก",
    "\u1100\u1161\u11a8하",
)


def test_the_short_cut_passes_no_marks() -> None:
    passed = [c for cs in of_each_category().values() for c in cs if _WITHOUT_MARKS.fullmatch(c)]
    assert len(passed) > 30_000
    assert not any(is_mark(part) for c in passed for part in unicodedata.normalize("NFKD", c))


@pytest.mark.parametrize("text", PEOPLE_WRITE)
def test_what_people_write_is_taken(text: str) -> None:
    assert composed(text, 100) == unicodedata.normalize("NFC", text)


def test_values_in_messages_are_short_at_a_cost_that_is_not_their_length() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(deep) == "a list"
    assert shown("x" * MiB) == "'" + "x" * 39 + "…"
    assert shown("\u202ex\n") == "'\\u202ex\\n'"


def test_texts_are_normalised_in_one_place() -> None:
    elsewhere = []
    for path in tracked():
        if path.parts[0] in ("services", "shared", "client") and path != Path("shared/values/text.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                calls = isinstance(node, ast.Attribute) and node.attr == "normalize"
                if calls and isinstance(node.value, ast.Name) and node.value.id == "unicodedata":
                    elsewhere.append(path)
                if isinstance(node, ast.ImportFrom) and node.module == "unicodedata":
                    elsewhere.append(path)
    assert elsewhere == []


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("<speak>Hello</speak>", "speak"),
        ('Hello <break time="1s"/> you', "break"),
        ("Hello <BREAK/> you", "break"),
        ('<prosody rate="slow">Hello</prosody>', "prosody"),
        ('<say-as interpret-as="date">1</say-as>', "say-as"),
        ('<sub alias="World Wide Web">WWW</sub>', "sub"),
        ("<ssml:speak>Hello</ssml:speak>", "speak"),
        ('Hello <bookmark mark="here"/>', "bookmark"),
        ('<w role="verb">read</w>', "w"),
        ('<mstts:express-as style="sad">x</mstts:express-as>', "mstts:express-as"),
        ("A < b, c > d; <p>one</p> H<sub>2</sub>O <breakfast> if a<break and b>c", None),
    ],
)
def test_tags_of_ssml_are_found_and_others_are_text(text: str, tag: str | None) -> None:
    assert ssml_in(text) == tag
