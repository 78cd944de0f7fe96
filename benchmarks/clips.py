"""What is spoken in the benchmarks: the demo's sentences with both built-in pins."""

from __future__ import annotations

from dataclasses import dataclass

from demo.sentences import SENTENCES

PINS = ("espeak-v1", "espeak-v2")


@dataclass(frozen=True, slots=True)
class Line:
    """One clip to be made; ``language`` is a BCP 47 tag, ``emotion`` a canonical name."""

    pin: str
    language: str
    emotion: str
    text: str

    @property
    def submission(self) -> dict[str, object]:
        """The body of `POST /v1/jobs`."""
        return {"pin": self.pin, "language": self.language, "emotion": self.emotion, "text": self.text}


LINES = tuple(Line(pin, said.language, said.emotion, said.text) for pin in PINS for said in SENTENCES)
ONE = next(line for line in LINES if line.language == "en")
"""For loads of many equal requests, and to warm up with: every metric covers it."""
