"""Decodes a sound file to speech: WAV, FLAC, MP3 or OGG, judged by its bytes and not by its name.

Owns how samples become the recording: channels are averaged, the sample rate stays, and a sample is ``round(x *
32768)`` clipped to 16 bits, so that a 16-bit mono file is kept bit by bit. Stops as soon as a file is too long. The
length that a file claims does not matter, except for a file that has less than it claims.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from services.upload_decoder import flac
from services.upload_decoder.faults import CutShort, FormatUnsupported, NotDecoded
from services.upload_decoder.level import Level
from services.upload_decoder.streams import streams_of
from shared.audio import Audio
from shared.voices import FORMATS, LONGEST_S, SHORTEST_S

RATES = (8_000, 192_000)
MOST_CHANNELS = 8
_BLOCK_SAMPLES = 1 << 16
_FULL_SCALE = 32_768
_UNKNOWN = 1 << 40
"""So many samples or more mean that the file does not say how many it has."""
_OTHERS = {
    "MP4, as M4A": re.compile(rb"....ftyp", re.DOTALL),
    "WebM or Matroska": re.compile(rb"\x1aE\xdf\xa3"),
    "AAC": re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"),
    "AMR": re.compile(rb"#!AMR"),
}
"""What phones and browsers record, by its first bytes (of AAC, an ADTS header). The decoder knows none of them."""
_MISSING = {"FLAC": 1, "MP3": 1_153}
"""By format: a file with so many samples fewer than it claims is cut short. MP3 encoders count whole frames. What other
formats claim is not about one stream, or was checked before."""


def decode(content: bytes) -> Audio:
    """Return the speech in a file. Raises `NotDecoded`."""
    if (other := next((name for name, begins in _OTHERS.items() if begins.match(content)), None)) is not None:
        raise FormatUnsupported(f"the format must be {', '.join(FORMATS)} (found {other})")
    heard: _Heard | None = None
    for stream in streams_of(content):
        claims = flac.claims_of(stream)
        try:
            with _Sound(io.BytesIO(stream if claims is None else flac.without_length(stream))) as sound:
                heard = heard or _Heard(sound.samplerate)
                _check(sound, heard)
                heard.add(sound, claims)
        except soundfile.LibsndfileError as error:
            raise NotDecoded(f"cannot be decoded: {error.error_string or 'it is damaged'}") from None
    assert heard is not None, "a file has a stream"
    return heard.audio()


class _Sound(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its beginning to its end only.

    By default it is sought in after each block, and then a FLAC file that does not say how long it is cannot be
    read."""

    def seekable(self) -> bool:
        return False


def _check(sound: soundfile.SoundFile, heard: _Heard) -> None:
    if sound.format.removesuffix("EX") not in FORMATS:
        raise FormatUnsupported(f"the format must be {', '.join(FORMATS)} (found {sound.format})")
    if not RATES[0] <= sound.samplerate <= RATES[1]:
        raise NotDecoded(f"the sample rate must be {RATES[0]} to {RATES[1]} Hz (found {sound.samplerate})")
    if sound.samplerate != heard.sample_rate:
        raise NotDecoded(f"its streams have different rates: {heard.sample_rate} Hz, then {sound.samplerate} Hz")
    if sound.channels > MOST_CHANNELS:
        raise NotDecoded(f"{sound.channels} channels; at most {MOST_CHANNELS} are allowed")


class _Heard:
    """The speech so far, of one stream after the other."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._pcm = bytearray()
        self._most_bytes = round(LONGEST_S * sample_rate) * 2
        self._level = Level(sample_rate)

    def add(self, sound: soundfile.SoundFile, claims: flac.Claims | None) -> None:
        """Add all of a stream. Raises `NotDecoded` for samples that are not finite, too much sound, or a stream that is
        cut short or not what it claims to be."""
        frames = 0
        checksum = flac.Checksum(claims) if claims else None
        for block in self._blocks(sound):
            if not np.isfinite(block).all():
                raise NotDecoded("it contains samples that are not numbers")
            if checksum is not None:
                checksum.add(block)
            mono = np.rint(block.mean(axis=1) * _FULL_SCALE)
            samples = np.clip(mono, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2")
            self._level.add(block, samples)
            self._pcm += samples.tobytes()
            frames += len(block)
            if len(self._pcm) > self._most_bytes:
                raise NotDecoded(f"longer than {LONGEST_S:g} s")
        claimed = sound.frames if claims is None else claims.samples
        if claimed < _UNKNOWN and claimed - frames >= _MISSING.get(sound.format, _UNKNOWN):
            raise CutShort(f"{frames / self.sample_rate:.3g} of {claimed / self.sample_rate:.3g} s are present")
        if checksum is not None and checksum.differs():
            raise NotDecoded("it is damaged: its samples are not those of its checksum (MD5)")

    def audio(self) -> Audio:
        audio = Audio(bytes(self._pcm), self.sample_rate)
        if audio.duration_s < SHORTEST_S:
            raise NotDecoded(f"{audio.duration_s:.3g} s; at least {SHORTEST_S:g} s are required")
        if (fault := self._level.fault()) is not None:
            raise NotDecoded(fault)
        return audio

    def _blocks(self, sound: soundfile.SoundFile) -> Iterator[NDArray[np.float64]]:
        most, left = _BLOCK_SAMPLES // sound.channels, sound.frames
        while left > 0:
            try:
                block = sound.read(min(most, left), dtype="float64", always_2d=True)
            except soundfile.LibsndfileError:
                seconds = len(self._pcm) / 2 / self.sample_rate
                raise CutShort(f"it is damaged, or has no end, after {seconds:.3g} s") from None
            if not len(block):
                return
            left -= len(block)
            yield block
