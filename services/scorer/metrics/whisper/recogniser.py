"""Writes down what is said in a clip, in the languages of a Whisper that the team has pinned.

Owns which languages such a checkpoint covers and how it decodes; how it is read is pretrained.py's. Which one it is
says the catalog: the pin whose engine is ``whisper``, for example openai/whisper-small. Knows no text to compare with.

Decoding is greedy, without timestamps, without sampling and without a second try, in the clip's language, so that the
same samples give the same words. A clip that is longer than what the checkpoint hears at a time (30 s for those of
OpenAI) is parted in its pauses (parts.py); each part is heard by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, WhisperTokenizer

from services.scorer.metrics import speech
from services.scorer.metrics.base import LONGEST_S, Clip, Samples, WeightsMismatch, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.pretrained import Pretrained
from services.scorer.metrics.whisper.parts import PARAMETERS as PARTS
from services.scorer.metrics.whisper.parts import parts
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

ENGINE = "whisper"
"""Of the pin."""
REVISION = 1
PARAMETERS = {"revision": REVISION, "longest_s": LONGEST_S, **PARTS, "speech": speech.PARAMETERS}
PACKAGES = ("transformers", "tokenizers", "torch", "silero-vad", "onnxruntime", "soxr", "numpy")

_OWN_CODES = {"cmn": "zh", "nb": "no", "jv": "jw", "fil": "tl"}
"""Languages that Whisper knows by another code than BCP 47 has for them."""


class WhisperRecogniser:
    """One model, loaded once for all metrics that ask it; not for use from several threads."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._pin: PinLock | None = None
        self._prepare: Any = None
        self._tokenizer: Any = None
        self._model: Any = None
        self._languages: Mapping[str, str | None] = {}

    def weights(self) -> Mapping[str, str]:
        """SHA-256 by file of the pin. `FileNotFoundError` where none, or more than one, is locked."""
        pin = self._pin or self._instruments.pin_for(ENGINE)
        return {file.path: file.sha256 for file in pin.files}

    def load(self) -> None:
        """Read the pin into memory. Raises what `Metric.load` does."""
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

    def language_of(self, clip: Clip) -> str | None:
        """Whisper's own code of the clip's language; ``None`` where the pin does not cover it. Known once loaded."""
        subtag = clip.primary_language
        return next((code for code in (subtag, _OWN_CODES.get(subtag)) if code in self._languages), None)

    def obstacle(self, clip: Clip) -> Unscored | None:
        """Why this clip is not transcribed, if so."""
        assert self._pin is not None, "load comes first"
        if self.language_of(clip) is None:
            said = f"{clip.language or 'unknown'}; {self._pin.name} covers {', '.join(sorted(self._languages))}"
            return Unscored(Reason.LANGUAGE_NOT_COVERED, said)
        return too_long(clip)

    def transcript(self, clip: Clip) -> str:
        """What is said, with the punctuation that Whisper gives it; empty where it hears nothing. There must be no
        `obstacle`."""
        return clip.once("whisper transcript", self._transcribe)

    def _transcribe(self, clip: Clip) -> str:
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
    """The one Whisper of a host."""
    return instruments.once(ENGINE, WhisperRecogniser)


def _check(pin: PinLock) -> None:
    """What transformers would make up where it is missing."""
    paths = {file.path for file in pin.files}
    if not {"preprocessor_config.json", "processor_config.json"} & paths:
        raise WeightsMismatch(f"{pin.name} has neither preprocessor_config.json nor processor_config.json")
    if "generation_config.json" not in paths:
        raise WeightsMismatch(f"{pin.name} has no generation_config.json")
    if "tokenizer.json" not in paths and not {"vocab.json", "merges.txt"} <= paths:
        raise WeightsMismatch(f"{pin.name} has no tokenizer.json, and not both of vocab.json and merges.txt")


def _languages(pin: PinLock, generation: Any) -> Mapping[str, str | None]:
    """What to ask for, by code: a token, or nothing of a checkpoint that knows English only."""
    if getattr(generation, "is_multilingual", None) is False:
        return {"en": None}
    tokens = getattr(generation, "lang_to_id", None)
    if not tokens:
        raise WeightsMismatch(f"the generation_config.json of {pin.name} does not say which languages it covers")
    return {token.strip("<|>"): token for token in tokens}
