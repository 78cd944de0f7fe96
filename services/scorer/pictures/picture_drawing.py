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
from matplotlib.axes import Axes
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
_F0_RATE = 8000
_LONGEST_F0_S = 120.0
"""In a longer clip a syllable is narrower than a pixel."""
_TITLE_CHARS = 80
_MAX_NUMBERED = 20

_INK, _FAINT, _WAVE, _F0, _EDGE = "#222222", "#666666", "#35548a", "#7fe0ff", "#e69f00"

Spectrum = npt.NDArray[np.float32]


class Drawing:
    """A figure that is laid out once and filled again for every clip, which makes a picture cheap."""

    def __init__(self) -> None:
        self._figure = Figure(figsize=(_WIDTH_PX / _DPI, _HEIGHT_PX / _DPI), dpi=_DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self._figure)
        self._wave = self._figure.add_axes((_LEFT, 0.72, _PLOT_WIDTH, 0.19))
        self._mel = self._figure.add_axes((_LEFT, 0.105, _PLOT_WIDTH, 0.595), sharex=self._wave)
        self._pitch = self._mel.twinx()
        self._title = self._figure.text(_LEFT, 0.938, "", fontsize=11, color=_INK, weight="bold", parse_math=False)
        self._facts = self._figure.text(_LEFT + _PLOT_WIDTH, 0.94, "", fontsize=9, color=_FAINT, ha="right")
        self._known = get_font(findfont("DejaVu Sans")).get_charmap()
        self._world = world()
        self._clip_artists: list[Any] = []
        self._lay_out()

    def png(self, audio: Audio, title: str, pieces: Sequence[Sequence[float]]) -> bytes:
        """Return a PNG of 900 x 480 px. ``pieces``: start and end in seconds of each piece.

        Raises `ValueError` for a clip without samples.
        """
        samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float32) / 32768.0
        if not len(samples):
            raise ValueError("a clip without a sample has no picture")
        for artist in self._clip_artists:
            artist.remove()
        self._clip_artists = []
        self._title.set_text("".join(c if ord(c) in self._known else "?" for c in title[:_TITLE_CHARS]))
        self._facts.set_text(f"{audio.duration_s:.2f} s   {audio.sample_rate / 1000:g} kHz")
        self._wave.set_xlim(0, audio.duration_s)
        self._draw_wave(samples, audio.duration_s)
        self._draw_mel(samples, audio)
        if audio.duration_s <= _LONGEST_F0_S:
            self._draw_pitch(samples, audio.sample_rate)
        self._draw_pieces([start for start, _ in pieces])
        return self._encoded()

    def _encoded(self) -> bytes:
        """Encode with a palette: a third of the bytes, in a third of the time."""
        self._canvas.draw()  # type: ignore[no-untyped-call]
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
        _quiet_top(self._wave)
        self._mel.set_xlabel("time (s)", fontsize=9, color=_FAINT, labelpad=2)
        self._mel.set_ylabel("frequency (kHz)", fontsize=9, color=_FAINT)
        self._wave.set_ylabel("amplitude", fontsize=9, color=_FAINT)
        self._pitch.set_ylabel("F0 (Hz)", fontsize=9, color=_INK)
        self._pitch.set_yscale("log")
        self._pitch.set_ylim(*_F0_RANGE_HZ)
        self._pitch.set_yticks([75, 150, 300, 600], labels=["75", "150", "300", "600"])
        self._pitch.minorticks_off()
        self._pitch.xaxis.set_visible(False)  # it would be drawn over the spectrogram's axis, which is the same

    def _draw_wave(self, samples: npt.NDArray[np.float32], duration_s: float) -> None:
        """Draw the lowest and highest sample per column. The scale is the next power of two above the peak."""
        edges = np.linspace(0, len(samples), min(_COLUMNS, len(samples)) + 1).astype(int)[:-1]
        low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
        times = edges / len(samples) * duration_s
        peak = max(float(high.max()), float(-low.min()), 1 / 8)
        scale = 2.0 ** math.ceil(math.log2(peak))
        self._wave.set_ylim(-scale, scale)
        self._wave.set_yticks([0, scale], labels=["0", f"{scale:g}"])
        self._clip_artists.append(self._wave.fill_between(times, low, high, color=_WAVE, linewidth=0.6))

    def _draw_mel(self, samples: npt.NDArray[np.float32], audio: Audio) -> None:
        top = min(_TOP_HZ, audio.sample_rate / 2)
        levels = mel_levels_db(samples, audio.sample_rate, top)
        extent = (0.0, audio.duration_s, 0.0, float(_mel(top)))
        image = self._mel.imshow(
            levels,
            cmap="magma",
            origin="lower",
            aspect="auto",
            extent=extent,
            vmin=-_RANGE_DB,
            vmax=0,
            interpolation="nearest",
        )
        ticks = [hz for hz in (500, 1000, 2000, 4000, 8000) if hz <= top]
        self._mel.set_yticks([float(_mel(hz)) for hz in ticks], labels=[f"{hz / 1000:g}" for hz in ticks])
        self._clip_artists.append(image)

    def _draw_pitch(self, samples: npt.NDArray[np.float32], sample_rate: int) -> None:
        narrow = soxr.resample(samples.astype(np.float64), sample_rate, _F0_RATE)
        period_ms = max(10.0, len(samples) / sample_rate / _COLUMNS * 1000)
        hz, times = f0(self._world, narrow, _F0_RATE, _F0_RANGE_HZ, period_ms)
        hz[hz <= 0] = np.nan
        outline = [withStroke(linewidth=4.0, foreground="black")]
        self._clip_artists += self._pitch.plot(times, hz, color=_F0, linewidth=1.8, path_effects=outline)

    def _draw_pieces(self, starts: Sequence[float]) -> None:
        """Draw a line where each piece except the first begins, and their numbers if there is room."""
        for number, start in enumerate(starts, 1):
            if number > 1:
                for axes in (self._wave, self._mel):
                    self._clip_artists.append(axes.axvline(start, color=_EDGE, linewidth=1.2, linestyle=(0, (4, 3))))
            if 1 < len(starts) <= _MAX_NUMBERED:
                place = self._wave.get_xaxis_transform()
                label = self._wave.text(
                    start, 0.97, f" {number}", transform=place, fontsize=8, color=_INK, va="top", clip_on=True
                )
                self._clip_artists.append(label)


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


def _quiet_top(axes: Axes) -> None:
    axes.tick_params(labelbottom=False, bottom=False)
    axes.margins(x=0)
