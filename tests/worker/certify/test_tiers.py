"""Planted pairs land in their tiers, by the numbers; and what cannot be said without samples is not said."""

from __future__ import annotations

import numpy as np
import pytest

from services.worker.certify.fingerprint import Fingerprint
from services.worker.certify.tiers import MOST_DB, Print, Tier, difference, distance_db, most_shift_s
from tests.worker.certify.clips_apart import RATE, Samples, audio, clip, unheard, vowels

VOICE = vowels()


def altered(at: int, by: int) -> Samples:
    samples = VOICE.copy()
    samples[at] += by
    return samples


def test_equal_samples_are_tier_0_and_nothing_differs() -> None:
    found = difference(clip(VOICE), clip(VOICE.copy()))
    assert (found.tier, found.first_sample, found.snr_db, found.log_mel_db) == (Tier.EQUAL, None, None, 0.0)


@pytest.mark.parametrize("at", [0, 1, 12_345, len(VOICE) - 1])
@pytest.mark.parametrize("by", [1, -2])
def test_an_altered_sample_is_found_at_its_index(at: int, by: int) -> None:
    found = difference(clip(VOICE), clip(altered(at, by)))
    assert (found.tier, found.first_sample, found.max_lsb) == (Tier.TOLERABLE, at, abs(by))


def test_three_lsb_are_too_many_for_tier_1() -> None:
    assert difference(clip(VOICE), clip(altered(777, 3))).tier is Tier.SAME_SOUND


def test_dither_of_one_lsb_is_tier_1() -> None:
    dither = np.random.default_rng(1).integers(-1, 2, len(VOICE))
    assert difference(clip(VOICE), clip(VOICE + dither)).tier is Tier.TOLERABLE


def test_the_snr_is_that_of_the_arithmetic() -> None:
    noise = np.tile([100, -100], len(VOICE))[: len(VOICE)]
    found = difference(clip(VOICE), clip(VOICE + noise))
    assert found.snr_db == pytest.approx(10 * np.log10((VOICE**2).mean() / 100**2), abs=0.01)


def test_a_slightly_softer_clip_is_the_same_sound() -> None:
    assert difference(clip(VOICE), clip(np.rint(VOICE * 0.95).astype(np.int64))).tier is Tier.SAME_SOUND


def test_a_clip_that_begins_a_frame_later_is_the_same_sound() -> None:
    later = np.concatenate([np.zeros(256, np.int64), VOICE])
    found = difference(clip(VOICE), clip(later))
    assert (found.tier, round(found.shift_s * RATE)) == (Tier.SAME_SOUND, 256)


def test_a_clip_that_is_the_beginning_of_another_differs_from_its_end_on() -> None:
    found = difference(clip(VOICE), clip(VOICE[:-400]))
    assert (found.tier, found.first_sample, found.max_lsb) == (Tier.SAME_SOUND, len(VOICE) - 400, 0)


def test_a_clip_that_is_much_longer_is_different_however_alike_it_begins() -> None:
    longer = np.concatenate([VOICE, np.zeros(RATE // 5, np.int64)])
    found = difference(clip(VOICE), clip(longer))
    assert found.log_mel_db <= MOST_DB
    assert found.shift_s > most_shift_s(len(longer) / RATE)
    assert found.tier is Tier.DIFFERENT


def test_a_last_word_that_is_missing_is_heard_however_long_the_clip_is() -> None:
    long = np.tile(VOICE, 20)
    found = difference(clip(long), clip(long[: -RATE // 3]))
    assert abs(found.shift_s) <= most_shift_s(len(long) / RATE)
    assert found.tier is Tier.DIFFERENT
    assert difference(clip(long[: -RATE // 3]), clip(long)).tier is Tier.DIFFERENT


def test_silence_at_the_end_costs_no_tier_within_the_limit() -> None:
    long = np.tile(VOICE, 20)
    found = difference(clip(long), clip(np.concatenate([long, np.zeros(RATE // 3, np.int64)])))
    assert found.tier is Tier.SAME_SOUND


def test_another_voice_is_different() -> None:
    assert difference(clip(VOICE), clip(vowels(pitch_hz=190, seed=5))).tier is Tier.DIFFERENT


def test_one_word_in_a_long_clip_is_not_averaged_away() -> None:
    long = np.tile(VOICE, 12)
    muted = long.copy()
    muted[5 * RATE : 5 * RATE + RATE // 3] = 0
    assert difference(clip(long), clip(muted)).tier is Tier.DIFFERENT


def test_without_samples_hashes_say_tier_0_and_fingerprints_the_rest() -> None:
    assert difference(unheard(clip(VOICE)), unheard(clip(VOICE))).tier is Tier.EQUAL
    found = difference(unheard(clip(VOICE)), clip(altered(777, 1)))
    assert (found.tier, found.heard, found.first_sample, found.snr_db) == (Tier.SAME_SOUND, False, None, None)
    assert difference(unheard(clip(VOICE)), clip(vowels(pitch_hz=190, seed=5))).tier is Tier.DIFFERENT


def test_another_sample_rate_is_never_equal_pcm() -> None:
    twice = Print.of(audio(np.repeat(VOICE, 2)))
    assert difference(clip(VOICE), twice).tier is Tier.DIFFERENT


@pytest.mark.parametrize("frames", [1, 2, 30])
def test_clips_shorter_than_a_stretch_are_compared_whole(frames: int) -> None:
    quiet, loud = (Fingerprint(np.full((frames, 48), level, np.uint8)) for level in (160, 180))
    assert distance_db(quiet, loud) == pytest.approx(10.0)
