"""The model in memory: from phonemes to samples.

Owns the session of onnxruntime and the styles of the voices. Knows nothing of how text becomes phonemes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.kokoro.files import STYLE, KokoroFiles
from services.worker.engines.onnx_models.phoneme_lengths import WHAT, own_speed, whole_frames, with_lengths
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions
from services.worker.engines.onnx_models.session import inputs_of, listed, opened
from shared.errors import FailureCode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE_RATE = 24_000
MOST_PHONEMES = 510
"""The model's context is 512, and there is padding at both ends."""
_PADDING = 0
_TOKENS = ("tokens", "input_ids")
"""Names of the same input in the known exports."""
_TYPES: Mapping[str, str] = {"style": "tensor(float)", "speed": "tensor(float)"}
_SILENT = 1e-4


@dataclass(frozen=True, slots=True)
class KokoroSpoken:
    """Some spoken phonemes: float samples (n,), full scale 1."""

    samples: npt.NDArray[np.float32]
    frames: int
    """Their length in the model's own frames."""
    plain_frames: int
    """The length that they would have at speed 1."""


class KokoroModel:
    """The model of one pin in memory. For one thread."""

    def __init__(self, files: KokoroFiles, pin_options: OnnxPinOptions) -> None:
        """Load it. Raises `EngineError`."""
        model, self._lengths = with_lengths(files.model.read_bytes())
        self._session = opened(model, WHAT, pin_options.device, pin_options.threads)
        self._voices = files.voices
        inputs = inputs_of(self._session)
        self._tokens = next((name for name in _TOKENS if name in inputs), _TOKENS[0])
        expected = {self._tokens: "tensor(int64)", **_TYPES}
        if inputs != expected:
            raise EngineError(f"expected a model with the inputs {listed(expected)}, got {listed(inputs)}")
        self._output = self._session.get_outputs()[0].name

    def spoken(self, numbers: Sequence[int], voice: str, speed: float) -> KokoroSpoken:
        """Speak phonemes, at most `MOST_PHONEMES`, given as their numbers. Speeds that are not left to the model count
        as the nearest that is. Raises `EngineError` if the model gives nothing."""
        import numpy as np

        assert 0 < len(numbers) <= MOST_PHONEMES, len(numbers)
        styles = _styles(self._voices[voice])
        native_speed = np.float32(own_speed(speed))
        given: dict[str, Any] = {
            self._tokens: np.array([[_PADDING, *numbers, _PADDING]], np.int64),
            "style": styles[min(len(numbers), len(styles)) - 1][None],
            "speed": np.array([native_speed], np.float32),
        }
        samples, lengths = self._session.run([self._output, self._lengths], given)
        samples = samples.reshape(-1)
        if not samples.size or np.abs(samples).max() < _SILENT:
            raise EngineError("the model was silent", FailureCode.ENGINE_RETURNED_NOTHING)
        return KokoroSpoken(samples, whole_frames(lengths / native_speed), whole_frames(lengths))


@lru_cache(maxsize=64)
def _styles(path: Path) -> Any:
    import numpy as np

    return np.fromfile(path, "<f4").reshape(-1, STYLE)
