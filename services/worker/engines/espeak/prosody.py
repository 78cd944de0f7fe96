"""From speed, pitch and emotion to the settings of espeak and sonic.

Owns the presets (one TOML file per pin) and the measured curves of espeak's own scales. What lies beyond the curves is
left to sonic. Knows no voice and no text.

The curves are means over en-us, en-us+f5, cmn and cmn+f2 of two sentences each: duration at 175 words per minute over
duration, and median F0 (WORLD) over median F0 at pitch 50. Single voices are within 4 % of them. Near the ends of
espeak's pitch scale (0-99) they differ by more, so the ends are left to sonic as well.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.worker.engines.sonic import Stretch
from shared.controls import CANONICAL_EMOTIONS, Emotion

Curve = Sequence[tuple[int, float]]
"""Points (espeak's scale, factor), both rising."""

RATE: Curve = (
    (80, 0.461),
    (90, 0.494),
    (100, 0.550),
    (120, 0.667),
    (140, 0.787),
    (160, 0.909),
    (175, 1.0),
    (190, 1.091),
    (210, 1.217),
    (240, 1.404),
    (280, 1.651),
    (320, 1.872),
    (350, 2.051),
    (380, 2.210),
    (420, 2.430),
    (450, 2.527),
)
PITCH: Curve = (
    (30, 0.815),
    (40, 0.898),
    (50, 1.0),
    (60, 1.114),
    (70, 1.240),
    (80, 1.389),
    (90, 1.562),
)
PLAIN = "neutral"


@dataclass(frozen=True, slots=True)
class EspeakManner:
    """How something is said: factors on rate and pitch, and espeak's scales of range and volume."""

    rate: float
    pitch: float
    range: float
    volume: float

    def towards(self, other: EspeakManner, share: float) -> EspeakManner:
        """Return the manner that is ``share`` of the way from here to ``other``, linear in each quantity."""
        return EspeakManner(
            self.rate + share * (other.rate - self.rate),
            self.pitch + share * (other.pitch - self.pitch),
            self.range + share * (other.range - self.range),
            self.volume + share * (other.volume - self.volume),
        )


@dataclass(frozen=True, slots=True)
class EspeakSettings:
    """espeak's settings, in its own units, and what sonic does afterwards."""

    rate: int
    pitch: int
    range: int
    volume: int
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Preset:
    """How one pin sounds."""

    package: str
    """The release of espeakng-loader that it is made for."""
    description: str
    plain: EspeakManner
    emotions: Mapping[str, EspeakManner]

    def manner(self, emotion: Emotion | None) -> EspeakManner:
        """Return the plain manner at strength 0, the emotion's own at 1. Raises `KeyError` for an emotion without a
        preset."""
        if emotion is None or emotion.name in (None, PLAIN):
            return self.plain
        return self.plain.towards(self.emotions[emotion.name], emotion.strength)


def read_preset(file: Path) -> Preset:
    """Read the preset in ``file``. Raises `KeyError` or `ValueError` if it is not one."""
    with file.open("rb") as opened:
        data = tomllib.load(opened)
    emotions = {name: EspeakManner(**data["emotion"][name]) for name in CANONICAL_EMOTIONS if name != PLAIN}
    return Preset(data["package"], data["description"], EspeakManner(**data["plain"]), emotions)


def settings(manner: EspeakManner, speed: float, pitch_scale: float, volume: float) -> EspeakSettings:
    """Return the settings: espeak's own as far as its scales reach, sonic for the rest. ``speed``, ``pitch_scale``:
    factors. ``volume``: 0-200; 100 leaves the manner's own."""
    rate, tempo = _nearest(RATE, manner.rate * speed)
    pitch, shift = _nearest(PITCH, manner.pitch * pitch_scale)
    return EspeakSettings(
        rate=rate,
        pitch=pitch,
        range=round(manner.range),
        volume=min(200, round(manner.volume * volume / 100)),
        stretch=Stretch(tempo, shift),
    )


def _nearest(curve: Curve, factor: float) -> tuple[int, float]:
    """Return the place on espeak's scale for ``factor``, and the factor that is left for sonic."""
    lowest, highest = curve[0], curve[-1]
    if factor <= lowest[1]:
        return lowest[0], factor / lowest[1]
    if factor >= highest[1]:
        return highest[0], factor / highest[1]
    at = bisect_left(curve, factor, key=lambda point: point[1])
    (low, low_factor), (high, high_factor) = curve[at - 1], curve[at]
    return round(low + (high - low) * (factor - low_factor) / (high_factor - low_factor)), 1.0
