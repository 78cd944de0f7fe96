"""DNSMOS over all windows of a clip, in time that grows with its length instead of its number of windows.

Owns how the published network (sig_bak_ovr.onnx) is run. It grades windows of 9.01 s, one per second, so most of the
sound is in nine windows; run as published, each window is computed anew. But nearly all of that work is four
convolutions of 3 x 3 and a pooling, which see no further than 4 spectral frames. So these run once per second of sound
(the head; convolutions.py says how), and the small rest once per window (the tail). The end of a window matters only
next to the two ends, so those frames are computed for each window separately. The result is that of the published
network up to rounding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from services.scorer.metrics.base import Samples
from services.scorer.metrics.dnsmos.convolutions import Convolutions, Features
from services.scorer.metrics.dnsmos.graph import cut, tensor

RATE = 16_000
WINDOW_SAMPLES = 144_160
"""9.01 s."""
STEP_SAMPLES = RATE
HOP, FRAME = 160, 320
WINDOW_FRAMES, STEP_FRAMES = 900, 100
_STEPS_PER_WINDOW = WINDOW_FRAMES // STEP_FRAMES
_REACH = 4
"""Frames that the four convolutions of the head see on either side."""
_POOL = 2
"""Frames that the head pools into one."""

_FRAMES_IN = "mos_estimator_logpow/concat:0"
_SPECTRA_OUT = "mos_estimator_logpow/truediv:0"
_CONVOLUTIONS = ("conv2d", "conv2d_1", "conv2d_2", "conv2d_3")
_HEAD_OUT = "mos_estimator_logpow/conv2d_3/Relu:0_pooling0"
_GRADES_OUT = "Identity:0"


class WindowedGrades:
    """Grades all windows of a clip. ``open_session`` makes an ONNX session from the bytes of a model."""

    def __init__(self, model: Path, open_session: Callable[[bytes], Any]) -> None:
        whole = model.read_bytes()
        self._spectra_session = open_session(cut(whole, inputs=[_FRAMES_IN], outputs=[_SPECTRA_OUT]))
        self._convolutions = Convolutions(
            [tensor(whole, f"{name}/kernel:0") for name in _CONVOLUTIONS],
            [tensor(whole, f"{name}/bias:0") for name in _CONVOLUTIONS],
        )
        self._tail_session = open_session(cut(whole, inputs=[_HEAD_OUT], outputs=[_GRADES_OUT]))

    def grades(self, samples: Samples, windows: int) -> Iterator[Features]:
        """Yield the raw signal, background and overall grade of each of the first ``windows`` windows, shape (3,).

        ``samples``: at 16 kHz, long enough for these windows.
        """
        frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
        seconds: deque[Features] = deque(maxlen=_STEPS_PER_WINDOW)
        for step in range(windows + _STEPS_PER_WINDOW - 1):
            seconds.append(self._second(frames, step * STEP_FRAMES))
            if len(seconds) == _STEPS_PER_WINDOW:
                start = (step - _STEPS_PER_WINDOW + 1) * STEP_FRAMES
                yield self._grade(np.concatenate(seconds, axis=1), frames[start : start + WINDOW_FRAMES])

    def _second(self, frames: Features, start: int) -> Features:
        """Return the features of one second in the middle of a window, shape (32, 50, 80)."""
        around = frames[max(start - _REACH, 0) : start + STEP_FRAMES + _REACH]
        missing_before = max(_REACH - start, 0)
        missing_after = STEP_FRAMES + 2 * _REACH - missing_before - len(around)
        around = np.pad(around, ((missing_before, missing_after), (0, 0)))
        return self._head(around[None])[0, :, _REACH // _POOL : -_REACH // _POOL]

    def _grade(self, features: Features, frames: Features) -> Features:
        """Return the grades of a window.

        Its ``features``, (32, 450, 80), were computed as if it had no ends; the ends are replaced here.
        """
        ends = self._head(np.stack((frames[: 2 * _REACH], frames[-2 * _REACH :])))
        true = _REACH // _POOL
        features[:, :true] = ends[0, :, :true]
        features[:, -true:] = ends[1, :, -true:]
        (grades,) = self._tail_session.run(None, {_HEAD_OUT: features[None]})
        return np.asarray(grades[0], np.float32)

    def _head(self, frames: Features) -> Features:
        (spectra,) = self._spectra_session.run(None, {_FRAMES_IN: np.ascontiguousarray(frames)})
        return self._convolutions(spectra)
