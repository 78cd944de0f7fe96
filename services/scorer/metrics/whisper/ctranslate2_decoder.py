"""Whisper by CTranslate2: float32, greedy, without timestamps, sampling or a second try.

Owns which files such a pin must have, and that they fit together: packages ship them as somebody converted them.
Nothing is made up: how long it hears and how many mel filters it has come from the weights, the languages from
config.json. The spectrum is that of transformers.

A transcript of a short clip hears less silence after it than the 30 s that Whisper was trained with: the time of the
encoder grows with what it hears, and the error rates do not (ADR 38).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from ctranslate2 import StorageView  # type: ignore[import-untyped]
from ctranslate2.models import Whisper  # type: ignore[import-untyped]
from tokenizers import Tokenizer
from transformers import WhisperFeatureExtractor

from services.scorer.metrics import speech
from services.scorer.metrics.base import Samples, WeightsMismatch
from services.scorer.metrics.pretrained import Pretrained, reading
from services.scorer.metrics.whisper.ctranslate2_file import Sizes, sizes
from services.scorer.metrics.whisper.decoder import WEIGHTS, most_tokens
from shared.weights.lock import PinLock

_LEAST_PROBABILITY = 1e-30
"""Of a token. A smaller one may be 0 in float32, which has no logarithm."""
COMPUTE_TYPE = "float32"
"""Whatever type the file's numbers have. int8 is not much faster and writes some words differently (ADR 32)."""

_CONFIG, _TOKENIZER, _EAR = "config.json", "tokenizer.json", "preprocessor_config.json"
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_SUPPRESSED = ("suppress_ids", "suppress_ids_begin")
"""Members of config.json. CTranslate2 reads them unchecked: without them, it fails or writes other words."""
_FRAMES_PER_S = 50
"""Of the encoder; the spectrum has twice as many."""
HEARD_S = (20, 25)
"""Seconds that the encoder hears: the first that holds the clip and `_SILENCE_S`, or as much as it can hear."""
_SILENCE_S = 1
_ENGLISH_ONLY = 51_864
"""Tokens of OpenAI's English-only checkpoints, one fewer than of the others. No file of such a pin says more."""
_LANGUAGE = re.compile(r"<\|([a-z]{2,3})\|>")
_BEGINS, _TRANSCRIBE, _NO_TIMES = "<|startoftranscript|>", "<|transcribe|>", "<|notimestamps|>"
_ENDS = "<|endoftext|>"
"""The first token that is not text: those after it are marks and times."""


class Ctranslate2Decoder:
    """A Whisper in CTranslate2's files."""

    packages: ClassVar[tuple[str, ...]] = ("ctranslate2", "transformers", "tokenizers", "torch")
    parameters: ClassVar[Mapping[str, Any]] = {
        "backend": "ctranslate2",
        "compute_type": COMPUTE_TYPE,
        "heard_s": list(HEARD_S),
    }

    def __init__(self, pin: PinLock, folder: Path, threads: int, heard_s: Sequence[float] = HEARD_S) -> None:
        self._heard_s = heard_s
        torch.set_num_threads(threads)  # the spectrum is computed by torch
        _check(pin)
        with reading(pin):
            self._sizes = sizes(folder / WEIGHTS)
            self._tokenizer = _tokenizer(folder)
            words = _vocabulary(folder)
            self._number_of = {word: number for number, word in enumerate(words)}
            self._end = words.index(_ENDS)
            config = json.loads((folder / _CONFIG).read_text())
            self._model = Whisper(
                str(folder), device="cpu", compute_type=COMPUTE_TYPE, inter_threads=1, intra_threads=threads
            )
        _check_words(pin, words, self._sizes, [self._tokenizer.id_to_token(number) for number in range(self._end)])
        _check_config(pin, config)
        self._prepare = _ear(pin, folder, self._sizes)
        self._prompts = _prompts(pin, config, words)

    @property
    def languages(self) -> Collection[str]:
        return self._prompts.keys()

    @property
    def longest_s(self) -> float:
        return self._sizes.frames / _FRAMES_PER_S

    def hear(self, samples: Samples, language: str) -> str:
        prompt = self._prompts[language]
        (found,) = self._model.generate(
            self._spectrum(samples, enough_s(len(samples) / speech.RATE, self._heard_s, self.longest_s)),
            [prompt],
            beam_size=1,
            sampling_topk=1,
            max_length=2
            * min(self._sizes.tokens - len(prompt), most_tokens(samples)),  # it writes at most half of this
        )
        said = [number for number in found.sequences_ids[0] if number < self._end]
        return str(self._tokenizer.decode(said)).strip()

    def log_probabilities(self, samples: Samples | None, language: str, texts: Sequence[str]) -> list[float] | None:
        prompt = [self._number_of[word] for word in self._prompts[language]]
        written = [self._tokenizer.encode(f" {text}", add_special_tokens=False).ids for text in texts]
        if len(prompt) + max(map(len, written)) >= self._sizes.tokens:
            return None
        # what was heard is computed once and taken for each text
        heard = np.repeat(self._silence if samples is None else self._encoded(samples), len(texts), axis=0)
        # CTranslate2 itself puts the token for "no times" between the start and the text
        aligned = self._model.align(
            StorageView.from_array(heard), prompt[:-1], written, [self._sizes.frames * 2] * len(texts)
        )
        return [sum(math.log(max(p, _LEAST_PROBABILITY)) for p in one.text_token_probs) for one in aligned]

    @cached_property
    def _silence(self) -> npt.NDArray[np.float32]:
        return self._encoded(np.zeros(speech.RATE, np.float32))

    def _encoded(self, samples: Samples) -> npt.NDArray[np.float32]:
        return np.array(self._model.encode(self._spectrum(samples, self.longest_s)))

    def _spectrum(self, samples: Samples, seconds: float) -> StorageView:
        return StorageView.from_array(spectrum(self._prepare, samples, round(2 * _FRAMES_PER_S * seconds)))


