"""The IndexTTS2 engine: a voice from a few seconds of it, and an emotion from a name, a vector, a recording or words.

Owns the manifest and the way from a request to one call of ``infer``. Speed is native within the range of the releases
that have it. sonic does the rest of it, and pitch, on the samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.indextts2 import feeling, generation, package
from services.worker.engines.indextts2.package import SAMPLE_RATE, IndexTtsModel
from services.worker.engines.indextts2.weights import IndexTtsWeights
from shared.audio import Audio
from shared.catalog import Manifest, PinState, Support
from shared.errors import FailureCode

MAX_PIECE_CHARS = 200
SLOWEST, FASTEST = 0.5, 2.0
"""The range of speeds that release 2.5 has of its own."""
LICENCE = "bilibili Model Use License; w2v-bert-2.0 MIT; BigVGAN MIT; CAMPPlus Apache-2.0"


class IndexTts2Engine:
    """One pin: one release with the weights of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._weights = IndexTtsWeights(snapshot.folder, snapshot.options)
        self._release = self._weights.release
        self._voices = self._weights.voices
        self._options = generation.options_of(self._weights)
        self._loaded: IndexTtsModel | None = None

    def manifest(self) -> Manifest:
        """If the package cannot be used, the pin is refused, with the reason in ``detail``; the rest says what it could
        do."""
        fault = package.fault()
        return Manifest(
            pin=self._snapshot.pin,
            engine="indextts2",
            engine_version=f"{self._release.name} ({package.PACKAGE} {package.version()})",
            lock_sha256=self._snapshot.lock_sha256,
            sample_rate=SAMPLE_RATE,
            languages=tuple(self._release.languages),
            default_language="zh",
            voices=tuple(self._voices),
            default_voice=next(iter(self._voices), None),
            controls=self._controls(),
            emotions=feeling.EMOTIONS,
            max_piece_chars=MAX_PIECE_CHARS,
            options_schema=options.schema(self._options),
            licence=LICENCE,
            description=f"IndexTTS {self._release.name}; a reference voice is heard for its first 15 s.",
            state=PinState.READY if fault is None else PinState.REFUSED,
            detail=fault,
        )

    def load(self) -> None:
        self._loaded = IndexTtsModel(self._weights)

    def speak(self, request: SpeakRequest) -> Audio:
        model = self._loaded
        assert model is not None, "load first"
        if not any(character.isalnum() for character in request.text):
            raise EngineError("nothing in the text can be spoken", FailureCode.ENGINE_RETURNED_NOTHING)
        arguments = {
            "spk_audio_prompt": str(self._reference(request)),
            "text": request.text,
            **feeling.arguments(request.emotion, model.normalised),
            **generation.arguments(self._options, request.options),
        }
        language, native_speed = self._language(request.language), 1.0
        if self._release.asks_language:
            native_speed = min(max(request.speed, SLOWEST), FASTEST)
            arguments |= {"lang": language, "duration_factor": 1 / native_speed}
        if unknown := model.unknown(request.text):
            raise EngineError(f"not in the vocabulary of {self._snapshot.pin}: {' '.join(unknown[:10])}")
        audio = model.infer(request.seed, arguments)
        return sonic.applied(audio, sonic.Stretch(request.speed / native_speed, request.pitch_scale))

    def _controls(self) -> Mapping[str, Support]:
        return {
            "emotion": Support.NATIVE,
            "strength": Support.NATIVE,
            "emotion_vector": Support.NATIVE,
            "emotion_audio": Support.NATIVE,
            "emotion_text": Support.NATIVE if self._weights.reads_feelings else Support.UNSUPPORTED,
            "speed": Support.NATIVE if self._release.asks_language else Support.POST,
            "pitch_scale": Support.POST,
            "seed": Support.NATIVE,
            "sample_rate": Support.POST,
            "reference": Support.NATIVE,
        }

    def _reference(self, request: SpeakRequest) -> Path:
        """Return the recording of the voice. A reference replaces the pin's default voice; it cannot be combined with
        another."""
        usual = next(iter(self._voices), None)
        name = request.voice or usual
        if request.reference is not None:
            if name != usual:
                raise EngineError(f"either a reference or the voice {name}, not both")
            if not request.reference.is_file():
                raise EngineError("the reference recording is missing")
            return request.reference
        if name is None:
            raise EngineError(f"{self._snapshot.pin} has no voice of its own and needs a reference")
        return self._voices[name]

    def _language(self, tag: str) -> str:
        """Return the package's name for ``tag`` or for its longest known prefix. Raises `EngineError` if there is
        none."""
        prefix = tag.lower()
        while prefix not in self._release.languages:
            if not (prefix := prefix.rpartition("-")[0]):
                raise EngineError(f"{self._snapshot.pin} does not speak {tag}")
        return self._release.languages[prefix]
