"""The pitch of two clips in one small drawing: F0 over time. The SVG is written by hand to be small: there is one per
item.

The F0 is found as in the metric ``prosody`` (DIO and StoneMask of WORLD, every 10 ms). Knows no page: its colours are
the page's variables.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]

from services.scorer.pyworld_f0 import f0, world
from services.scorer.report.chart import FACES, ROLES, WIDTH_PX, Chart
from shared.audio import Audio

LOWEST_HZ, HIGHEST_HZ = 50.0, 600.0
FRAME_MS = 10.0
RATE = 16_000

_SVG = 'xmlns="http://www.w3.org/2000/svg"'
_HEIGHT = 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 26, 4, 12, 16
_TICKS_HZ = (60, 80, 100, 150, 200, 300, 400, 600)
_STEPS_S = (0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)
_MOST_POINTS = 400
"""Points of a contour: more than one per pixel cannot be seen."""
_COLUMNS = 3
_GAP = 14

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Contour:
    """F0 of one clip in Hz, every ``step_s`` seconds, NaN where unvoiced. ``duration_s`` is that of the whole clip."""

    hz: Values
    step_s: float
    duration_s: float

    @property
    def voiced(self) -> Values:
        return self.hz[~np.isnan(self.hz)]


class PitchFinder:
    """Finds contours. Keep one, because it loads WORLD."""

    def __init__(self) -> None:
        self._world: Any = world()

    def contour(self, audio: Audio) -> Contour:
        """Return the contour of any clip, also of an empty one."""
        samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float64) / 32768.0
        if not len(samples):
            return Contour(np.zeros(0), FRAME_MS / 1000, 0.0)
        samples = soxr.resample(samples, audio.sample_rate, RATE)
        hz, _ = f0(self._world, samples, RATE, (LOWEST_HZ, HIGHEST_HZ), FRAME_MS)
        every = max(1, math.ceil(len(hz) / _MOST_POINTS))
        return Contour(np.where(hz > 0, hz, np.nan)[::every], FRAME_MS * every / 1000, audio.duration_s)


@dataclass(frozen=True, slots=True)
class ContourFrame:
    """The range of pitch in Hz that all drawings of a report share, so that they can be compared."""

    low: float
    high: float

    @classmethod
    def around(cls, contours: Sequence[Contour]) -> ContourFrame:
        """Return the 1st to 99th percentile of all voiced frames, half a semitone wider on either side, at least an
        octave."""
        voiced = np.concatenate([np.zeros(0), *(contour.voiced for contour in contours)])
        if not len(voiced):
            return cls(100.0, 300.0)
        low, high = (float(edge) for edge in np.percentile(voiced, (1, 99)))
        middle, half = math.sqrt(low * high), max(math.sqrt(high / low), math.sqrt(2))
        return cls(middle / half / 1.03, middle * half * 1.03)

    def y(self, hz: Values | float) -> Any:
        share = np.log(np.clip(hz, self.low, self.high) / self.low) / math.log(self.high / self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Both contours of an item."""

    item: str
    seed: str
    baseline: Contour | None
    candidate: Contour | None

    @property
    def says(self) -> str:
        """What the drawing shows, in words."""
        sides = (("baseline", self.baseline), ("candidate", self.candidate))
        parts = [f"{name} {_median(contour)}" for name, contour in sides if contour is not None]
        return f"Pitch of {self.item}, seed {self.seed}: {', '.join(parts)}"

    def body(self, frame: ContourFrame) -> str:
        """Return the drawing, without the element around it."""
        longest = max(c.duration_s for c in (self.baseline, self.candidate) if c is not None) or 1.0
        scale = (WIDTH_PX - _LEFT - _RIGHT) / longest
        lines = [
            _line(contour, frame, scale, role, dash)
            for contour, role, dash in ((self.baseline, "baseline", "4 2.5"), (self.candidate, "candidate", ""))
            if contour is not None
        ]
        return _grid(frame, longest, scale) + "".join(lines)

    def inline(self, frame: ContourFrame) -> str:
        """Return the element for the page."""
        label = html.escape(self.says)
        size = f'viewBox="0 0 {WIDTH_PX} {_HEIGHT}"'
        return f'<svg {_SVG} {size} class="pitch" role="img" aria-label="{label}">{self.body(frame)}</svg>'


