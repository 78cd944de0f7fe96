"""What the recogniser writes down depends on the clip alone."""

from __future__ import annotations

import pytest

from services.scorer.metrics.english.recogniser import Recogniser
from services.scorer.metrics.instruments import Instruments
from tests.defects import with_silence_after
from tests.scorer.metrics.clips import KNOWN

FAST, PLAIN = KNOWN["en_fast"], KNOWN["en_plain"]


@pytest.fixture
def recogniser(instruments: Instruments) -> Recogniser:
    """With nothing heard yet."""
    return Recogniser(instruments.speech)


def test_what_was_heard_before_changes_nothing(recogniser: Recogniser) -> None:
    first = recogniser.transcript(FAST.clip())
    recogniser.transcript(PLAIN.clip())
    recogniser.transcript(FAST.clip(with_silence_after(FAST.audio, 1.0)))
    assert recogniser.transcript(FAST.clip()) == first


def test_words_come_in_lower_case(recogniser: Recogniser) -> None:
    assert recogniser.transcript(PLAIN.clip()).split()[:4] == ["please", "leave", "the", "keys"]
