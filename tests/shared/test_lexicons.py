"""Lexicons: where an entry matches in a text, what replaces it, and when two lexicons are the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.readings.lexicons import LONGEST_WORD, Lexicon, LexiconUsed

OURS = Lexicon(
    "ours",
    "1",
    {
        "重庆": "崇庆",
        "重": "虫",
        "Ringtrue": "ring true",
        "ring": "RING",
        "AI": "A I",
        "3D": "three D",
        "né": "nay",
        "नमक": "लवण",
        "서울": "서울시",
        "Dr. Who": "Doctor Who",
    },
)


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("我住在重庆市。", "我住在崇庆市。"),
        ("重量在重庆", "虫量在崇庆"),
        ("Ringtrue judges voices.", "ring true judges voices."),
        ("Does Ringtrue's gate hold?", "Does ring true's gate hold?"),
        ("Ringtrue", "ring true"),
        ("(Ringtrue)", "(ring true)"),
        ("用AI说话", "用A I说话"),
        ("AI-made", "A I-made"),
        ("a 3D film", "a three D film"),
        ("Dr. Who called Dr. Whom", "Doctor Who called Dr. Whom"),
        ("서울에서", "서울시에서"),
    ],
)
def test_a_word_is_replaced_by_its_reading(text: str, spoken: str) -> None:
    assert OURS.respelled(text) == spoken


@pytest.mark.parametrize(
    "text",
    [
        "Ringtrues", "PreRingtrue", "ringtrue", "strings", "RAID", "AI2", "2AI", "née", "né\u0301", "नमकीन", "an X3D",
        "", "Nothing of it.",
    ],
)  # fmt: skip
def test_a_part_of_a_word_and_another_spelling_are_left(text: str) -> None:
    assert OURS.respelled(text) == text


def test_a_reading_is_not_searched_again() -> None:
    swapped = replace(OURS, entries={"left": "right", "right": "left"})
    assert swapped.respelled("left right left") == "right left right"


def test_the_longest_word_counts_and_a_longer_one_that_is_no_whole_word_does_not_hide_it() -> None:
    nested = replace(OURS, entries={"New York": "NY", "New York City": "NYC"})
    assert nested.respelled("New York City, New York Citypass") == "NYC, NY Citypass"


@pytest.mark.parametrize(
    ("of_lexicon", "of_text", "covered"),
    [(None, "fr", True), ("zh", "zh", True), ("zh-TW", "zh-hans", True), ("zh", "en", False), ("EN", "en-gb", True)],
)
def test_only_texts_of_its_language_are_changed(of_lexicon: str | None, of_text: str, covered: bool) -> None:
    assert replace(OURS, language=of_lexicon).covers(of_text) is covered


def test_a_long_text_that_matches_nearly_everywhere_takes_steps_in_proportion_to_its_length() -> None:
    looked_at = 0

    class Counted(str):
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            nonlocal looked_at
            looked_at += 1
            return super().__getitem__(key)  # type: ignore[index]

    almost = {"a" * (LONGEST_WORD - 1) + letter: letter for letter in "bcdefgh"}
    text = Counted("阿" + "阿".join(["a" * 300, *almost]))
    assert Lexicon("n", "1", almost).respelled(text).count("a") == 300
    assert looked_at < (LONGEST_WORD + 4) * len(text)


def test_the_hash_covers_entries_and_language_and_nothing_else() -> None:
    used = OURS.used
    assert (
        used.sha256
        == replace(OURS, name="theirs", version="2", entries=dict(reversed(OURS.entries.items()))).used.sha256
    )
    assert used.sha256 != replace(OURS, entries={**OURS.entries, "重": "众"}).used.sha256
    assert used.sha256 != replace(OURS, language="zh").used.sha256
    assert used.label == f"ours 1 ({used.sha256[:12]})"


def test_a_member_of_a_later_version_is_ignored() -> None:
    assert LexiconUsed.from_json({"name": "n", "version": "1", "sha256": "ab", "alphabet": "ipa"}) == LexiconUsed(
        "n", "1", "ab"
    )
