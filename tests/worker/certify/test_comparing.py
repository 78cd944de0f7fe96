"""Two certificates: which items are held against each other, and the verdict over all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.worker.certify import table
from services.worker.certify.certificate import Certificate
from services.worker.certify.comparing import NothingInCommon, compared
from services.worker.certify.tiers import Tier
from tests.worker.certify.clips_apart import certificate, clip, vowels

SAMPLES = vowels()
VOICE, OTHER = clip(SAMPLES), clip(vowels(pitch_hz=190, seed=5))


def nearly() -> Certificate:
    changed = SAMPLES.copy()
    changed[100] += 2
    return certificate(VOICE, clip(changed), where="there")


def test_the_verdict_is_that_of_the_worst_item() -> None:
    found = compared(certificate(VOICE, VOICE), nearly())
    assert [pair.difference and pair.difference.tier for pair in found.pairs] == [Tier.EQUAL, Tier.TOLERABLE]
    assert found.tier is Tier.TOLERABLE
    assert compared(certificate(VOICE, VOICE), certificate(VOICE, OTHER)).tier is Tier.DIFFERENT


def test_without_audio_on_one_side_the_table_says_what_it_cannot_say() -> None:
    found = compared(certificate(VOICE, VOICE).without_audio(), nearly())
    assert found.tier is Tier.SAME_SOUND
    assert [pair.id for pair in found.unheard] == ["item-1"]
    assert "tier 1 cannot be said: no samples from first: here (" in table.of_comparison(found)


def test_an_item_that_one_lacks_leaves_no_verdict_and_is_named() -> None:
    found = compared(certificate(VOICE, VOICE), certificate(VOICE, unspoken={"item-1": "engine_error: why"}))
    assert found.tier is None
    assert found.pairs[1].why == "not spoken in the second: engine_error: why"


def test_items_of_which_something_else_was_asked_are_not_compared() -> None:
    made = certificate(VOICE, VOICE)
    other = replace(made.entries[1], asked={"text": "Something else.", "seed": 0})
    found = compared(made, replace(made, entries=(made.entries[0], other)))
    assert found.tier is None
    assert found.pairs[1].why == "the requests differ: text"


def test_other_defaults_of_the_pins_are_named() -> None:
    made = certificate(VOICE)
    spoken = replace(made.entries[0], used={"text": "Text 0.", "voice": "anna"})
    found = compared(made, replace(made, entries=(spoken,)))
    assert found.pairs[0].used_otherwise == ("voice",)
    assert "other defaults for" in table.of_comparison(found)


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(NothingInCommon):
        compared(certificate(), certificate(VOICE))


def test_the_table_shows_both_sides_of_what_differs_and_a_ratio() -> None:
    one = certificate(VOICE)
    entry = replace(one.entries[0], timings={"rtf": 0.25})
    other = certificate(
        VOICE, where="there", environment={"os": "Darwin"}, manifest={**one.manifest, "pin": "voice-v2"}
    )
    text = table.of_comparison(compared(one, replace(other, entries=(entry,))))
    assert "| pin | voice-v1 | voice-v2 |" in text
    assert "| os | Linux | Darwin |" in text
    assert "| real-time factor, warm | 0.5 | 0.25 | 0.50 | x |" in text


def test_two_files_are_told_apart_by_their_names_where_both_were_made_here() -> None:
    text = table.of_comparison(compared(certificate(VOICE), certificate(VOICE)), ("old.json", "new.json"))
    assert "| function | first: old.json | second: new.json |" in text
    assert "| spoken | here | here |" in text
