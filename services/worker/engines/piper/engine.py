"""A voice of Piper as an engine.

Owns the manifest and the way from a request to the model's sentences. Speed is the voice's own (its length scale)
within its reach: every phoneme lasts a whole number of frames and at least one, so fast speech comes out slower than
asked. sonic does the rest, and pitch, on the samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions, pin_options
from services.worker.engines.piper import phonemes
from services.worker.engines.piper.model import PiperManner, PiperModel, PiperSpoken
from services.worker.engines.piper.phonemes import Phonemes
from services.worker.engines.piper.voice import PiperVoiceFile, voice_in
from services.worker.engines.samples import audio_of
from services.worker.engines.sonic import Stretch
from services.worker.engines.spoken_characters import require_words
from shared.audio import Audio
from shared.catalog import Manifest, PinState, Support

CONTROLS: Mapping[str, Support] = {
    "speed": Support.NATIVE,
    "pitch_scale": Support.POST,
    "seed": Support.NATIVE,
    "sample_rate": Support.POST,
}


class PiperEngine:
    """The engine of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._loaded: tuple[Phonemes, PiperModel] | None = None

    def manifest(self) -> Manifest:
        """If a package is missing, the pin is refused, with the reason in ``detail``; the rest says what the voice
        could do."""
        voice, said = self._voice, self._pin_options
        languages = said.languages or voice.languages
        if not languages:
            raise EngineError("the voice does not say its language; set options/languages in the catalog")
        fault = phonemes.fault(voice)
        return Manifest(
            pin=self._snapshot.pin,
            engine="piper",
            engine_version=phonemes.package_version(voice),
            lock_sha256=self._snapshot.lock_sha256,
            sample_rate=voice.sample_rate,
            languages=languages,
            default_language=languages[0],
            voices=tuple(voice.speakers),
            default_voice=next(iter(voice.speakers), None),
            controls=CONTROLS,
            emotions=(),
            max_piece_chars=said.max_piece_chars,
            options_schema=options.schema(voice.options),
            description="Piper",
            state=PinState.READY if fault is None else PinState.REFUSED,
            detail=fault,
        )

    def load(self) -> None:
        if (fault := phonemes.fault(self._voice)) is not None:
            raise EngineError(fault)
        self._loaded = Phonemes(self._voice), PiperModel(self._voice, self._pin_options)

    def speak(self, request: SpeakRequest) -> Audio:
        assert self._loaded is not None, "load first"
        require_words(request.text)
        speakers = self._voice.speakers
        manner = PiperManner(
            speed=request.speed,
            scales=options.chosen(self._voice.options, request.options),
            speaker=speakers[request.voice or next(iter(speakers))] if speakers else None,
        )
        reader, model = self._loaded
        sentences = enumerate(reader.sentences(request.text, request.language))
        spoken = [model.spoken(ids, manner, (request.seed, number)) for number, ids in sentences]
        return sonic.applied(self._joined(spoken), Stretch(_tempo(spoken, request.speed), request.pitch_scale))

    def _joined(self, spoken: Sequence[PiperSpoken]) -> Audio:
        import numpy as np

        return audio_of(np.concatenate([sentence.samples for sentence in spoken]), self._voice.sample_rate)

    @cached_property
    def _voice(self) -> PiperVoiceFile:
        return voice_in(self._snapshot.folder)

    @cached_property
    def _pin_options(self) -> OnnxPinOptions:
        return pin_options(self._snapshot.options)


def _tempo(spoken: Sequence[PiperSpoken], speed: float) -> float:
    """Return the factor of tempo that is left for sonic."""
    frames, plain_frames = sum(one.frames for one in spoken), sum(one.plain_frames for one in spoken)
    return speed * frames / plain_frames
