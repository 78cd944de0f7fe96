"""Voices for measurements of the recognisers: robotic and neural ones, of espeak, joe and Kokoro."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.harness.pulled import PulledPins
from services.worker.engines.base import Engine, Snapshot, SpeakRequest
from services.worker.engines.families import family_of
from services.worker.engines.kokoro.engine import KokoroEngine
from services.worker.engines.piper.family import Piper
from shared.audio import Audio

PINS = ("joe", "kokoro")
"""Besides espeak, which is built in."""


@dataclass(frozen=True, slots=True)
class LoadedVoice:
    """``language``: a tag that the engine takes. ``own``: one of the engine's own voices."""

    name: str
    engine: Engine
    language: str
    own: str | None = None

    @property
    def primary_language(self) -> str:
        """The language without its region."""
        return self.language.partition("-")[0]

    def speak(self, text: str) -> Audio:
        """Return the text, spoken with a fixed seed."""
        return self.engine.speak(SpeakRequest(text, self.language, voice=self.own, seed=1))


def voices(pins: PulledPins) -> Iterator[LoadedVoice]:
    """Yield two voices in English and two in Mandarin. ``pins``: among them those of `PINS`."""
    espeak = family_of("espeak-v2").build("espeak-v2")
    joe = Piper().build_from(Snapshot("joe", *pins.snapshot("joe")))
    kokoro = KokoroEngine(Snapshot("kokoro", *pins.snapshot("kokoro"), options={}))
    for engine in (espeak, joe, kokoro):
        engine.load()
    yield LoadedVoice("espeak", espeak, "en-us", "en-us")
    yield LoadedVoice("joe", joe, "en-us")
    yield LoadedVoice("espeak", espeak, "zh", "cmn")
    yield LoadedVoice("kokoro, a woman", kokoro, "zh", "zf_xiaobei")
