"""Whisper by transformers: float32, greedy, without timestamps, sampling or a second try.

Owns what such a pin must have besides its weights; pretrained.py owns how it is read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

from services.scorer.metrics import speech
from services.scorer.metrics.base import Samples, WeightsMismatch
from services.scorer.metrics.pretrained import Pretrained
from services.scorer.metrics.whisper.decoder import most_tokens
from shared.weights.lock import PinLock

_PROMPT_TOKENS = 4
"""Start, language, task, no times: transformers counts them too."""


class TransformersDecoder:
    """A checkpoint of transformers."""

    packages: ClassVar[tuple[str, ...]] = ("transformers", "tokenizers", "torch")
    parameters: ClassVar[Mapping[str, Any]] = {}
    """Empty: torch knows one compute type here, and a member would make known values look like others."""

    def __init__(self, pin: PinLock, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        checkpoint = Pretrained(pin, folder)
        checkpoint.config("whisper")
        _check(pin)
        self._prepare = checkpoint.ear(WhisperFeatureExtractor)
        self._tokenizer = checkpoint.part(WhisperTokenizer)
        self._model = checkpoint.model(WhisperForConditionalGeneration)
        self._end = int(self._tokenizer.convert_tokens_to_ids("<|endoftext|>"))
        self._tokens = _language_tokens(pin, self._model.generation_config)

    @property
    def languages(self) -> Collection[str]:
        return self._tokens.keys()

    @property
    def longest_s(self) -> float:
        return float(self._prepare.chunk_length)

    @torch.inference_mode()
    def hear(self, samples: Samples, language: str) -> str:
        inputs = self._prepare(samples, sampling_rate=speech.RATE, return_attention_mask=True, return_tensors="pt")
        token = self._tokens[language]
        asked = {} if token is None else {"language": token, "task": "transcribe"}
        limit = min(self._model.generation_config.max_length, _PROMPT_TOKENS + most_tokens(samples))
        found = self._model.generate(
            **inputs, **asked, return_timestamps=False, num_beams=1, temperature=0.0, max_length=limit
        )
        return str(self._tokenizer.decode(found[0], skip_special_tokens=True)).strip()

    @torch.inference_mode()
    def log_probabilities(self, samples: Samples | None, language: str, texts: Sequence[str]) -> list[float] | None:
        prompt = self._prompt(language)
        written = [self._tokenizer.encode(f" {text}", add_special_tokens=False) for text in texts]
        if len(prompt) + max(map(len, written)) >= self._model.config.max_target_positions:
            return None
        heard = self._silence if samples is None else self._encoded(samples)
        return [self._log_probability(heard, prompt, tokens) for tokens in written]

    @cached_property
    def _silence(self) -> Any:
        return self._encoded(np.zeros(speech.RATE, np.float32))

    def _encoded(self, samples: Samples) -> Any:
        inputs = self._prepare(samples, sampling_rate=speech.RATE, return_tensors="pt").input_features
        return self._model.get_encoder()(inputs)

    def _log_probability(self, heard: Any, prompt: list[int], tokens: list[int]) -> float:
        given = torch.tensor([prompt + tokens[:-1]])
        # only text can follow: no marks and no times, which have the numbers from that of the end on
        logits = self._model(encoder_outputs=heard, decoder_input_ids=given).logits[0, len(prompt) - 1 :, : self._end]
        chances = logits.log_softmax(-1)[range(len(tokens)), tokens]
        return float(chances.double().sum())

    def _prompt(self, language: str) -> list[int]:
        token = self._tokens[language]
        asked = [] if token is None else [token, "<|transcribe|>"]
        words = ["<|startoftranscript|>", *asked, "<|notimestamps|>"]
        return [int(self._tokenizer.convert_tokens_to_ids(word)) for word in words]


def _check(pin: PinLock) -> None:
    """Refuse a pin without files that transformers would replace by its own defaults."""
    paths = {file.path for file in pin.files}
    if not {"preprocessor_config.json", "processor_config.json"} & paths:
        raise WeightsMismatch(f"{pin.name} has neither preprocessor_config.json nor processor_config.json")
    if "generation_config.json" not in paths:
        raise WeightsMismatch(f"{pin.name} has no generation_config.json")
    if "tokenizer.json" not in paths and not {"vocab.json", "merges.txt"} <= paths:
        raise WeightsMismatch(f"{pin.name} needs tokenizer.json, or both vocab.json and merges.txt")


def _language_tokens(pin: PinLock, generation: Any) -> Mapping[str, str | None]:
    """Return the token to ask for by language code. It is None for a checkpoint that knows only English."""
    if getattr(generation, "is_multilingual", None) is False:
        return {"en": None}
    tokens = getattr(generation, "lang_to_id", None)
    if not tokens:
        raise WeightsMismatch(f"the generation_config.json of {pin.name} does not say which languages it covers")
    return {token.strip("<|>"): token for token in tokens}
