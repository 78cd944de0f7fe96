"""Bark: text to semantic tokens to a codec, by three language models in a row. Many languages, voices by preset.

Owns the presets (``speaker_embeddings_path.json``), the three temperatures, and the limit on text, beyond which the
library would cut it silently. Bark was trained to say at most about 13 seconds at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.options import Number
from services.worker.engines.spoken_characters import require_tokens
from services.worker.engines.transformers.checkpoint import Checkpoint
from services.worker.engines.transformers.speaking import Facts, TextLine, Waveform
from shared.catalog import Support

if TYPE_CHECKING:
    import torch

LANGUAGES = ("en", "de", "es", "fr", "hi", "it", "ja", "ko", "pl", "pt", "ru", "tr", "zh")
PIECE_CHARS = 150
NEVER = 1.0
"""A probability that is never exceeded."""
_PROMPTS = ("semantic_prompt", "coarse_prompt", "fine_prompt")


class Bark:
    """A Bark checkpoint. Without a preset the seed chooses the voice as well."""

    def __init__(self, checkpoint: Checkpoint, speakers: Mapping[str, Any]) -> None:
        if speakers:
            raise EngineError("options/speakers: not supported by Bark; its voices are the presets among its files")
        self._checkpoint = checkpoint
        self._model: Any = None
        self._processor: Any = None

    def facts(self) -> Facts:
        return Facts(
            sample_rate=self._generation.get("sample_rate", 24_000),
            languages=LANGUAGES,
            voices=tuple(self._presets()),
            voiceless=True,
            seed=Support.NATIVE if self._options else Support.NO_EFFECT,
            options=(*self._options, self._ending),
            max_piece_chars=PIECE_CHARS,
            description="Bark",
        )

    def load(self, device: torch.device) -> None:
        from transformers import BarkModel

        self._processor = self._checkpoint.processor()
        self._model = self._checkpoint.model(BarkModel, device)

    def waveform(self, line: TextLine) -> Waveform:
        require_tokens(line.text, self._processor.tokenizer)
        most = self._stage("semantic").get("max_input_semantic_length", 256)
        if len(self._processor.tokenizer(line.text, add_special_tokens=False)["input_ids"]) > most:
            raise EngineError(f"the text has more than {most} tokens, the most that Bark can read")
        asked = self._processor(line.text, voice_preset=line.voice, max_length=most).to(self._model.device)
        samples = self._model.generate(
            **asked, **{name: value for name, value in line.options.items() if value != NEVER}
        )
        return Waveform(samples[0], tempo=line.speed)

    def _presets(self) -> Iterator[str]:
        """Yield the names of the presets whose files are all there."""
        for name, files in self._checkpoint.described("speaker_embeddings_path.json").items():
            if isinstance(files, dict) and all(
                (self._checkpoint.folder / files.get(prompt, "missing")).is_file() for prompt in _PROMPTS
            ):
                yield name

    @cached_property
    def _generation(self) -> Mapping[str, Any]:
        return self._checkpoint.described("generation_config.json")

    def _stage(self, name: str) -> Mapping[str, Any]:
        said = self._generation.get(f"{name}_config")
        return said if isinstance(said, dict) else {}

    @property
    def _options(self) -> Sequence[Number]:
        """The temperatures of the stages that draw. The others take the likeliest token, whatever the temperature."""
        stages = {"semantic": "semantic", "coarse": "coarse_acoustics", "fine": "fine_acoustics"}
        return [
            Number(f"{stage}_temperature", heat, 0.05, 2, f"sampling temperature of the {stage} stage")
            for stage, told in stages.items()
            if (heat := self._stage(told).get("temperature") or 1.0) and self._draws(stage, told)
        ]

    def _draws(self, stage: str, told: str) -> bool:
        said = self._stage(told)
        return said.get("temperature", 1.0) not in (None, 1.0) if stage == "fine" else said.get("do_sample", False)

    @property
    def _ending(self) -> Number:
        sure = self._stage("semantic").get("min_eos_p") or NEVER
        return Number("min_eos_p", sure, 0.01, NEVER, "the speech ends where the model gives its end this probability")
