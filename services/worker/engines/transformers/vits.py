"""VITS, and MMS, which is VITS in a thousand languages: text to waveform in one pass.

Owns the noise scales (attributes of the model, restored after each call), the rate of speech and its reach. Every token
lasts a whole number of frames and at least one, so fast speech comes out slower than asked; sonic does the rest.

In a batch shorter texts are padded. The decoder also reads the padding, so the last tenth of a second of a shorter text
differs from what it would be alone, and the noise is drawn for all texts at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.options import Number
from services.worker.engines.spoken_characters import require_known
from services.worker.engines.transformers.checkpoint import Checkpoint
from services.worker.engines.transformers.compiling import Compiled
from services.worker.engines.transformers.languages import tag_of
from services.worker.engines.transformers.speaking import Facts, TextLine, Waveform
from shared.catalog import Support

if TYPE_CHECKING:
    import torch


class Vits:
    """A VITS checkpoint. The pin's ``speakers`` are names for the checkpoint's speaker numbers."""

    def __init__(self, checkpoint: Checkpoint, speakers: Mapping[str, Any]) -> None:
        self._checkpoint = checkpoint
        self._named = speakers
        self._model: Any = None
        self._tokenizer: Any = None

    def facts(self) -> Facts:
        config, words = self._checkpoint.config, self._checkpoint.described("tokenizer_config.json")
        if words.get("phonemize", True) and find_spec("phonemizer") is None:
            raise EngineError("the checkpoint speaks phonemes, and the package phonemizer is not installed")
        language = words.get("language")
        return Facts(
            sample_rate=config.get("sampling_rate", 16_000),
            languages=(tag_of(language),) if language else (),
            voices=tuple(self._speakers),
            seed=Support.NATIVE,
            speed=Support.NATIVE,
            options=self._options,
            description="VITS",
            batches=True,
            compiles=True,
        )

    def load(self, device: torch.device) -> None:
        from transformers import VitsModel

        self._tokenizer = self._checkpoint.tokenizer()
        self._model = self._checkpoint.model(VitsModel, device)

    def compile(self) -> None:
        """Compile the decoder, which takes nearly all of the time, and try it once on every sign that the model
        knows."""
        import torch

        self._model.decoder.forward = Compiled(self._model.decoder.forward)
        signs = torch.arange(self._model.config.vocab_size, device=self._model.device)
        self._model(signs[None], speaker_id=0 if self._speakers else None)

    def waveform(self, line: TextLine) -> Waveform:
        return self.waveforms([line])[0]

    def waveforms(self, lines: Sequence[TextLine]) -> list[Waveform]:
        for line in lines:
            self._check(line.text)
        first, rate = lines[0], self._model.speaking_rate
        tokens = self._tokenizer([line.text for line in lines], padding=True, return_tensors="pt")
        with self._scaled(first.options), self._durations() as durations:
            made = self._model(
                **tokens.to(self._model.device),
                speaker_id=self._speakers[first.voice] if first.voice else None,
                speaking_rate=rate * first.speed,
            )
        spoken = []
        for number, length in enumerate(tokens["attention_mask"].sum(1).tolist()):
            said = durations[0][number, :, :length]
            frames = int(made.sequence_lengths[number])
            per_frame = frames / _frames(said, rate * first.speed)
            wanted = _frames(said, rate) * per_frame / first.speed
            spoken.append(Waveform(made.waveform[number, :frames], tempo=frames / wanted))
        return spoken

    def _check(self, text: str) -> None:
        """Raise `EngineError` unless the model knows every spoken sign that is left before the tokenizer drops unknown
        ones."""
        signs, lowered = self._tokenizer.encoder, self._tokenizer.normalize
        kept, _ = self._tokenizer.prepare_for_tokenization(text, normalize=False)
        require_known(kept, lambda sign: sign in signs or (lowered and sign.lower() in signs))

    @contextlib.contextmanager
    def _scaled(self, scales: Mapping[str, Any]) -> Iterator[None]:
        before = {name: getattr(self._model, name) for name in scales}
        try:
            for name, value in scales.items():
                setattr(self._model, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(self._model, name, value)

    @contextlib.contextmanager
    def _durations(self) -> Iterator[list[torch.Tensor]]:
        """Collect what the model's own predictor says of the length of each token, before any rate of speech
        (logarithms)."""
        heard: list[torch.Tensor] = []
        hook = self._model.duration_predictor.register_forward_hook(lambda _module, _given, said: heard.append(said))
        try:
            yield heard
        finally:
            hook.remove()

    @cached_property
    def _speakers(self) -> Mapping[str, int]:
        count = self._checkpoint.config.get("num_speakers", 1)
        if not self._named:
            return {str(number): number for number in range(count)} if count > 1 else {}
        for name, number in self._named.items():
            if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < count or count == 1:
                raise EngineError(
                    f"options/speakers/{name}: the checkpoint has {count} speakers, and none is {number!r}"
                )
        return self._named

    @property
    def _options(self) -> Sequence[Number]:
        config = self._checkpoint.config
        spread = Number(
            "noise_scale", config.get("noise_scale", 0.667), 0, 2, "how much utterances vary; 0: not at all"
        )
        if not config.get("use_stochastic_duration_prediction", True):
            return (spread,)
        rhythm = config.get("noise_scale_duration", 0.8)
        return (spread, Number("noise_scale_duration", rhythm, 0, 2, "how much the lengths of sounds vary"))


def _frames(log_durations: torch.Tensor, rate: float) -> int:
    """Return how many frames of the spectrogram VITS makes of these lengths (as in its forward pass)."""
    import torch

    return max(1, int(torch.ceil(torch.exp(log_durations) * (1.0 / rate)).sum()))
