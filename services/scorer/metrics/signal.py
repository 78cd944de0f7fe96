"""The family ``signal``: what the samples show directly. Length, level, clipping, share of speech.

Owns the measuring rules below. Knows no quality: these values describe, they do not grade.

- loudness: integrated, ITU-R BS.1770-4, with its gates; needs a clip of 0.4 s, one gating block.
- peak: the largest sample, not the true peak between samples.
- clipping: share of samples in runs of at least 3 equal samples at the clip's own peak, if that peak is at least 0.5
  full scale. Counting only samples at full scale would miss speech that was clipped and then attenuated.
- speech: Silero VAD (services/scorer/metrics/speech.py).

Another sample rate changes loudness by up to 0.1 LU, peak by 0.3 dB and the speech ratio by 0.02. Silence at the end
changes what is a share of the whole clip, as it should (tests/scorer/metrics/test_invariance.py). Resampling rounds
off what was clipped: measure clipping on the samples as they were spoken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyloudnorm  # type: ignore[import-untyped]

from services.scorer.metrics import speech
from services.scorer.metrics.base import MeasuredClip, Reading, Samples
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from shared import metrics
from shared.scores import Reason, Unscored

LOUDNESS_BLOCK_S = 0.4
CLIPPED_RUN = 3
CLIPPED_PEAK = 0.5


class Signal:
    """The family ``signal``."""

    info = metrics.SIGNAL

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            "signal",
            revision=1,
            packages=("pyloudnorm", "silero-vad", "onnxruntime", "soxr"),
            parameters={"clipped_run": CLIPPED_RUN, "clipped_peak": CLIPPED_PEAK, "speech": speech.PARAMETERS},
        )

    def load(self) -> None:
        _ = self._instruments.speech

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        if not len(clip.samples):
            empty = Unscored(Reason.TOO_SHORT, "no samples")
            return {**dict.fromkeys(self.info.names, empty), "signal/duration_s": 0.0}
        found = self._instruments.speech.find(clip)
        return {
            "signal/duration_s": clip.duration_s,
            "signal/loudness_lufs": loudness_lufs(clip),
            "signal/peak_dbfs": peak_dbfs(clip.samples),
            "signal/clipping_ratio": clipping_ratio(clip.samples),
            "signal/dc_offset": abs(float(np.mean(clip.samples, dtype=np.float64))),
            "signal/speech_ratio": found.duration_s / clip.duration_s,
            "signal/longest_pause_s": (
                found.longest_pause_s
                if found.stretches
                else Unscored(Reason.NO_SPEECH, "no speech, so there are no pauses")
            ),
        }


def loudness_lufs(clip: MeasuredClip) -> Reading:
    """Return the integrated loudness in LUFS. Unscored for silence and for clips shorter than 0.4 s."""
    if clip.duration_s < LOUDNESS_BLOCK_S:
        return Unscored(Reason.TOO_SHORT, f"loudness is measured in blocks of {LOUDNESS_BLOCK_S} s")
    if not np.any(clip.samples):
        return Unscored(Reason.NO_SPEECH, "digital silence")
    value = float(pyloudnorm.Meter(clip.sample_rate).integrated_loudness(clip.samples.astype(np.float64)))
    if not math.isfinite(value):
        return Unscored(Reason.NO_SPEECH, "below the gate of -70 LUFS")
    return value


def peak_dbfs(samples: Samples) -> Reading:
    """Return the largest magnitude in dB of full scale. Unscored for silence."""
    peak = float(np.max(np.abs(samples)))
    return 20 * math.log10(peak) if peak else Unscored(Reason.NO_SPEECH, "digital silence")


def clipping_ratio(samples: Samples) -> float:
    """Return the share of samples in flat runs at the clip's highest or lowest value."""
    clipped = 0
    for extreme in (float(samples.max()), float(samples.min())):
        if abs(extreme) < CLIPPED_PEAK:
            continue
        edges = np.flatnonzero(np.diff(np.concatenate(([0], samples == extreme, [0])).astype(np.int8)))
        runs = edges[1::2] - edges[::2]
        clipped += int(runs[runs >= CLIPPED_RUN].sum())
    return clipped / len(samples)
