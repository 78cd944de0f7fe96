"""Draws the picture of a clip: waveform above mel spectrogram with F0, on one time axis.

Runs inside picture_host.py only. The text of a clip is left out, because no font for it can be relied on. The colours
do not need colour vision: the spectrogram is ordered by lightness (magma), and lines differ from it by their outline.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patheffects import withStroke
from PIL import Image

from services.scorer.pyworld_f0 import f0, world
from shared.audio import Audio

_WIDTH_PX, _HEIGHT_PX, _DPI = 900, 480, 100
_LEFT, _PLOT_WIDTH = 0.068, 0.868
_BANDS = 96
_TOP_HZ = 8000.0
"""Speech has little above this, and the same top makes pictures comparable."""
_RANGE_DB = 70.0
_COLUMNS = 840
_COLOURS = 256
_F0_RANGE_HZ = (60.0, 600.0)
_F0_RATE = 4000
"""Hz. Half of 8000 takes half the time and moves the line by less than its width."""
_LONGEST_F0_S = 120.0
"""In a longer clip a syllable is narrower than a pixel."""
_TITLE_CHARS = 80
_MAX_NUMBERED = 20
_MOST_KEPT = 16
"""Layouts of 1.7 MB each."""

_MAGMA = colormaps["magma"](range(256), bytes=True)
_INK, _FAINT, _WAVE, _F0, _EDGE = "#222222", "#666666", "#35548a", "#7fe0ff", "#e69f00"

Spectrum = npt.NDArray[np.float32]


class Drawing:
    """A figure that is laid out once and filled again for every clip.

    What clips have in common (axes, labels, frequencies) is drawn once for each pair of scales and kept as pixels. Then
    a picture takes a third of the time: https://matplotlib.org/stable/users/explain/animations/blitting.html.
    """

    def __init__(self) -> None:
        self._figure = Figure(figsize=(_WIDTH_PX / _DPI, _HEIGHT_PX / _DPI), dpi=_DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        self._wave = self._figure.add_axes((_LEFT, 0.72, _PLOT_WIDTH, 0.19))
        self._mel = self._figure.add_axes((_LEFT, 0.105, _PLOT_WIDTH, 0.595), sharex=self._wave)
        self._pitch = self._mel.twinx()
        self._known = get_font(findfont("DejaVu Sans")).get_charmap()
        self._world = world()
        self._lay_out()
        self._title = self._figure.text(_LEFT, 0.938, "", fontsize=11, color=_INK, weight="bold", parse_math=False)
        self._facts = self._figure.text(_LEFT + _PLOT_WIDTH, 0.94, "", fontsize=9, color=_FAINT, ha="right")
        blank = np.zeros((1, 1, 4), dtype=np.uint8)
        self._levels = self._mel.imshow(blank, origin="lower", aspect="auto", interpolation="nearest")
        self._extremes = self._wave.fill_between([0, 1], 0, 0, color=_WAVE, linewidth=0.6)
        outline = [withStroke(linewidth=4.0, foreground="black")]
        (self._f0,) = self._pitch.plot([], [], color=_F0, linewidth=1.8, path_effects=outline)
        self._of_clip: list[Artist] = [
            *(self._title, self._facts, self._levels, self._extremes, self._mel.xaxis),
            *(*self._wave.spines.values(), *self._pitch.spines.values(), self._f0),  # the lines above what they frame
        ]
        for artist in self._of_clip:
            artist.set_animated(True)  # not drawn with the rest of the figure
        self._kept: dict[tuple[float, float], Any] = {}

    def png(self, audio: Audio, title: str, pieces: Sequence[Sequence[float]]) -> bytes:
        """Return a PNG of 900 x 480 px. ``pieces``: start and end in seconds of each piece.

        Raises `ValueError` for a clip without samples.
        """
        samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float32) / 32768.0
        if not len(samples):
            raise ValueError("a clip without a sample has no picture")
        self._title.set_text("".join(c if ord(c) in self._known else "?" for c in title[:_TITLE_CHARS]))
        self._facts.set_text(f"{audio.duration_s:.2f} s   {audio.sample_rate / 1000:g} kHz")
        scale, top = self._fill_wave(samples, audio.duration_s), min(_TOP_HZ, audio.sample_rate / 2)
        self._fill_mel(samples, audio, top)
        self._fill_pitch(samples, audio)
        self._wave.set_xlim(0, audio.duration_s)
        self._set_scales(scale, top)
        marks = self._marks([start for start, _ in pieces])
        for artist in (*self._of_clip, *marks):
            artist.draw(self._canvas.get_renderer())  # type: ignore[no-untyped-call]
        for mark in marks:
            mark.remove()
        return self._encoded()

    def _set_scales(self, scale: float, top: float) -> None:
        """Put onto the canvas what all clips of these scales have in common."""
        self._wave.set_ylim(-scale, scale)
        self._mel.set_ylim(0, _mel(top))
        if (scale, top) not in self._kept:
            self._wave.set_yticks([0, scale], labels=["0", f"{scale:g}"])
            ticks = [hz for hz in (500, 1000, 2000, 4000, 8000) if hz <= top]
            self._mel.set_yticks([_mel(hz) for hz in ticks], labels=[f"{hz / 1000:g}" for hz in ticks])
            self._canvas.draw()  # type: ignore[no-untyped-call]
            if len(self._kept) == _MOST_KEPT:
                self._kept.clear()
            self._kept[scale, top] = self._canvas.copy_from_bbox(self._figure.bbox)  # type: ignore[no-untyped-call]
        self._canvas.restore_region(self._kept[scale, top])  # type: ignore[no-untyped-call]

    def _encoded(self) -> bytes:
        """Encode with a palette: a third of the bytes, in a third of the time."""
        pixels = self._canvas.buffer_rgba()  # type: ignore[no-untyped-call]
        rgba = Image.frombuffer("RGBA", self._canvas.get_width_height(), pixels)
        out = io.BytesIO()
        rgba.convert("RGB").quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            out, "png", compress_level=3
        )
        return out.getvalue()

    def _lay_out(self) -> None:
        for axes in (self._wave, self._mel, self._pitch):
            axes.tick_params(labelsize=8, colors=_FAINT, length=3)
            for side in ("top", "bottom", "left", "right"):
                axes.spines[side].set_color("#bbbbbb")
        self._wave.tick_params(labelbottom=False, bottom=False)
        self._mel.set_xlabel("time (s)", fontsize=9, color=_FAINT)
        self._mel.xaxis.set_label_coords(0.5, -0.078)  # else matplotlib measures every tick's label to place it
        self._mel.set_ylabel("frequency (kHz)", fontsize=9, color=_FAINT)
        self._wave.set_ylabel("amplitude", fontsize=9, color=_FAINT)
        self._pitch.set_ylabel("F0 (Hz)", fontsize=9, color=_INK)
        self._pitch.set_yscale("log")
        self._pitch.set_ylim(*_F0_RANGE_HZ)
        self._pitch.set_yticks([75, 150, 300, 600], labels=["75", "150", "300", "600"])
        self._pitch.minorticks_off()
        self._pitch.xaxis.set_visible(False)  # it would be drawn over the spectrogram's axis, which is the same

    def _fill_wave(self, samples: npt.NDArray[np.float32], duration_s: float) -> float:
        """Take the lowest and highest sample per column. Return the scale: the next power of two above the peak."""
        edges = np.linspace(0, len(samples), min(_COLUMNS, len(samples)) + 1).astype(int)[:-1]
        low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
        self._extremes.set_data(edges / len(samples) * duration_s, low, high)
        peak = max(float(high.max()), float(-low.min()), 1 / 8)
        return float(2.0 ** math.ceil(math.log2(peak)))

    def _fill_mel(self, samples: npt.NDArray[np.float32], audio: Audio, top: float) -> None:
        levels = mel_levels_db(samples, audio.sample_rate, top)
        self._levels.set_data(_MAGMA[((levels + _RANGE_DB) * (255 / _RANGE_DB)).astype(np.uint8)])
        self._levels.set_extent((0.0, audio.duration_s, 0.0, _mel(top)))

    def _fill_pitch(self, samples: npt.NDArray[np.float32], audio: Audio) -> None:
        if audio.duration_s > _LONGEST_F0_S:
            self._f0.set_data([], [])
            return
        narrow = soxr.resample(samples.astype(np.float64), audio.sample_rate, _F0_RATE)
        period_ms = max(10.0, audio.duration_s / _COLUMNS * 1000)
        hz, times = f0(self._world, narrow, _F0_RATE, _F0_RANGE_HZ, period_ms)
        hz[hz <= 0] = np.nan
        self._f0.set_data(times, hz)

    def _marks(self, starts: Sequence[float]) -> list[Artist]:
        """Return a line where each piece except the first begins, and the pieces' numbers if there is room."""
        marks: list[Artist] = []
        for number, start in enumerate(starts, 1):
            for axes in (self._wave, self._mel) if number > 1 else ():
                marks.append(axes.axvline(start, color=_EDGE, linewidth=1.2, linestyle=(0, (4, 3))))
            if 1 < len(starts) <= _MAX_NUMBERED:
                place = self._wave.get_xaxis_transform()
                marks.append(
                    self._wave.text(
                        start, 0.97, f" {number}", transform=place, fontsize=8, color=_INK, va="top", clip_on=True
                    )
                )
        return marks


