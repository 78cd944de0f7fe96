"""Texts that do not fit: cut where it is heard least, and nothing of them lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.worker.engines.base import EngineError
from services.worker.engines.fitting import parts_that_fit

TEXTS = st.text(alphabet="ab1 .,;\n你。e\u0301👨\u200d👩", min_size=1, max_size=200).filter(lambda text: text.strip())


@given(TEXTS, st.integers(4, 60))
def test_every_part_fits_and_joined_they_are_the_text(text: str, most: int) -> None:
    try:
        parts = parts_that_fit(text, lambda part: len(part.strip()) <= most)
    except EngineError:
        return  # one run of marks and joiners that is longer than a part may be
    assert "".join(parts) == text
    assert all(len(part.strip()) <= most and part.strip() for part in parts)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("one two\nthree. four five", ["one two\n", "three. four five"]),
        ("one two. three, four five", ["one two. ", "three, four five"]),
        ("one two, three four five", ["one two, ", "three four five"]),
        ("one two three four five", ["one two three ", "four five"]),
        ("春眠不觉晓。处处闻啼鸟夜来", ["春眠不觉晓。", "处处闻啼鸟夜来"]),
        ("abcdefgh12345678", ["abcdefgh", "12345678"]),
        ("abcdefghijklmnop", ["abcdefgh", "ijklmnop"]),
        ("aaaaaae\u0301bbbbbbbb", ["aaaaaae\u0301", "bbbbbbbb"]),
    ],
)
def test_the_cut_is_at_the_best_place_near_the_middle(text: str, parts: list[str]) -> None:
    assert parts_that_fit(text, lambda part: len(part) < len(text)) == parts


def test_what_fits_is_not_cut() -> None:
    assert parts_that_fit("One. Two.\nThree.", lambda part: True) == ["One. Two.\nThree."]


def test_a_character_that_does_not_fit_is_refused() -> None:
    with pytest.raises(EngineError, match="'x' is longer than the engine can speak at once"):
        parts_that_fit("x", lambda part: False)
