"""A sound file to speech: WAV, FLAC, MP3 or OGG, by what the bytes are and not by what they are called.

Owns the rule by which samples become the recording: channels are averaged, the rate stays, and a sample is
``round(x * 32768)`` within 16 bits, so that a 16-bit mono file is kept bit by bit. Stops as soon as a file is too long:
how long it says it is does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from shared.audio import Audio
from shared.errors import RingtrueError
from shared.voices import FORMATS, LONGEST_S, SHORTEST_S

RATES = (8_000, 192_000)
MOST_CHANNELS = 8
_BLOCK_SAMPLES = 1 << 16
_FULL_SCALE = 32_768


class NotHeard(RingtrueError):
    """A file that is no recording of a voice, as far as can be told without listening."""


class FormatUnsupported(NotHeard):
    """A sound file of another kind."""


def decode(file: BinaryIO) -> Audio:
    """The speech in ``file``. Raises `NotHeard`."""
    try:
        with soundfile.SoundFile(file) as sound:
            _check(sound)
            return _heard(sound)
    except soundfile.LibsndfileError as error:
        raise NotHeard(f"cannot be decoded: {error.error_string}") from None


def _check(sound: soundfile.SoundFile) -> None:
    if sound.format.removesuffix("EX") not in FORMATS:
        raise FormatUnsupported(f"{', '.join(FORMATS)} are taken, not {sound.format}")
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        raise NotHeard(f"{sound.samplerate} Hz, {RATES[0]} to {RATES[1]} are taken")
    if sound.channels > MOST_CHANNELS:
        raise NotHeard(f"{sound.channels} channels, at most {MOST_CHANNELS} are taken")


def _heard(sound: soundfile.SoundFile) -> Audio:
    pcm = bytearray()
    most_bytes = round(LONGEST_S * sound.samplerate) * 2
    for block in _blocks(sound):
        if not np.isfinite(block).all():
            raise NotHeard("there are samples in it that are no numbers")
        mono = np.rint(block.mean(axis=1) * _FULL_SCALE)
        pcm += np.clip(mono, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()
        if len(pcm) > most_bytes:
            raise NotHeard(f"longer than {LONGEST_S:g} s")
    audio = Audio(bytes(pcm), sound.samplerate)
    if audio.duration_s < SHORTEST_S:
        raise NotHeard(f"{audio.duration_s:.3g} s, at least {SHORTEST_S:g} s are needed")
    if not any(pcm):
        raise NotHeard("it is silent")
    return audio


def _blocks(sound: soundfile.SoundFile) -> Iterator[NDArray[np.float64]]:
    frames = _BLOCK_SAMPLES // sound.channels
    while len(block := sound.read(frames, dtype="float64", always_2d=True)):
        yield block
