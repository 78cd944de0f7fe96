"""The characters of a text are the same in every script."""

from __future__ import annotations

import pytest

from services.scorer.metrics.characters import characters


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
