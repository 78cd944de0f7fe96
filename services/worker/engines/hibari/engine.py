"""Hibari as an engine.

Owns the manifest and the way from a request to the models of the voices. Speed is the model's own within its reach;
sonic does the rest, and pitch, on the samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.hibari.files import HibariFiles, files_in
from services.worker.engines.hibari.model import MOST_PHONEMES, HibariModel
from services.worker.engines.hibari.waveform import SAMPLE_RATE
from services.worker.engines.kokoro_phonemes.accents import VoiceList, voice_list
from services.worker.engines.kokoro_phonemes.packages import missing_packages, package_versions
from services.worker.engines.kokoro_phonemes.phonemes import KokoroPhonemes
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions, pin_options
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
_READERS = ("hibari-tts",)
"""It decides how text is pronounced."""


class HibariEngine:
    """The engine of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._loaded: tuple[KokoroPhonemes, Mapping[str, HibariModel]] | None = None

    def manifest(self) -> Manifest:
        """If a package is missing, the pin is refused, with the reason in ``detail``; the rest says what the pin could
        do."""
        voices = self._voices
        fault = missing_packages(voices.packages)
        return Manifest(
            pin=self._snapshot.pin,
            engine="hibari",
            engine_version=package_versions(_READERS),
            lock_sha256=self._snapshot.lock_sha256,
            sample_rate=SAMPLE_RATE,
            languages=voices.languages,
            default_language=voices.languages[0],
            voices=voices.names,
            default_voice=voices.default,
            controls=CONTROLS,
            emotions=(),
            max_piece_chars=self._pin_options.max_piece_chars,
            options_schema=options.schema(()),
            description="Hibari",
            state=PinState.READY if fault is None else PinState.REFUSED,
            detail=fault,
        )

    def load(self) -> None:
        voices = self._voices
        if (fault := missing_packages(voices.packages)) is not None:
            raise EngineError(fault)
        accents = {accent.letter for accent in voices.accents.values()}
        reader = KokoroPhonemes(self._files.numbers, accents, MOST_PHONEMES, by_sentence=True)
        models = {name: HibariModel(self._files.voices[name], self._pin_options) for name in voices.names}
        self._loaded = reader, models

    def speak(self, request: SpeakRequest) -> Audio:
        import numpy as np

        assert self._loaded is not None, "load first"
        require_words(request.text)
        options.chosen((), request.options)
        voice = self._voices.chosen(request.voice, request.language)
        reader, models = self._loaded
        sentences = enumerate(reader.parts(request.text, self._voices.accents[voice].letter))
        spoken = [
            models[voice].spoken(sentence, request.speed, (request.seed, number)) for number, sentence in sentences
        ]
        audio = audio_of(np.concatenate([one.samples for one in spoken]), SAMPLE_RATE)
        frames, plain_frames = sum(one.frames for one in spoken), sum(one.plain_frames for one in spoken)
        return sonic.applied(audio, Stretch(request.speed * frames / plain_frames, request.pitch_scale))

    @cached_property
    def _files(self) -> HibariFiles:
        return files_in(self._snapshot.folder)

    @cached_property
    def _pin_options(self) -> OnnxPinOptions:
        return pin_options(self._snapshot.options)

    @cached_property
    def _voices(self) -> VoiceList:
        found = {name: voice.accent for name, voice in self._files.voices.items()}
        return voice_list(found, self._pin_options.languages)
