"""Transcribes a clip in the languages of a pinned Whisper.

Owns which languages such a checkpoint covers and how it decodes; pretrained.py owns how it is read. The catalog
chooses it: the pin whose engine is ``whisper``, for example openai/whisper-small. Knows no text to compare with.

Decoding is greedy, without timestamps, sampling or a second try, in the clip's language, so that the same samples give
the same words. A clip that is longer than what the checkpoint hears at a time (30 s for those of OpenAI) is cut in its
pauses (parts.py), and each part is transcribed separately.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

from services.scorer.metrics import speech
from services.scorer.metrics.base import LONGEST_S, MeasuredClip, Samples, WeightsMismatch, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.pretrained import Pretrained
from services.scorer.metrics.whisper.parts import PARAMETERS as PARTS
from services.scorer.metrics.whisper.parts import parts
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

ENGINE = "whisper"
"""The engine of the pin."""
REVISION = 1
PARAMETERS = {"revision": REVISION, "longest_s": LONGEST_S, **PARTS, "speech": speech.PARAMETERS}
PACKAGES = ("transformers", "tokenizers", "torch", "silero-vad", "onnxruntime", "soxr", "numpy")

_OWN_CODES = {"cmn": "zh", "nb": "no", "jv": "jw", "fil": "tl"}
"""Languages whose code in Whisper differs from BCP 47."""


class WhisperRecogniser:
    """One model, loaded once for all metrics that use it. Not thread-safe."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._pin: PinLock | None = None
        self._prepare: Any = None
        self._tokenizer: Any = None
        self._model: Any = None
        self._languages: Mapping[str, str | None] = {}

    def weights(self) -> Mapping[str, str]:
        """Return the SHA-256 of each file of the pin. Raises `FileNotFoundError` if none, or more than one, is
        locked."""
        pin = self._pin or self._instruments.pin_for(ENGINE)
        return pin.hashes

    def load(self) -> None:
        """Read the pin into memory. Raises the same errors as `Metric.load`."""
        if self._pin is not None:
            return
        torch.set_num_threads(self._instruments.threads)
        pin = self._instruments.pin_for(ENGINE)
        checkpoint = Pretrained(pin, self._instruments.snapshot(pin))
        checkpoint.config("whisper")
        _check(pin)
        self._prepare = checkpoint.ear(WhisperFeatureExtractor)
        self._tokenizer = checkpoint.part(WhisperTokenizer)
        self._model = checkpoint.model(WhisperForConditionalGeneration)
        self._languages = _languages(pin, self._model.generation_config)
        self._pin = pin

    def language_of(self, clip: MeasuredClip) -> str | None:
        """Return Whisper's own code for the clip's language. ``None`` if the pin does not cover it, or before
        `load`."""
        subtag = clip.primary_language
        return next((code for code in (subtag, _OWN_CODES.get(subtag)) if code in self._languages), None)

    def obstacle(self, clip: MeasuredClip) -> Unscored | None:
        """Return why this clip is not transcribed, or None if it can be."""
        assert self._pin is not None, "load comes first"
        if self.language_of(clip) is None:
            said = f"{clip.language or 'unknown'}; {self._pin.name} covers {', '.join(sorted(self._languages))}"
            return Unscored(Reason.LANGUAGE_NOT_COVERED, said)
        return too_long(clip)

    def transcript(self, clip: MeasuredClip) -> str:
        """Return the transcript, with Whisper's punctuation; empty if it hears nothing.

        Only for clips without an `obstacle`.
        """
        return clip.once("whisper transcript", self._transcribe)

    def _transcribe(self, clip: MeasuredClip) -> str:
        language = self.language_of(clip)
        assert language is not None, "a language that is not covered is not transcribed"
        stretches = self._instruments.speech.find(clip).stretches
        longest_s = self._prepare.chunk_length
        cuts = [(round(start * speech.RATE), round(end * speech.RATE)) for start, end in parts(stretches, longest_s)]
        heard = (self._hear(clip.at_16k[start:end], self._languages[language]) for start, end in cuts)
        return " ".join(words for words in heard if words)

    @torch.inference_mode()
    def _hear(self, samples: Samples, token: str | None) -> str:
        inputs = self._prepare(samples, sampling_rate=speech.RATE, return_attention_mask=True, return_tensors="pt")
        asked = {} if token is None else {"language": token, "task": "transcribe"}
        found = self._model.generate(**inputs, **asked, return_timestamps=False, num_beams=1, temperature=0.0)
        return str(self._tokenizer.decode(found[0], skip_special_tokens=True)).strip()


def whisper_of(instruments: Instruments) -> WhisperRecogniser:
    """Return the one Whisper of a host."""
    return instruments.once(ENGINE, WhisperRecogniser)


def _check(pin: PinLock) -> None:
    """Refuse a pin without files that transformers would replace by its own defaults."""
    paths = {file.path for file in pin.files}
    if not {"preprocessor_config.json", "processor_config.json"} & paths:
        raise WeightsMismatch(f"{pin.name} has neither preprocessor_config.json nor processor_config.json")
    if "generation_config.json" not in paths:
        raise WeightsMismatch(f"{pin.name} has no generation_config.json")
    if "tokenizer.json" not in paths and not {"vocab.json", "merges.txt"} <= paths:
        raise WeightsMismatch(f"{pin.name} needs tokenizer.json, or both vocab.json and merges.txt")


def _languages(pin: PinLock, generation: Any) -> Mapping[str, str | None]:
    """Return the language token to ask for by language code. It is None for a checkpoint that knows only English."""
    if getattr(generation, "is_multilingual", None) is False:
        return {"en": None}
    tokens = getattr(generation, "lang_to_id", None)
    if not tokens:
        raise WeightsMismatch(f"the generation_config.json of {pin.name} does not say which languages it covers")
    return {token.strip("<|>"): token for token in tokens}
