"""SpeechT5: text to a spectrogram by an autoregressive decoder, and that to a waveform by a vocoder.

Owns the vocoder (the component's folder ``vocoder``) and the speakers: x-vectors, either a file ``speakers/NAME.npy``
each or numbers in the pin's options. The decoder drops units at random in inference too, so the seed changes the sound.

In a batch the library computes the bounds on length from the longest text. What a shorter text has beyond its own upper
bound is cut off. If there is a lower bound, texts are spoken one after the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.options import Number
from services.worker.engines.spoken_characters import require_tokens
from services.worker.engines.transformers.checkpoint import Checkpoint
from services.worker.engines.transformers.speaking import Facts, TextLine, Waveform
from shared.catalog import Support

if TYPE_CHECKING:
    import torch

OPTIONS = (
    Number("threshold", 0.5, 0.01, 1, "the speech ends when the model gives the end at least this probability"),
    Number("minlenratio", 0, 0, 10, "shortest speech, in steps of the decoder per two tokens of text"),
    Number("maxlenratio", 20, 1, 60, "longest speech, in the same unit"),
)


class SpeechT5:
    """A SpeechT5 checkpoint. The pin's ``speakers`` are x-vectors by name."""

    def __init__(self, checkpoint: Checkpoint, speakers: Mapping[str, Any]) -> None:
        self._checkpoint = checkpoint
        self._vocoder_files = Checkpoint(checkpoint.folder / "vocoder", "the vocoder")
        self._given = speakers
        self._model: Any = None
        self._vocoder: Any = None
        self._tokenizer: Any = None
        self._vectors: Mapping[str, torch.Tensor] = {}

    def facts(self) -> Facts:
        if not (voices := sorted({*self._files, *self._given})):
            raise EngineError("SpeechT5 needs a speaker: a file speakers/NAME.npy, or options/speakers")
        return Facts(
            sample_rate=self._vocoder_files.config.get("sampling_rate", 16_000),
            languages=("en",),
            voices=tuple(voices),
            seed=Support.NATIVE if self._config("speech_decoder_prenet_dropout", 0.5) > 0 else Support.NO_EFFECT,
            options=OPTIONS,
            max_piece_chars=min(400, self._config("max_text_positions", 450) - 50),
            description="SpeechT5",
            batches=True,
        )

    def load(self, device: torch.device) -> None:
        from transformers import SpeechT5ForTextToSpeech, SpeechT5HifiGan

        self._vectors = {name: self._vector(name).to(device) for name in self.facts().voices}
        self._tokenizer = self._checkpoint.tokenizer()
        self._model = self._checkpoint.model(SpeechT5ForTextToSpeech, device)
        self._vocoder = self._vocoder_files.model(SpeechT5HifiGan, device)

    def waveform(self, line: TextLine) -> Waveform:
        tokens = self._tokens([line]).to(self._model.device)
        samples = self._model.generate_speech(
            tokens["input_ids"], self._speaker(line), vocoder=self._vocoder, **line.options
        )
        return Waveform(samples, tempo=line.speed)

    def waveforms(self, lines: Sequence[TextLine]) -> list[Waveform]:
        first = lines[0]
        if first.options["minlenratio"] > 0:
            return [self.waveform(line) for line in lines]
        tokens = self._tokens(lines).to(self._model.device)
        samples, lengths = self._model.generate_speech(
            tokens["input_ids"],
            self._speaker(first).expand(len(lines), -1),
            attention_mask=tokens["attention_mask"],
            vocoder=self._vocoder,
            return_output_lengths=True,
            **first.options,
        )
        bounds = [self._most_samples(count, first) for count in tokens["attention_mask"].sum(1).tolist()]
        kept = [samples[number, : min(lengths[number], most)] for number, most in enumerate(bounds)]
        return [Waveform(one, tempo=first.speed) for one in kept]

    def _tokens(self, lines: Sequence[TextLine]) -> Any:
        for line in lines:
            require_tokens(line.text, self._tokenizer)
        tokens = self._tokenizer([line.text for line in lines], padding=True, return_tensors="pt")
        most = self._config("max_text_positions", 450)
        if (count := tokens["input_ids"].shape[1]) > most:
            raise EngineError(f"the text has {count} tokens (numbers are read as words); at most {most} are allowed")
        return tokens

    def _speaker(self, line: TextLine) -> torch.Tensor:
        return self._vectors[line.voice or self.facts().voices[0]]

    def _most_samples(self, tokens: int, line: TextLine) -> int:
        """Return how many samples a text of so many tokens may have when it is spoken alone (as in the library's
        loop)."""
        frames = self._config("reduction_factor", 2)
        steps = max(1, int(tokens * line.options["maxlenratio"] / frames))
        return steps * int(frames * math.prod(self._vocoder.config.upsample_rates))

    def _vector(self, name: str) -> torch.Tensor:
        import numpy as np
        import torch

        size = self._config("speaker_embedding_dim", 512)
        try:
            told = self._given.get(name)
            values = np.load(self._files[name], allow_pickle=False) if told is None else np.asarray(told)
            vector = values.astype(np.float32).reshape(-1)
        except (TypeError, ValueError) as error:
            raise EngineError(f"the speaker {name} is not a list of numbers: {error}") from error
        if vector.shape != (size,) or not np.isfinite(vector).all():
            raise EngineError(f"the speaker {name} is not a list of {size} finite numbers")
        return torch.from_numpy(vector)[None]

    def _config(self, name: str, default: Any) -> Any:
        return self._checkpoint.config.get(name, default)

    @cached_property
    def _files(self) -> Mapping[str, Path]:
        return {file.stem: file for file in sorted((self._checkpoint.folder / "speakers").glob("*.npy"))}