def mel_levels_db(samples: npt.NDArray[np.float32], sample_rate: int, top_hz: float) -> Spectrum:
    """Return a mel spectrogram in dB below its own peak, clipped at -70, shape (96 bands from 0 to ``top_hz``,
    columns)."""
    window = 1 << round(math.log2(sample_rate * 0.032))
    hop = max(round(sample_rate * 0.005), math.ceil(len(samples) / _COLUMNS))
    padded = np.pad(samples, window // 2, mode="constant")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    shape = np.hanning(window).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * shape)) ** 2
    mel = _filterbank(sample_rate, window, top_hz) @ power.T
    reference = max(float(mel.max()), 1e-4)  # so that silence stays dark
    return np.asarray(10 * np.log10(np.maximum(mel / reference, 10 ** (-_RANGE_DB / 10))), dtype=np.float32)


def _filterbank(sample_rate: int, window: int, top_hz: float) -> Spectrum:
    """Return triangles on the mel scale, shape (bands, window / 2 + 1)."""
    hz = np.linspace(0, sample_rate / 2, window // 2 + 1)
    edges = 700 * (10 ** (np.linspace(0, _mel(top_hz), _BANDS + 2) / 2595) - 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    # A band that is narrower than the grid still gets the bin that it falls on.
    width = np.maximum(np.minimum(centre - low, high - centre), hz[1])
    weights = np.maximum(0, 1 - np.abs(hz - centre) / width)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _mel(hz: float) -> float:
    """Return the mel value of a frequency, on O'Shaughnessy's scale."""
    return 2595 * math.log10(1 + hz / 700)
