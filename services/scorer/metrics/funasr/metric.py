"""The family ``funasr``: is the speech intelligible? Character error rate between the text and what FunASR hears.

Owns which recognisers are known (SenseVoice and Paraformer), what each covers and how it is called. Errors
are counted by the folder counting. The catalog chooses the recogniser: the pin whose engine is ``funasr``.

SenseVoice writes words as they were said (``use_itn=False``): 三百, not 300. A Paraformer is assumed to know Mandarin
only, unless the pin's option ``languages`` says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from services.scorer.metrics import speech
from services.scorer.metrics.base import MeasuredClip, Reading, WeightsMismatch, too_long
from services.scorer.metrics.characters import characters
from services.scorer.metrics.counting import rates
from services.scorer.metrics.funasr.package import Funasr, FunasrFailed
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.whisper import parts
from shared import metrics
from shared.processes.hosting import HostTimeout
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

PART_S = 30.0
"""Seconds. SenseVoice was trained on no more at a time; longer speech is cut in its pauses."""

SENSEVOICE = "SenseVoiceSmall"
PARAFORMERS = ("Paraformer", "BiCifParaformer", "ContextualParaformer", "SeacoParaformer")
_KNOWN = metrics.FUNASR.languages or ()
_COVERED = {SENSEVOICE: _KNOWN} | dict.fromkeys(PARAFORMERS, ("zh", "cmn"))
_TAG = re.compile(r"<\|[^|]*\|>")
"""What SenseVoice writes besides the text: language, emotion, event.

FunASR's own clean-up would turn some of it into emoji, and removes the word "The." from a text.
"""


class FunasrRecogniser:
    """The family ``funasr``."""

    info = metrics.FUNASR

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._funasr = Funasr(instruments.funasr_python, instruments.threads)
        self._pin: PinLock | None = None
        self._model = ""
        self._languages: tuple[str, ...] = ()

    def lock(self) -> Mapping[str, Any]:
        pin = self._pin or self._instruments.pin_for(self.info.family)
        lock = scorer_lock(
            self.info.family,
            revision=2,  # 2: a number is compared with every way to read it
            weights=pin.hashes,
            packages=(*rates.PACKAGES, "silero-vad", "onnxruntime", "soxr", "numpy"),
            parameters={
                "part_s": PART_S,
                "use_itn": False,
                **rates.PARAMETERS,
                **parts.PARAMETERS,
                "speech": speech.PARAMETERS,
            },
        )
        return lock | {"funasr": self._funasr.packages()}

    def load(self) -> None:
        pin = self._instruments.pin_for(self.info.family)
        folder = self._instruments.snapshot(pin)
        self._model = _model(folder, pin.name)
        self._languages = _languages(pin, self._model)
        self._funasr.load(pin, folder)
        self._pin = pin

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {"asr/cer_funasr": self._error_rate(clip)}

    def _error_rate(self, clip: MeasuredClip) -> Reading:
        language = clip.primary_language
        if language not in self._languages:
            covered = ", ".join(self._languages)
            return Unscored(Reason.LANGUAGE_NOT_COVERED, f"{language}; this {self._model} covers {covered}")
        if not characters(clip.text or "", language):
            return Unscored(Reason.NEEDS_TEXT, "the text has no letters or digits")
        return too_long(clip) or self._heard(clip, language)

    def _heard(self, clip: MeasuredClip, language: str) -> Reading:
        spoken = self._instruments.speech.find(clip).stretches
        cuts = [slice(*(round(at * speech.RATE) for at in part)) for part in parts.parts(spoken, PART_S)]
        try:
            results = self._funasr.generate(
                [clip.at_16k[cut] for cut in cuts], self._options(language), timeout_s=0.9 * self.info.deadline_s
            )
        except HostTimeout as error:
            return Unscored(Reason.SCORER_TIMEOUT, str(error))
        return rates.character_error_rate(clip.text or "", " ".join(map(_text, results)), language)

    def _options(self, language: str) -> Mapping[str, Any]:
        if self._model != SENSEVOICE:
            return {}
        return {"language": "zh" if language == "cmn" else language, "use_itn": False}


def _model(folder: Path, pin: str) -> str:
    try:
        config = yaml.safe_load((folder / "config.yaml").read_bytes())
        model = str(config["model"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise WeightsMismatch(f"{pin} has no config.yaml that names a model: {type(error).__name__}") from error
    if model not in _COVERED:
        raise WeightsMismatch(f"{pin} is a model of type {model}, not one of {', '.join(_COVERED)}")
    return model


def _languages(pin: PinLock, model: str) -> tuple[str, ...]:
    said = pin.options.get("languages", list(_COVERED[model]))
    if not isinstance(said, list) or not said or not all(language in _KNOWN for language in said):
        raise WeightsMismatch(f"the option languages of {pin.name} is {said!r}, not a list of {', '.join(_KNOWN)}")
    return tuple(said)


def _text(result: Mapping[str, Any]) -> str:
    if not isinstance(text := result.get("text"), str):
        raise FunasrFailed("it returned no text")
    return _TAG.sub("", text)
