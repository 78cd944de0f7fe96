"""The families ``nisqa_tts`` and ``nisqa``: predicted MOS by NISQA-TTS and NISQA 2.0.

NISQA-TTS predicts the naturalness of synthesised speech, NISQA 2.0 the quality of transmitted speech. Owns the way
from samples to windows of a mel spectrogram, and the limits on a clip's length. Judge synthetic speech by NISQA-TTS;
the other is here because it is widely reported. Its four further dimensions (noisiness, coloration, discontinuity,
loudness) were made for telephony and are not published as scores.

As in the authors' code, a clip is measured at its own sample rate, not resampled and not trimmed. Both predictors are
unstable. Without any change of the speech, another rate changes them by up to 0.25 (NISQA-TTS) and 0.3 (NISQA), a
second of silence at the end by up to 0.3 and 0.75 (tests/scorer/metrics/test_invariance.py). Most of the first comes
from rates that are no multiple of 100 Hz, such as 22,050, where the hop of 10 ms is cut to whole samples: at 24, 44.1
and 48 kHz NISQA-TTS agrees within 0.01. Compare voices at one rate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from services.scorer.metrics.base import MeasuredClip, Reading, Samples, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.nisqa import network, weights
from services.scorer.metrics.spectra import magnitudes, mel_filters
from services.scorer.metrics.weights import PinnedWeights
from shared import metrics
from shared.scores import MetricInfo, Reason, Unscored

FFT_SIZE = 4096
BANDS = 48
FLOOR = 1e-4
RANGE_DB = 80.0


def mel_spectrogram_db(samples: Samples, sample_rate: int, high_hz: float) -> Tensor:
    """Return a mel spectrogram in dB, frames of 20 ms every 10 ms, shape (48, frames).

    The lowest value is 80 dB below the highest.
    """
    spectra = magnitudes(
        samples, fft_size=FFT_SIZE, window=int(0.02 * sample_rate), hop=int(0.01 * sample_rate), padding="reflect"
    )
    mel = mel_filters(sample_rate, FFT_SIZE, BANDS, high_hz) @ spectra.T
    level = 20 * np.log10(np.maximum(mel, FLOOR))
    return torch.from_numpy(np.maximum(level, level.max() - RANGE_DB))


class _Predictor:
    """The part that both families share."""

    info: MetricInfo
    pin: PinnedWeights
    architecture: Callable[[dict[str, Tensor]], nn.Module]
    high_hz: float
    """Top of the mel bands."""
    step: int
    """Frames from one window to the next."""
    longest_s: float
    """Seconds of the longest clip that the authors allow: 6000 windows for NISQA-TTS, 1300 for NISQA."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._network: nn.Module | None = None

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            self.info.family,
            revision=1,
            weights={self.pin.file: self.pin.sha256},
            packages=("torch", "numpy"),
            parameters={"rate": "native", "high_hz": self.high_hz, "step": self.step},
        )

    def load(self) -> None:
        # This limit is for the whole process. Without it, torch's threads wait for each other on a busy machine.
        torch.set_num_threads(self._instruments.threads)
        self._network = self.architecture(weights.state_of(self.pin, self._instruments.models))

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        (name,) = self.info.names
        return {name: self._mos(clip)}

    def _mos(self, clip: MeasuredClip) -> Reading:
        if obstacle := too_long(clip, self.longest_s):
            return obstacle
        if len(clip.samples) <= FFT_SIZE // 2:
            return Unscored(Reason.TOO_SHORT, f"{len(clip.samples)} samples; the model needs {FFT_SIZE // 2 + 1}")
        spectrogram = mel_spectrogram_db(clip.samples, clip.sample_rate, self.high_hz)
        if spectrogram.shape[1] < network.WINDOW:
            return Unscored(Reason.TOO_SHORT, f"the model needs {network.WINDOW * 10} ms")
        return self.dimensions(spectrogram)[0]

    @torch.inference_mode()
    def dimensions(self, spectrogram: Tensor) -> list[float]:
        """Return all values of the network for a spectrogram of shape (48, frames). The MOS comes first."""
        assert self._network is not None, "load comes first"
        windows = spectrogram.unfold(1, network.WINDOW, self.step).permute(1, 0, 2).unsqueeze(1)
        return [float(value) for value in self._network(windows)]


class NisqaTts(_Predictor):
    """The family ``nisqa_tts``."""

    info = metrics.NISQA_TTS
    pin = weights.NISQA_TTS
    architecture = network.TtsNetwork
    high_hz, step, longest_s = 8_000.0, 1, 60.0


class Nisqa(_Predictor):
    """The family ``nisqa``."""

    info = metrics.NISQA
    pin = weights.NISQA
    architecture = network.QualityNetwork
    high_hz, step, longest_s = 20_000.0, 4, 52.0
