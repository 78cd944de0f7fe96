"""The Sambert-HifiGAN engine: a voice of the pin, and an emotion if the voice has it.

Owns the manifest and the way from a request to one call. The model has no input for speed and pitch; sonic changes them
on the samples.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.sambert import feeling, installed
from services.worker.engines.sambert.package import SambertModel
from services.worker.engines.sambert.weights import SambertVoice, SambertWeights
from shared.audio import Audio
from shared.catalog import Manifest, PinState, Support
from shared.errors import FailureCode

MAX_PIECE_CHARS = 200
QUANTISED = "Emotions have two strengths: 0 is neutral, and anything above is the whole emotion."


class SambertEngine:
    """One pin: the voices of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._weights = SambertWeights(snapshot.folder, snapshot.options)
        self._loaded: SambertModel | None = None

    def manifest(self) -> Manifest:
        """If the packages cannot be used, the pin is refused, with the reason in ``detail``; the rest says what it
        could do."""
        fault, weights = installed.fault(), self._weights
        return Manifest(
            pin=self._snapshot.pin,
            engine="sambert",
            engine_version=installed.version(),
            lock_sha256=self._snapshot.lock_sha256,
            sample_rate=weights.sample_rate,
            languages=(weights.language,),
            default_language=weights.language,
            voices=tuple(weights.voices),
            default_voice=next(iter(weights.voices)),
            controls=self._controls(),
            emotions=weights.emotions,
            max_piece_chars=MAX_PIECE_CHARS,
            options_schema=options.schema(()),
            licence=self._snapshot.licence,
            description=" ".join(["Sambert-HifiGAN of ModelScope.", *([QUANTISED] if weights.emotions else [])]),
            state=PinState.READY if fault is None else PinState.REFUSED,
            detail=fault,
        )

    def load(self) -> None:
        self._loaded = SambertModel(self._weights, self._snapshot.trust_remote_code)

    def speak(self, request: SpeakRequest) -> Audio:
        model = self._loaded
        assert model is not None, "load first"
        options.chosen((), request.options)
        if not any(character.isalnum() for character in request.text):
            raise EngineError("nothing in the text can be spoken", FailureCode.ENGINE_RETURNED_NOTHING)
        if not f"{request.language.lower()}-".startswith(f"{self._weights.language}-"):
            raise EngineError(f"{self._snapshot.pin} does not speak {request.language}")
        voice = self._voice(request.voice)
        audio = model.speak(feeling.marked(request.text, request.emotion, voice.emotions), voice.name, request.seed)
        return sonic.applied(audio, sonic.Stretch(request.speed, request.pitch_scale))

    def _voice(self, name: str | None) -> SambertVoice:
        return self._weights.voices[name or next(iter(self._weights.voices))]

    def _controls(self) -> Mapping[str, Support]:
        felt = Support.NATIVE if self._weights.emotions else Support.UNSUPPORTED
        return {
            "emotion": felt,
            "strength": felt,
            "speed": Support.POST,
            "pitch_scale": Support.POST,
            "seed": Support.NATIVE if self._weights.draws else Support.NO_EFFECT,
            "sample_rate": Support.POST,
        }
