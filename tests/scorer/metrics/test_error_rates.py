"""Errors are counted by word or by character, and what was compared is kept."""

from __future__ import annotations

import pytest

from services.scorer.metrics.base import ErrorRate, Reading
from services.scorer.metrics.counting.lattice import MOST_CELLS
from services.scorer.metrics.counting.rates import character_error_rate, spaced_words, word_error_rate
from shared.scores import Reason, Transcript, Unscored


def value(reading: Reading) -> float:
    assert isinstance(reading, ErrorRate), reading
    return reading.value


@pytest.mark.parametrize(
    ("text", "heard", "language", "rate"),
    [
        ("Guten Tag, Welt!", "guten tag welt", "de", 0.0),
        ("l’été d'hier", "l'été d’hier", "fr", 0.0),
        ("Пять книг", "5 книг", "ru", 0.5),
        ("nine keys", "", "en", 1.0),
        ("one", "one two three", "en", 2.0),
        ("It's 20", "it’s twenty", "en", 0.0),
        ("Bücher ❤️ lesen", "bücher lesen", "de", 0.0),
        ("Donau\u00addampf\u00adschiff", "Donaudampfschiff", "de", 0.0),
        ("می\u200cخواهم", "میخواهم", "fa", 0.0),
    ],
)
def test_words_are_compared_as_they_are_written(text: str, heard: str, language: str, rate: float) -> None:
    assert value(word_error_rate(text, heard, language)) == pytest.approx(rate)


def test_hyphens_part_words_and_apostrophes_do_not() -> None:
    assert spaced_words("‘Arc-en-ciel’ — aujourd'hui… 100 %").split() == ["arc", "en", "ciel", "aujourdʼhui", "100"]


@pytest.mark.parametrize(
    ("text", "heard", "rate"),
    [
        ("今天天气很好。", "今天天气很好", 0.0),
        ("今天天气", "今天天", 0.25),
        ("今天天气", "明天天气啊", 0.5),
        ("今天天气", "", 1.0),
        ("好", "你好你好", 3.0),
        ("三百", "300", 0.0),
        ("三百", "400", 0.5),
        ("图书馆", "圖書館", 0.0),
        ("圖書館", "图书店", 1 / 3),
        ("to gether", "together", 0.0),
        ("我用电脑写 email", "我用电脑写 mail", 1 / 6),
    ],
)
def test_the_rate_of_chinese_is_that_of_characters_and_english_words(text: str, heard: str, rate: float) -> None:
    assert value(character_error_rate(text, heard, "zh")) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("text", "heard", "language", "rate"),
    [
        ("ten", "10", "en", 0.0),
        ("ten", "tan", "en", 1 / 3),
        ("hi 你好", "hi", "en", 0.5),
        ("zehn", "10", "de", 1.0),
        ("ｶﾞｷﾞ", "ガギ", "ja", 0.0),
    ],
)
def test_the_rate_of_other_languages_is_that_of_characters(text: str, heard: str, language: str, rate: float) -> None:
    assert value(character_error_rate(text, heard, language)) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["", "……", "😀"])
@pytest.mark.parametrize("language", ["zh", "en", "de"])
def test_a_text_without_characters_has_no_rate(text: str, language: str) -> None:
    found = character_error_rate(text, "你好", language)
    assert isinstance(found, Unscored)
    assert found.reason is Reason.NEEDS_TEXT


def test_languages_without_spaces_have_no_rate_of_words() -> None:
    found = word_error_rate("你好", "你好", "zh")
    assert isinstance(found, Unscored)
    assert found.reason is Reason.LANGUAGE_NOT_COVERED


def test_what_was_heard_and_what_was_compared_is_kept() -> None:
    english = word_error_rate("Dr. Lee has 10 seashells.", "Doctor Leigh has ten sea shells", "en")
    assert english == ErrorRate(
        0.2,
        Transcript(
            heard="Doctor Leigh has ten sea shells",
            text_counted="doctor lee has ten seashells",
            heard_counted="doctor leigh has ten seashells",
        ),
    )
    chinese = character_error_rate("請在10點到", "请在十点", "zh")
    assert chinese == ErrorRate(0.2, Transcript("请在十点", "请在十点到", "请在十点"))
    mixed = character_error_rate("用 ice cream 做10个", "用icecream做十个。", "zh")
    assert mixed == ErrorRate(0.0, Transcript("用icecream做十个。", "用 ice cream 做十个", "用 ice cream 做十个"))


def test_a_text_that_is_too_long_to_search_is_compared_in_its_first_reading() -> None:
    """1,900 words against 1,900 are more pairs than are searched: "1984" is then a number, and not a year."""
    words = "one two three four five six seven eight nine ten " * 190
    assert MOST_CELLS < 1_900**2
    assert value(word_error_rate(f"{words} 10", f"{words} ten", "en")) == 0
    assert value(word_error_rate("1984", "nineteen eighty four", "en")) == 0
    assert value(word_error_rate(f"{words} 1984", f"{words} nineteen eighty four", "en")) > 0
