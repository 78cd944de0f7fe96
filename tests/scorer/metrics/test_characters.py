"""Characters are counted alike in every script, and a text without any has no rate."""

from __future__ import annotations

import pytest

from services.scorer.metrics.characters import character_error_rate, characters
from shared.scores import Reason, Unscored


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天，天气“很好”！", "今天天气很好"),
        ("Don't panic: 42 %", "dontpanic42"),
        ("ＡＢＣ１２３", "abc123"),
        ("ｶﾞｷﾞ", "ガギ"),
        ("สวัสดีครับ", "สวัสดีครับ"),
        ("नमस्ते!", "नमस्ते"),
        ("Straße — ÉTÉ", "straßeété"),
        ("好😀️ 1️⃣", "好1"),
        (" …?!", ""),
        ("", ""),
    ],
)
def test_letters_marks_and_numbers_are_left(text: str, expected: str) -> None:
    assert characters(text, "") == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("圖書館裡面", "zh", "图书馆里面"),
        ("圖書館裡面", "cmn", "图书馆里面"),
        ("係咪喺度", "yue", "系咪喺度"),
        ("乾坤，乾杯", "zh", "乾坤干杯"),
        ("図書館 圖書館", "ja", "図書館圖書館"),
    ],
)
def test_chinese_is_brought_into_one_script_and_japanese_is_not(text: str, language: str, expected: str) -> None:
    assert characters(text, language) == expected


@pytest.mark.parametrize(
    ("text", "heard", "rate"),
    [
        ("今天天气很好。", "今天天气很好", 0.0),
        ("今天天气", "今天天", 0.25),
        ("今天天气", "明天天气啊", 0.5),
        ("今天天气", "", 1.0),
        ("好", "你好你好", 3.0),
        ("三百", "300", 1.5),
        ("图书馆", "圖書館", 0.0),
        ("圖書館", "图书店", 1 / 3),
        ("to gether", "together", 0.0),
    ],
)
def test_the_rate_is_that_of_the_texts_characters(text: str, heard: str, rate: float) -> None:
    assert character_error_rate(text, heard, "zh") == pytest.approx(rate)


@pytest.mark.parametrize("text", ["", "……", "😀"])
def test_a_text_without_characters_has_no_rate(text: str) -> None:
    found = character_error_rate(text, "你好", "zh")
    assert isinstance(found, Unscored)
    assert found.reason is Reason.NEEDS_TEXT
