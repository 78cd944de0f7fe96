"""Sentences made by rules: no end of one, and nothing in the middle, goes unheard."""

from __future__ import annotations

import pytest

from tests.worker.engines.made_sentences import WORDS, lost, made
from tests.worker.engines.speakers import SPEAKERS

FEW = 10
"""`python -m tests.worker.engines.made_sentences 1000` speaks as many as one wants."""


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("family", SPEAKERS)
def test_a_family_leaves_nothing_of_a_sentence_out(family: str, language: str) -> None:
    speak = SPEAKERS[family](language)
    if speak is None:
        pytest.skip(f"{family} has no {language}")
    assert list(lost(speak, language, FEW)) == []


def test_a_long_clause_of_korean_is_heard_to_its_end() -> None:
    """espeak takes Hangul apart in a buffer that is full long before its other limits are met."""
    speak = SPEAKERS["espeak"]("ko")
    assert speak is not None
    sentence = made("ko", 317)
    assert speak(sentence.text(), 1) != speak(sentence.text(without=len(sentence.tokens) - 1), 1)
