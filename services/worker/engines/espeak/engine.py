"""The espeak engine.

Owns the manifest and the way from a request to one call of the library. espeak has no emotions of its own: they are
presets of rate, pitch, range and volume, scaled by strength.
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
from services.worker.engines.espeak.lower_case import LowerCaseData
from services.worker.engines.espeak.script import Script, is_heard
from services.worker.engines.espeak.voices import EspeakVoices
from services.worker.engines.sonic import Stretch
from shared.audio import Audio
from shared.catalog import Manifest, Support, lock_sha256
from shared.controls import CANONICAL_EMOTIONS
from shared.errors import FailureCode

SAMPLE_RATE = 22_050
OPTIONS = (
    options.Number("word_gap_ms", 0, 0, 500, "extra pause between words, in milliseconds at speed 1", whole=True),
    # below 10, some manners of some voices are only zeros
    options.Number("volume", 100, 10, 200, "loudness; 100 is the voice's own", whole=True),
)
CONTROLS: Mapping[str, Support] = {
    "emotion": Support.NATIVE,
    "strength": Support.NATIVE,
    "speed": Support.NATIVE,
    "pitch_scale": Support.NATIVE,
    "seed": Support.NO_EFFECT,
    "sample_rate": Support.POST,
}
_ENDINGS = tuple(".,;:!?…。，、；：！？—")


class EspeakEngine:
    """One pin of the family: espeak with the preset in ``preset`` (a TOML file)."""

    def __init__(self, pin: str, preset: Path) -> None:
        self._pin = pin
        self._preset_file = preset
        self._loaded = False

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
        """Verify the files, and check that the library speaks."""
        _ = self.lock
        self.speak(SpeakRequest("a", "en"))
        self._loaded = True

    def speak(self, request: SpeakRequest) -> Audio:
        chosen = options.chosen(OPTIONS, request.options)
        settings = prosody.settings(
            self._preset.manner(request.emotion), request.speed, request.pitch_scale, chosen["volume"]
        )
        voice = self._voices.find(request.language, request.voice)
        language = request.language if request.voice is None else request.voice.partition("+")[0]
        utterance = Utterance(
            texts=self._texts(request.text, language, voice),
            voice=voice,
            rate=settings.rate,
            pitch=settings.pitch,
            range=settings.range,
            volume=settings.volume,
            word_gap_ms=chosen["word_gap_ms"],
        )
        return self._spoken(utterance, settings.stretch)

    def _texts(self, text: str, language: str, voice: str) -> tuple[str, ...]:
        try:
            with library.phonemes(self._installed.library, self._data, voice) as clauses_of:
                parts = self._script.parts(text, language, voice, clauses_of)
        except (LibraryRefused, OSError) as error:
            raise EngineError(str(error)) from error
        return (*(_going_on(part) for part in parts[:-1]), parts[-1])

    def _spoken(self, utterance: Utterance, stretch: Stretch) -> Audio:
        try:
            pcm, sample_rate = library.speak(self._installed.library, self._data, utterance, stretch)
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

    @property
    def _data(self) -> Path:
        """The voice data. The folder of links is made for the first job: a pin that is loaded may never get one."""
        return self._lower_case.path if self._loaded else self._installed.data

    @cached_property
    def _lower_case(self) -> LowerCaseData:
        return LowerCaseData(self._installed.data)

    @cached_property
    def _script(self) -> Script:
        return Script(is_heard)

    @cached_property
    def _preset(self) -> prosody.Preset:
        return prosody.read_preset(self._preset_file)

    @cached_property
    def _voices(self) -> EspeakVoices:
        return EspeakVoices(self._installed.data)


def _going_on(part: str) -> str:
    """Return ``part`` with an ending. Without one, espeak would lower its voice as at the end of a sentence."""
    said = part.rstrip()
    return said if said.endswith(_ENDINGS) else f"{said},"
