"""The models of the voices in memory: from phonemes to samples, with the noise drawn here.

Owns the sessions of onnxruntime and the random numbers, which are a function of the seed alone (numpy's PCG64; the
stream is that of the pinned numpy). Knows nothing of how text becomes phonemes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.hibari.files import HibariVoice
from services.worker.engines.hibari.waveform import BINS, HibariFrames, waveform
from services.worker.engines.onnx_models.phoneme_lengths import WHAT, own_speed, whole_frames, with_lengths
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions
from services.worker.engines.onnx_models.session import inputs_of, listed, opened
from shared.errors import FailureCode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_PHONEMES = 400
"""The package gives the model no more at once."""
_PADDING = 0
_INPUTS: Mapping[str, str] = {"ids": "tensor(int64)", "speed": "tensor(float)"}
_OUTPUTS = ("lh", "theta", "ln", "lr", "phi", "f0")
_SILENT = 1e-4


@dataclass(frozen=True, slots=True)
class HibariSpoken:
    """Some spoken phonemes: float samples (n,), full scale 1."""

    samples: npt.NDArray[np.float32]
    frames: int
    """The whole frames of all phonemes."""
    plain_frames: int
    """Those that they would have at speed 1."""


class HibariModel:
    """The model of one voice in memory. For one thread."""

    def __init__(self, voice: HibariVoice, pin_options: OnnxPinOptions) -> None:
        """Load it. Raises `EngineError`."""
        model, self._lengths = with_lengths(voice.model.read_bytes())
        self._session = opened(model, WHAT, pin_options.device, pin_options.threads)
        if (inputs := inputs_of(self._session)) != _INPUTS:
            raise EngineError(f"expected a model with the inputs {listed(_INPUTS)}, got {listed(inputs)}")
        outputs = [output.name for output in self._session.get_outputs()]
        if lacking := [name for name in _OUTPUTS if name not in outputs]:
            raise EngineError(f"expected a model with the outputs {', '.join(_OUTPUTS)}; it lacks {', '.join(lacking)}")

    def spoken(self, numbers: Sequence[int], speed: float, seed: Sequence[int]) -> HibariSpoken:
        """Speak phonemes, at most `MOST_PHONEMES`, given as their numbers. Speeds that are not left to the model count
        as the nearest that is. Raises `EngineError` if the model gives nothing."""
        import numpy as np

        assert 0 < len(numbers) <= MOST_PHONEMES, len(numbers)
        native_speed = np.float32(own_speed(speed))
        given: dict[str, Any] = {
            "ids": np.array([[_PADDING, *numbers, _PADDING]], np.int64),
            "speed": np.array([native_speed], np.float32),
        }
        *frames, lengths = self._session.run([*_OUTPUTS, self._lengths], given)
        samples = waveform(_checked_frames(frames), np.random.default_rng(seed))
        if not samples.size or np.abs(samples).max() < _SILENT:
            raise EngineError("the model was silent", FailureCode.ENGINE_RETURNED_NOTHING)
        return HibariSpoken(samples, whole_frames(lengths / native_speed), whole_frames(lengths))


def _checked_frames(outputs: Sequence[Any]) -> HibariFrames:
    voiced, turn, noise, free, phases, f0 = (output[0] for output in outputs)
    spectra = (voiced, turn, noise, free, phases)
    if f0.ndim != 1 or not f0.size or any(one.shape != (BINS, len(f0)) for one in spectra):
        shapes = ", ".join(str(one.shape) for one in (*spectra, f0))
        raise EngineError(f"the model gave frames of unknown shapes: {shapes}", FailureCode.AUDIO_INVALID)
    return HibariFrames(voiced, turn, noise, free, phases, f0)
