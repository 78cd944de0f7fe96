"""Kokoro as an engine.

Owns the manifest and the way from a request to the model's parts. Speed is the model's own within its reach; sonic does
the rest, and pitch, on the samples.
"""

from __future__ import annotations

from functools import cached_property

from services.worker.engines import options, sonic
from services.worker.engines.base import EngineError, Snapshot, SpeakRequest
from services.worker.engines.japanese.packages import READER as READER_OF_KANJI
from services.worker.engines.kokoro.files import KokoroFiles, files_in
from services.worker.engines.kokoro.model import MOST_PHONEMES, SAMPLE_RATE, KokoroModel
from services.worker.engines.kokoro_phonemes.accents import VoiceList, voice_list
from services.worker.engines.kokoro_phonemes.packages import missing_packages, package_versions
from services.worker.engines.kokoro_phonemes.phonemes import KokoroPhonemes
from services.worker.engines.onnx_models.pin_options import OnnxPinOptions, pin_options
from services.worker.engines.samples import audio_of
from services.worker.engines.sonic import Stretch
from services.worker.engines.spoken_characters import require_words
from shared.audio import Audio
from shared.catalog import Manifest, PinState, Support

CONTROLS = {
    "speed": Support.NATIVE,
    "pitch_scale": Support.POST,
    "seed": Support.NO_EFFECT,
    "sample_rate": Support.POST,
}
FAVOURITES = ("af_heart", "bf_emma", "zf_xiaoxiao", "jf_alpha", "ef_dora", "ff_siwis", "hf_alpha", "if_sara", "pf_dora")
"""The voice of each accent that speaks if none is named, if the pin has it."""
_READERS = ("hibari-tts", "misaki", "jieba", "pypinyin", "cn2an", READER_OF_KANJI, "espeakng-loader")
"""They decide how text is pronounced."""
_PIECE_CHARS = 300
"""A piece of this length has fewer phonemes than the model's context, in most texts."""


class KokoroEngine:
    """The engine of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._loaded: tuple[KokoroPhonemes, KokoroModel] | None = None

    def manifest(self) -> Manifest:
        """If a package is missing, the pin is refused, with the reason in ``detail``; the rest says what the pin could
        do."""
        voices = self._voices
        fault = missing_packages(voices.packages)
        return Manifest(
            pin=self._snapshot.pin,
            engine="kokoro",
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
            description="Kokoro",
            state=PinState.READY if fault is None else PinState.REFUSED,
            detail=fault,
        )

    def load(self) -> None:
        if (fault := missing_packages(self._voices.packages)) is not None:
            raise EngineError(fault)
        self._loaded = (
            KokoroPhonemes(self._files.numbers, map(accent_of, self._voices.names), MOST_PHONEMES),
            KokoroModel(self._files, self._pin_options),
        )

    def speak(self, request: SpeakRequest) -> Audio:
        import numpy as np

        assert self._loaded is not None, "load first"
        require_words(request.text)
        options.chosen((), request.options)
        voice = self._voices.chosen(request.voice, request.language)
        phonemes, model = self._loaded
        parts = [model.spoken(part, voice, request.speed) for part in phonemes.parts(request.text, accent_of(voice))]
        audio = audio_of(np.concatenate([part.samples for part in parts]), SAMPLE_RATE)
        frames, plain_frames = sum(part.frames for part in parts), sum(part.plain_frames for part in parts)
        return sonic.applied(audio, Stretch(request.speed * frames / plain_frames, request.pitch_scale))

    @cached_property
    def _files(self) -> KokoroFiles:
        return files_in(self._snapshot.folder)

    @cached_property
    def _pin_options(self) -> OnnxPinOptions:
        return pin_options(self._snapshot.options, OnnxPinOptions(max_piece_chars=_PIECE_CHARS))

    @cached_property
    def _voices(self) -> VoiceList:
        names = sorted(self._files.voices, key=lambda name: (name not in FAVOURITES, name))
        return voice_list({name: accent_of(name) for name in names}, self._pin_options.languages)


def accent_of(voice: str) -> str:
    """Return the letter of a voice's accent: ``af_heart`` speaks American English."""
    return voice[0]