def sheet(overlays: Sequence[Overlay], frame: ContourFrame) -> Chart:
    """Return all overlays in one file."""
    rows = math.ceil(len(overlays) / _COLUMNS)
    tile_width, tile_height = WIDTH_PX + _GAP, _HEIGHT + 18
    width, height = _COLUMNS * tile_width + _GAP, rows * tile_height + 40
    tiles = []
    for place, overlay in enumerate(overlays):
        x, y = _GAP + place % _COLUMNS * tile_width, 36 + place // _COLUMNS * tile_height
        name = html.escape(f"{overlay.item}, seed {overlay.seed}")
        title = f'<text x="{_LEFT}" y="2" fill="var(--ink)" font-size="10.5">{name}</text>'
        tiles.append(f'<g transform="translate({x} {y})">{title}<g>{overlay.body(frame)}</g></g>')
    said = f"F0 in Hz over seconds: baseline dashed, candidate solid; n = {len(overlays)} items"
    heading = f'<text x="{_GAP}" y="18" fill="var(--ink)" font-size="12">{said}</text>'
    svg = (
        f'<svg {_SVG} width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{FACES}"><rect width="100%" height="100%" fill="var(--paper)"/>{heading}{"".join(tiles)}</svg>\n'
    )
    return Chart("f0", said, said, _in_ink(svg, {role: colour for colour, role in ROLES.items()}))


def _in_ink(svg: str, colours: Mapping[str, str]) -> str:
    for role, colour in colours.items():
        svg = svg.replace(f"var(--{role})", colour)
    return svg


def _median(contour: Contour) -> str:
    return f"median {np.median(contour.voiced):.0f} Hz" if len(contour.voiced) else "no voice"


def _line(contour: Contour, frame: ContourFrame, scale: float, role: str, dash: str) -> str:
    """Return one path, with a gap where there is no voice."""
    heights = frame.y(contour.hz)
    commands, pen_down = [], False
    for place, height in enumerate(heights.tolist()):
        if math.isnan(height):
            pen_down = False
            continue
        commands.append(f"{'L' if pen_down else 'M'}{_LEFT + place * contour.step_s * scale:.1f} {height:.1f}")
        pen_down = True
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    path = "".join(commands)
    # a style, because an attribute takes no variable
    return f'<path d="{path}" style="fill:none;stroke:var(--{role});stroke-width:1.8"{dashed} stroke-linecap="round"/>'


def _grid(frame: ContourFrame, longest: float, scale: float) -> str:
    parts = [_word(_LEFT - 4, 9, "Hz", "end")]
    for hz in (hz for hz in _TICKS_HZ if frame.low <= hz <= frame.high):
        y = float(frame.y(float(hz)))
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{WIDTH_PX - _RIGHT}" style="stroke:var(--rule);stroke-width:.7"/>')
        parts.append(_word(_LEFT - 4, y + 3.3, str(hz), "end"))
    step = next((step for step in _STEPS_S if longest / step <= 7), 600.0)
    for count in range(int(longest / step) + 1):
        x = _LEFT + count * step * scale
        unit = " s" if count == 0 else ""
        anchor = "middle" if x < WIDTH_PX - 14 else "end"
        parts.append(_word(x, _HEIGHT - 4, f"{count * step:g}{unit}", anchor))
    return "".join(parts)


def _word(x: float, y: float, text: str, anchor: str) -> str:
    style = "fill:var(--faint);font-size:9.5px"
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{style}">{text}</text>'
