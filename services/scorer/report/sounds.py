"""Listening copies: clips as MP3 that are small enough for the page, and how many of them fit.

The copies are lossy, and the page says so. The PCM was measured, and is named by its hash. Knows no page.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile  # type: ignore[import-untyped]
import soxr  # type: ignore[import-untyped]

from services.scorer.analysis.comparison.evaluated import SpokenClip
from services.scorer.report.contours import Overlay, PitchFinder
from services.scorer.report.pairing import ClipPair, PairedItem
from shared.audio import Audio

Sound = Callable[[str, int], Audio | None]
"""Returns a clip by the hash of its PCM and its sample rate in Hz. None: it is no longer kept."""

MOST_BYTES = 40_000_000
"""Bytes of all copies together, as they are in the page."""
MOST_ITEMS = 300
_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""The sample rates of MP3, in Hz."""
_COMPRESSION = 0.7
"""libsndfile's setting, 0 to 1: 57 kbit/s at 24 kHz, and speech needs no more."""


@dataclass(frozen=True, slots=True)
class Listening:
    """One side of an item: its copy as a data URI, or the reason why there is none."""

    clip: SpokenClip | None
    uri: str | None = None
    absent: str = ""


@dataclass(frozen=True, slots=True)
class PairedListening:
    """Both sides of an item at one seed, and their pitch if either was found."""

    seed: str | None
    """As in its pair."""
    baseline: Listening
    candidate: Listening
    overlay: Overlay | None = None


def mp3(audio: Audio) -> bytes:
    """Return the clip as MP3, mono, always the same bytes, at the next higher rate that the format has."""
    rate = next((rate for rate in _RATES if rate >= audio.sample_rate), _RATES[-1])
    samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float32) / 32768.0
    if rate != audio.sample_rate and len(samples):
        samples = soxr.resample(samples, audio.sample_rate, rate)
    out = io.BytesIO()
    soundfile.write(
        out,
        samples,
        rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=_COMPRESSION,
    )
    return out.getvalue()


class ListeningCopies:
    """Makes listening copies until the page is full. ``most_bytes`` and ``most_items`` are its limits."""

    def __init__(self, sound: Sound, most_bytes: int = MOST_BYTES, most_items: int = MOST_ITEMS) -> None:
        self._sound = sound
        self._bytes_left = most_bytes
        self._items_left = most_items
        self._pitch = PitchFinder()

    def hear(self, items: Sequence[PairedItem]) -> Mapping[str, PairedListening]:
        """Return the copies by item id. The first items are served first."""
        return {one.item.id: self._heard(one) for one in items}

    def _heard(self, one: PairedItem) -> PairedListening:
        pair = one.heard
        if pair is None:
            first = one.pairs[0] if one.pairs else ClipPair((0, 0), None, None)
            return PairedListening(None, _silent(first.baseline), _silent(first.candidate))
        full = self._items_left <= 0
        clips = (pair.baseline, pair.candidate)
        sides = [(clip, None if full or clip is None else self._audio(clip)) for clip in clips]
        copies = [None if audio is None else _uri(audio) for _, audio in sides]
        size = sum(len(copy) for copy in copies if copy)
        if full or size > self._bytes_left:
            self._items_left = 0
            left_out = "left out: the page would be too large"
            baseline, candidate = (_silent(clip, left_out) for clip, _ in sides)
            return PairedListening(pair.seed, baseline, candidate)
        self._bytes_left -= size
        self._items_left -= 1
        baseline, candidate = (
            Listening(clip, copy) if copy else _silent(clip) for (clip, _), copy in zip(sides, copies, strict=True)
        )
        return PairedListening(
            pair.seed, baseline, candidate, self._overlay(one.item.id, pair.seed, [a for _, a in sides])
        )

    def _audio(self, clip: SpokenClip) -> Audio | None:
        if clip.pcm_sha256 is None or clip.sample_rate is None:
            return None
        audio = self._sound(clip.pcm_sha256, clip.sample_rate)
        return audio if audio is not None and audio.pcm else None

    def _overlay(self, item: str, seed: str, sides: Sequence[Audio | None]) -> Overlay | None:
        if not any(sides):
            return None
        baseline, candidate = (None if audio is None else self._pitch.contour(audio) for audio in sides)
        return Overlay(item, seed, baseline, candidate)


def _uri(audio: Audio) -> str:
    return f"data:audio/mpeg;base64,{base64.b64encode(mp3(audio)).decode()}"


def _silent(clip: SpokenClip | None, why: str = "the audio is no longer kept") -> Listening:
    if clip is None:
        return Listening(None, absent="not spoken")
    return Listening(clip, absent=f"no audio: {clip.error}" if clip.error else why)
