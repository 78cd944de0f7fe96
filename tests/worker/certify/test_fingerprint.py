"""The fingerprint is what its definition says, on any machine."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from services.worker.certify.fingerprint import BANDS, FLOOR_DB, Fingerprint, NoFingerprint, fingerprint
from shared.audio import Audio


def sine(hertz: float, rate: int, seconds: float = 1.0, level: float = 1.0) -> Audio:
    at = np.arange(round(seconds * rate)) / rate
    return Audio(np.rint(32767 * level * np.sin(2 * np.pi * hertz * at)).astype("<i2").tobytes(), rate)


def loudest(of: Fingerprint) -> tuple[int, float]:
    """Band and level of a frame in the middle."""
    frame = of.levels[len(of.levels) // 2]
    return int(frame.argmax()), float(frame.max())


def test_there_is_a_frame_every_ten_milliseconds() -> None:
    assert fingerprint(sine(500, 16_000)).cells.shape == (100, BANDS)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 48_000])
def test_the_same_sound_has_the_same_levels_at_every_rate(rate: int) -> None:
    band, level = loudest(fingerprint(sine(1000, rate)))
    expected_band, expected_level = loudest(fingerprint(sine(1000, 24_000)))
    assert (band, level) == (expected_band, pytest.approx(expected_level, abs=0.5))


def test_a_tenth_of_the_amplitude_is_twenty_decibels_less() -> None:
    loud, soft = (loudest(fingerprint(sine(1000, 16_000, level=level))) for level in (1.0, 0.1))
    assert loud[0] == soft[0]
    assert loud[1] - soft[1] == pytest.approx(20.0, abs=0.5)


def test_bands_rise_with_the_pitch() -> None:
    bands = [loudest(fingerprint(sine(hertz, 16_000)))[0] for hertz in (150, 400, 1000, 3000, 6000)]
    assert bands == sorted(set(bands))


def test_silence_is_the_floor() -> None:
    assert (fingerprint(Audio(bytes(2 * 1600), 16_000)).levels == FLOOR_DB).all()


def test_a_clip_of_one_sample_has_a_frame() -> None:
    assert fingerprint(Audio(b"\x00\x10", 16_000)).cells.shape == (1, BANDS)


def test_it_travels_as_text() -> None:
    before = fingerprint(sine(700, 16_000))
    assert (Fingerprint.from_text(before.to_text()).cells == before.cells).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64!",
        base64.b64encode(b"not zlib").decode(),
        base64.b64encode(zlib.compress(bytes(BANDS + 1))).decode(),
        base64.b64encode(zlib.compress(bytes(BANDS * 4))[:-6]).decode(),
        base64.b64encode(zlib.compress(bytes(BANDS * 1_000_001))).decode(),
    ],
    ids=["empty", "no base64", "no zlib", "half a frame", "cut short", "a bomb"],
)
def test_what_is_no_fingerprint_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NoFingerprint):
        Fingerprint.from_text(text)
