"""The speech of a text is bounded by the text: what does not stop is no speech of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.worker.texts.lengths import OTHER_S, SHORTEST_BOUND_S, checked, longest_s
from shared.audio import Audio
from shared.errors import FailureCode, JobFailure

RATE = 10
SPEEDS = st.floats(0.25, 4)


def lasting(seconds: float) -> Audio:
    return Audio(bytes(2 * round(seconds * RATE)), RATE)


@pytest.mark.parametrize("text", ["Yes.", "好", "7", "The train leaves in ten minutes."])
def test_ten_minutes_for_a_few_words_are_refused_with_both_numbers(text: str) -> None:
    with pytest.raises(JobFailure) as refused:
        checked(lasting(590.0), text, 1.0)
    assert refused.value.code is FailureCode.AUDIO_INVALID
    assert refused.value.final
    assert "590.0 s" in refused.value.message
    assert f"{longest_s(text, 1.0):,.1f} s" in refused.value.message


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=100), SPEEDS)
def test_what_is_within_the_bound_is_taken_and_the_bound_grows_with_the_text(text: str, speed: float) -> None:
    most_s = longest_s(text, speed)
    assert checked(lasting(most_s - 1), text, speed).duration_s < most_s
    assert SHORTEST_BOUND_S <= most_s <= (SHORTEST_BOUND_S + OTHER_S * len(text)) * 4
    assert longest_s(text + "a", speed) > most_s
    assert longest_s(text, 0.25) == 4 * longest_s(text, 1.0) == 4 * longest_s(text, 4.0)
