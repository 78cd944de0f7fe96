"""A voice in memory: from phonemes to samples, with the noise drawn here.

Owns the session of onnxruntime and the random numbers, which are a function of the seed alone (numpy's PCG64; the
stream is that of the pinned numpy). Knows nothing of how text becomes phonemes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions
from services.worker.engines.onnx_models.session import inputs_of, listed, opened
from services.worker.engines.piper.graph import prepared
from services.worker.engines.piper.voice import PiperVoiceFile
from shared.errors import FailureCode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_PLAIN = {"input": "tensor(int64)", "input_lengths": "tensor(int64)", "scales": "tensor(float)"}
_SPEAKER = {"sid": "tensor(int64)"}
FIRST_DRAW = 1 << 16
"""Numbers drawn before anything is known of a voice: enough for some 4 s of speech of a voice with 192 channels."""
_SILENT = 1e-8


@dataclass(frozen=True, slots=True)
class PiperManner:
    """How a sentence is to be spoken."""

    speed: float
    scales: Mapping[str, float]
    """``noise_scale`` and ``noise_w``."""
    speaker: int | None


@dataclass(frozen=True, slots=True)
class PiperSpoken:
    """One spoken sentence: float samples (n,), full scale 1."""

    samples: npt.NDArray[np.float32]
    frames: int
    """Its length in the voice's own frames."""
    plain_frames: int
    """The length that it would have at speed 1."""


class PiperModel:
    """One voice in memory. For one thread."""

    def __init__(self, voice: PiperVoiceFile, pin_options: OnnxPinOptions) -> None:
        """Load it. Raises `EngineError`."""
        model, self._ports = prepared(voice.model.read_bytes())
        self._length_scale = voice.length_scale
        self._session = opened(model, "the voice", pin_options.device, pin_options.threads)
        self._draw = dict.fromkeys(self._ports.noises, FIRST_DRAW)
        expected = _PLAIN | _SPEAKER if voice.speakers else _PLAIN
        inputs = {name: kind for name, kind in inputs_of(self._session).items() if name not in self._ports.noises}
        if inputs != expected:
            raise EngineError(f"expected a voice with the inputs {listed(expected)}, got {listed(inputs)}")
        self._output = self._session.get_outputs()[0].name

    def spoken(self, ids: Sequence[int], manner: PiperManner, seed: Sequence[int]) -> PiperSpoken:
        """Speak one sentence, given as the numbers of its phonemes. Raises `EngineError` if the model gives nothing."""
        import numpy as np

        scales = [manner.scales["noise_scale"], self._length_scale / manner.speed, manner.scales["noise_w"]]
        given = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }
        if manner.speaker is not None:
            given["sid"] = np.array([manner.speaker], np.int64)
        samples, durations = self._run(given, seed)
        return PiperSpoken(
            _levelled(samples.reshape(-1)),
            frames=max(1, int(np.ceil(durations).sum())),
            plain_frames=max(1, int(np.ceil(durations * np.float32(manner.speed)).sum())),
        )

    def _run(self, given: Mapping[str, Any], seed: Sequence[int]) -> tuple[Any, Any]:
        """Return samples and durations. How much noise a sentence needs is only known after it was spoken. If too
        little was drawn, it is spoken again, with more numbers of the same sequence."""
        ports = self._ports
        while True:
            answer = self._session.run([self._output, ports.durations, *ports.needed], {**given, **self._noise(seed)})
            needed = dict(zip(ports.noises, map(int, answer[2:]), strict=True))
            too_few = {noise: 2 * count for noise, count in needed.items() if count > self._draw[noise]}
            if not too_few:
                return answer[0], answer[1]
            self._draw |= too_few

    def _noise(self, seed: Sequence[int]) -> Mapping[str, Any]:
        import numpy as np

        return {
            noise: np.random.default_rng((*seed, number)).standard_normal(self._draw[noise], np.float32)
            for number, noise in enumerate(self._ports.noises)
        }


def _levelled(samples: Any) -> Any:
    """Return the samples with the loudest at full scale, as the package does by default for each sentence."""
    import numpy as np

    if not samples.size or (peak := np.abs(samples).max()) < _SILENT:
        raise EngineError("the model was silent", FailureCode.ENGINE_RETURNED_NOTHING)
    return samples / peak
