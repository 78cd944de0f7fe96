"""What is spoken in the benchmarks: the demo's sentences, or a suite that ships, with both built-in pins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo.__main__ import PINS, VOICES
from demo.sentences import SENTENCES
from services.worker.engines.base import SpeakRequest
from shared.controls import Emotion
from shared.suites.reading import golden_suite


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One clip to be made, as the demo makes it; ``language`` is a BCP 47 tag, ``emotion`` a canonical name."""

    pin: str
    language: str
    voice: str | None
    emotion: str
    text: str

    @property
    def submission(self) -> dict[str, object]:
        """The body of `POST /v1/jobs`."""
        return {
            "pin": self.pin,
            "language": self.language,
            "voice": self.voice,
            "emotion": self.emotion,
            "text": self.text,
        }

    @property
    def spoken_alone(self) -> SpeakRequest:
        """The same, asked of the engine itself."""
        return SpeakRequest(self.text, self.language, voice=self.voice, emotion=Emotion(self.emotion))


LINES = tuple(
    SpokenLine(pin, said.language, VOICES[said.language], said.emotion, said.text) for pin in PINS for said in SENTENCES
)


def lines_of(suite: str | None) -> Sequence[SpokenLine]:
    """The clips of a suite that ships, whose items all have an emotion; those of the demo where none is named."""
    if suite is None:
        return LINES
    items = golden_suite(suite).items
    return [
        SpokenLine(pin, i.language, i.voice, i.emotion, i.text) for pin in PINS for i in items if i.emotion is not None
    ]


ONE = next(line for line in LINES if line.language == "en")
"""For loads of many equal requests, and to warm up with: every metric covers it."""
