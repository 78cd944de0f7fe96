"""espeak NG as an engine: real speech in a hundred languages, on any CPU, without weights to fetch.

Owns the manifest and the way from a request to one call of the library. Emotions are prosody: presets of rate, pitch,
range and volume, scaled by strength; espeak itself has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from services.worker.engines import options
from services.worker.engines.base import EngineError, SpeakRequest
from services.worker.engines.espeak import library, prosody
from services.worker.engines.espeak.library import LibraryRefused, Utterance
from services.worker.engines.espeak.locking import ESPEAK, Installation, installation, verified_lock
from services.worker.engines.espeak.voices import Voices
from services.worker.engines.sonic import Stretch
from shared.audio import Audio
from shared.catalog import Manifest, Support, lock_sha256
from shared.errors import FailureCode
from shared.jobs import CANONICAL_EMOTIONS

SAMPLE_RATE = 22_050
OPTIONS = (
    options.Number("word_gap_ms", 0, 0, 500, "extra pause between words, in milliseconds at speed 1", whole=True),
    options.Number("volume", 100, 0, 200, "loudness; 100 is the voice's own", whole=True),
)
CONTROLS: Mapping[str, Support] = {
    "emotion": Support.NATIVE,
    "strength": Support.NATIVE,
    "emotion_vector": Support.UNSUPPORTED,
    "emotion_audio": Support.UNSUPPORTED,
    "emotion_text": Support.UNSUPPORTED,
    "speed": Support.NATIVE,
    "pitch_scale": Support.NATIVE,
    "seed": Support.NO_EFFECT,
    "sample_rate": Support.POST,
    "reference": Support.UNSUPPORTED,
}


class EspeakEngine:
    """One pin of the family: espeak with the preset in ``preset`` (a TOML file)."""

    def __init__(self, pin: str, preset: Path) -> None:
        self._pin = pin
        self._preset_file = preset

    def manifest(self) -> Manifest:
        return Manifest(
            pin=self._pin,
            engine="espeak",
            engine_version=ESPEAK,
            lock_sha256=lock_sha256(self.lock),
            sample_rate=SAMPLE_RATE,
            languages=self._voices.languages,
            default_language="en",
            voices=self._voices.names,
            voice_pattern=self._voices.pattern,
            controls=CONTROLS,
            emotions=CANONICAL_EMOTIONS,
            options_schema=options.schema(OPTIONS),
            licence="GPL-3.0-or-later",
            description=self._preset.description,
        )

    def load(self) -> None:
        """Verify the files, and that the library speaks."""
        _ = self.lock
        self.speak(SpeakRequest("a", "en"))

    def speak(self, request: SpeakRequest) -> Audio:
        chosen = options.chosen(OPTIONS, request.options)
        settings = prosody.settings(
            self._preset.manner(request.emotion), request.speed, request.pitch_scale, chosen["volume"]
        )
        utterance = Utterance(
            text=request.text,
            voice=self._voices.find(request.language, request.voice),
            rate=settings.rate,
            pitch=settings.pitch,
            range=settings.range,
            volume=settings.volume,
            word_gap_ms=chosen["word_gap_ms"],
        )
        return self._spoken(utterance, settings.stretch)

    def _spoken(self, utterance: Utterance, stretch: Stretch) -> Audio:
        installed = self._installed
        try:
            pcm, sample_rate = library.speak(installed.library, installed.data, utterance, stretch)
        except (LibraryRefused, OSError) as error:
            raise EngineError(str(error)) from error
        if pcm.count(0) == len(pcm):
            raise EngineError("nothing in the text can be spoken", FailureCode.ENGINE_RETURNED_NOTHING)
        return Audio(pcm, sample_rate)

    @cached_property
    def lock(self) -> Mapping[str, Any]:
        """What decides how this pin sounds, read and verified once. Raises `EngineError`."""
        return verified_lock(self._installed, self._preset_file, self._preset.package)

    @cached_property
    def _installed(self) -> Installation:
        return installation()

    @cached_property
    def _preset(self) -> prosody.Preset:
        return prosody.read_preset(self._preset_file)

    @cached_property
    def _voices(self) -> Voices:
        return Voices(self._installed.data)
