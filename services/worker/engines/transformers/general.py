"""Every other model that `AutoModelForTextToWaveform` loads, by the library's own pipeline, one text at a time.

Owns what its files say of such a model: its sample rate, whether it draws, and the generation options that a request
may set. Does not know what a single class needs in addition (a target language, a reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from services.worker.engines.base import EngineError
from services.worker.engines.options import Number
from services.worker.engines.spoken_characters import require_tokens
from services.worker.engines.transformers.checkpoint import Checkpoint
from services.worker.engines.transformers.speaking import Facts, TextLine, Waveform
from shared.catalog import Support

if TYPE_CHECKING:
    import torch

MOST_TOKENS = 1_500
"""Tokens of audio, if the checkpoint does not say. The pipeline's own 256 would cut sentences off."""
_RATES = ("sampling_rate", "sample_rate")
_DIFFUSING = ("gradium_phonon_tts", "pocket_tts", "vibevoice")
"""Model types that start from noise, whether they sample tokens or not."""


class General:
    """A model of any other class. It offers no voices, because classes treat speakers differently."""

    def __init__(self, checkpoint: Checkpoint, speakers: Mapping[str, Any]) -> None:
        if speakers:
            raise EngineError(f"options/speakers: not supported for models of type {checkpoint.model_type!r}")
        self._checkpoint = checkpoint
        self._pipeline: Any = None

    def facts(self) -> Facts:
        return Facts(
            sample_rate=self._sample_rate(),
            languages=(),
            seed=Support.NATIVE if self._draws else Support.NO_EFFECT,
            options=self._options,
            description=self._checkpoint.model_type,
        )

    def load(self, device: torch.device) -> None:
        from transformers import AutoModelForTextToWaveform, PreTrainedTokenizerBase, TextToAudioPipeline

        model = self._checkpoint.model(AutoModelForTextToWaveform, device)
        reads = self._checkpoint.processor()
        plain = isinstance(reads, PreTrainedTokenizerBase)
        self._pipeline = TextToAudioPipeline(  # type: ignore[no-untyped-call]
            model=model,
            tokenizer=reads if plain else reads.tokenizer,
            processor=None if plain else reads,
            device=device,
        )
        if self._pipeline.sampling_rate not in (None, self._sample_rate()):
            raise EngineError(
                f"the model speaks at {self._pipeline.sampling_rate} Hz, but its files say {self._sample_rate()} Hz"
            )

    def waveform(self, line: TextLine) -> Waveform:
        import torch

        require_tokens(line.text, self._pipeline.tokenizer)
        made = self._pipeline(line.text, generate_kwargs=dict(line.options))
        return Waveform(torch.from_numpy(made["audio"]), tempo=line.speed)

    def _sample_rate(self) -> int:
        for described in self._descriptions():
            for name in _RATES:
                if isinstance(rate := described.get(name), int):
                    return rate
        raise EngineError("no file of the checkpoint says its sample rate")

    def _descriptions(self) -> Iterator[Mapping[str, Any]]:
        """Yield the tables that may have a sample rate, in the order in which the library looks."""
        config = self._checkpoint.config
        yield self._generation
        yield config
        for part in ("codec_config", "audio_encoder", "vocoder_config"):
            yield config.get(part) or {}
        yield self._checkpoint.described("preprocessor_config.json")
        yield self._checkpoint.described("processor_config.json").get("feature_extractor") or {}

    @property
    def _generation(self) -> Mapping[str, Any]:
        return self._checkpoint.described("generation_config.json")

    @property
    def _samples(self) -> bool:
        return any(value is True for name, value in self._generation.items() if name.endswith("do_sample"))

    @property
    def _draws(self) -> bool:
        return self._samples or self._checkpoint.model_type in _DIFFUSING

    @property
    def _options(self) -> Sequence[Number]:
        """The options of generation. None for a model that makes the waveform in one pass."""
        said = self._generation
        if not said:
            return ()
        most = Number(
            "max_new_tokens",
            said.get("max_new_tokens") or MOST_TOKENS,
            1,
            8_000,
            "longest speech, in tokens",
            whole=True,
        )
        if not said.get("do_sample"):
            return (most,)
        return (
            most,
            Number("temperature", said.get("temperature") or 1.0, 0.05, 2, "sampling temperature"),
            Number("top_k", said.get("top_k") or 50, 1, 1_000, "choose among this many likeliest tokens", whole=True),
            Number(
                "top_p", said.get("top_p") or 1.0, 0.01, 1, "choose among the likeliest tokens that make up this share"
            ),
        )
