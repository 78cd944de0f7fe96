"""How a part of a text may be said, and how it would be wrong.

Owns the word `pronunciation`, its limits, and the relations between its members and the text. A reading is spelled in
ordinary writing that is read in one way (崇庆 for 重庆, ``red`` for the past of *read*), so that any recogniser which
scores a text can judge it. Knows no recogniser.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.values.faults import Loc
from shared.values.text import shown

MAX_TARGET_CHARS = 100
MAX_READINGS = 8
"""Of each kind, right and wrong. A recogniser scores the whole text with each of them."""
MAX_READING_CHARS = 200


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """What is judged of a text: one part of it, and the right and wrong ways to say this part."""

    target: str
    """The part as the text has it, where it occurs once."""
    right: tuple[str, ...]
    wrong: tuple[str, ...]

    def spelled(self, text: str, reading: str) -> str:
        """Return ``text`` with a reading instead of the target."""
        return text.replace(self.target, reading, 1)

    def to_json(self) -> dict[str, Any]:
        return {"target": self.target, "right": list(self.right), "wrong": list(self.wrong)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Pronunciation:
        """Return what ``to_json`` wrote. Members that this version does not know are left out."""
        return cls(data["target"], tuple(data["right"]), tuple(data["wrong"]))


def faults(text: str, said: Pronunciation) -> Iterator[tuple[Loc, str]]:
    """Yield what is wrong between the members of a pronunciation, and between it and its text."""
    if (times := text.count(said.target)) != 1:
        yield ("target",), f"target {shown(said.target)} must occur once in the text (found {times} times)"
    right = _folded(said.right)
    for side, readings in (("right", right), ("wrong", _folded(said.wrong))):
        for index, reading in enumerate(readings):
            if reading in readings[:index]:
                yield (side, index), f"the reading {shown(reading)} appears twice"
            elif side == "wrong" and reading in right:
                yield (side, index), f"the reading {shown(reading)} is right as well"


def _folded(readings: Sequence[str]) -> list[str]:
    return [" ".join(reading.lower().split()) for reading in readings]