def enough_s(clip_s: float, steps: Sequence[float], longest_s: float) -> float:
    """Return how many seconds of a clip and the silence after it are heard: the first of ``steps`` that holds the clip
    and a second of silence, else ``longest_s``."""
    return next((step for step in steps if clip_s + _SILENCE_S <= step < longest_s), longest_s)


def spectrum(prepare: WhisperFeatureExtractor, samples: Samples, frames: int) -> npt.NDArray[np.float32]:
    """Return the first ``frames`` of the log mel spectrogram of a clip and the silence after it, shape (1, filters,
    frames).

    The frames of silence are all alike, so only the first of them are computed.
    """
    hop = prepare.hop_length
    computed = (math.ceil(len(samples) / hop) + math.ceil(prepare.n_fft / hop)) * hop
    found = prepare(
        samples,
        sampling_rate=speech.RATE,
        padding="max_length",
        max_length=min(computed, frames * hop),
        return_tensors="np",
    ).input_features
    silent = frames - found.shape[2]
    return np.ascontiguousarray(np.pad(found, ((0, 0), (0, 0), (0, silent)), mode="edge"), np.float32)


def _check(pin: PinLock) -> None:
    """Refuse a pin without files that CTranslate2 would do without, or that nobody else brings."""
    paths = {file.path for file in pin.files}
    for path in (_CONFIG, _TOKENIZER):
        if path not in paths:
            raise WeightsMismatch(f"{pin.name} has no {path}")
    if paths.isdisjoint(_VOCABULARIES):
        raise WeightsMismatch(f"{pin.name} has neither {' nor '.join(_VOCABULARIES)}")


def _check_words(pin: PinLock, words: list[str], needed: Sizes, text: list[str | None]) -> None:
    """Refuse files of different models: they would turn the right tokens into other words. ``text``: the tokenizer's
    tokens."""
    if len(words) != needed.vocabulary:
        there = f"{len(words)} tokens, and its weights {needed.vocabulary}"
        raise WeightsMismatch(f"the vocabulary of {pin.name} has {there}")
    if words[: len(text)] != text:
        raise WeightsMismatch(f"the {_TOKENIZER} of {pin.name} does not belong to its vocabulary")


def _check_config(pin: PinLock, config: Any) -> None:
    """Refuse a config.json that lacks what CTranslate2 reads unchecked."""
    for member in _SUPPRESSED:
        if not isinstance(config, Mapping) or member not in config:
            raise WeightsMismatch(f"the config.json of {pin.name} has no {member}")


def _tokenizer(folder: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(folder / _TOKENIZER))
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(f"{_TOKENIZER}: {error}") from error


def _vocabulary(folder: Path) -> list[str]:
    """Return the tokens in the order of their numbers."""
    listed, lines = (folder / name for name in _VOCABULARIES)
    if listed.is_file():
        return list(json.loads(listed.read_text("utf-8")))
    return lines.read_text("utf-8").removesuffix("\n").split("\n")


def _ear(pin: PinLock, folder: Path, needed: Sizes) -> Any:
    """Return the feature extractor: that of the pin, or the one of Whisper that its weights need."""
    seconds = needed.frames // _FRAMES_PER_S
    if not (folder / _EAR).is_file():
        own: Any = WhisperFeatureExtractor
        return own(feature_size=needed.filters, chunk_length=seconds)
    ear = Pretrained(pin, folder).ear(WhisperFeatureExtractor)
    if (ear.feature_size, ear.chunk_length) != (needed.filters, seconds):
        raise WeightsMismatch(
            f"the {_EAR} of {pin.name} is for {ear.feature_size} filters and {ear.chunk_length} s,"
            f" and its weights for {needed.filters} and {seconds} s"
        )
    return ear


def _prompts(pin: PinLock, config: Mapping[str, Any], words: list[str]) -> Mapping[str, list[str]]:
    """Return the tokens that begin a transcript, by language code."""
    if len(words) == _ENGLISH_ONLY:
        return {"en": [_BEGINS, _NO_TIMES]}
    with reading(pin):
        named = [words[number] for number in config.get("lang_ids") or ()]
    found = {match[1]: match[0] for token in named if (match := _LANGUAGE.fullmatch(token))}
    if not found:
        raise WeightsMismatch(f"the config.json of {pin.name} does not say which languages it covers")
    return {code: [_BEGINS, token, _TRANSCRIBE, _NO_TIMES] for code, token in found.items()}
