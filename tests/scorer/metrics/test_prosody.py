"""Pitch of voices that are known, and syllables counted by the rule (a silent e counts: it is an estimate)."""

from __future__ import annotations

import pytest

from services.scorer.metrics.prosody import syllables
from shared.scores import Reason, Unscored
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.measure import Measure


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Yes.", 1),
        ("the harbour leaves", 5),
        ("今天下午三点", 6),
        ("さくら", 3),
        ("안녕하세요", 5),
        ("Café, naïve!", 4),
        ("今天 meeting", 4),
        ("Добрый день", 3),
        ("…", 0),
        ("42", 1),
    ],
)
def test_syllables_are_characters_in_chinese_and_vowel_groups_elsewhere(text: str, count: int) -> None:
    assert syllables(text) == count


@pytest.mark.parametrize(("name", "low", "high"), [("en_plain", 180, 220), ("zh_plain", 80, 100), ("zh_low", 55, 70)])
def test_the_pitch_is_that_of_the_voice(measure: Measure, name: str, low: float, high: float) -> None:
    assert low < measure.value("prosody/f0_median_hz", "prosody", KNOWN[name].clip()) < high


def test_without_text_only_the_rate_is_missing(measure: Measure) -> None:
    known = KNOWN["en_plain"]
    scores = measure("prosody", type(known)(known.name, known.audio, None, {}).clip())
    missing = {name: s.reason for name, s in scores.items() if isinstance(s, Unscored)}
    assert missing == {"prosody/rate_per_s": Reason.NEEDS_TEXT}
