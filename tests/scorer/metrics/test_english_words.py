"""A text is brought into the words that a recogniser writes."""

from __future__ import annotations

import pytest

from services.scorer.metrics.counting.english import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The train leaves at NINE.", "the train leaves at nine"),
        ("Don’t — please — go!", "don't please go"),
        ("'Quoted' words", "quoted words"),
        ("well-known café", "well known cafe"),
        ("20 minutes", "twenty minutes"),
        ("1,250 m", "one thousand two hundred fifty m"),
        ("3.14", "three point one four"),
        ("the 21st of May, the 12th, the 30th", "the twenty first of may the twelfth the thirtieth"),
        ("5% & more", "five percent and more"),
        ("1234567890123", "one two three four five six seven eight nine zero one two three"),
        ("inter\u00adnational \u200elaw", "international law"),
        ("你好", ""),
        ("", ""),
    ],
)
def test_case_punctuation_and_numbers(text: str, expected: str) -> None:
    assert words(text) == expected


def test_large_numbers_have_no_and() -> None:
    assert words("2,000,019") == "two million nineteen"
    assert words("999,999,999,999").startswith("nine hundred ninety nine billion")
    assert words("103rd") == "one hundred third"
