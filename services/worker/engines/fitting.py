"""Cuts a text into parts that each fit what an engine can say at once.

Owns where a text is cut. The engine decides what fits: some engines count phonemes, and drop the excess without an
error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from services.worker.engines.base import EngineError

_LINE_ENDS = re.compile(r"\n\s*")
_SENTENCES = re.compile(r"[.!?…؟।](?:[\"'”’»)\]]*)\s+|[。！？](?:[”’」』）]*)\s*")
_CLAUSES = re.compile(r"[;:,—،]\s+|[；：，、]\s*")
_SPACES = re.compile(r"\s+")


def parts_that_fit(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Return ``text`` cut until every part ``fits``. The parts joined are the text, and none is only white space.

    A part that does not fit is cut near its middle: after a line, else after a sentence, a clause or a word, else where
    letters and digits meet, else between any two characters. Raises `EngineError` if a single character does not fit.
    """
    if fits(text):
        return [text]
    at = _cut(text)
    if at is None:
        raise EngineError(f"{text.strip()!r} is longer than the engine can speak at once")
    return [*parts_that_fit(text[:at], fits), *parts_that_fit(text[at:], fits)]


def _cut(text: str) -> int | None:
    """Return where to cut, or `None`. Prefers the first kind of place found in the middle half, then any kind of place;
    of that kind, the one nearest to the middle."""
    kinds = [*(_ends(pattern, text) for pattern in (_LINE_ENDS, _SENTENCES, _CLAUSES, _SPACES)), *_within_words(text)]
    middle = len(text) / 2
    kinds = [[at for at in kind if text[:at].strip() and text[at:].strip()] for kind in kinds]
    central = [[at for at in kind if abs(at - middle) <= len(text) / 4] for kind in kinds]
    for kind in (*central, *kinds):
        if kind:
            return min(kind, key=lambda at: abs(at - middle))
    return None


def _ends(pattern: re.Pattern[str], text: str) -> list[int]:
    return [found.end() for found in pattern.finditer(text)]


def _within_words(text: str) -> Iterable[list[int]]:
    anywhere = [at for at in range(1, len(text)) if not _belongs_to_the_one_before(text, at)]
    yield [at for at in anywhere if text[at - 1].isdigit() != text[at].isdigit()]
    yield anywhere


def _belongs_to_the_one_before(text: str, at: int) -> bool:
    """True for combining marks, joiners and variation selectors, and for what a joiner joins."""
    return unicodedata.category(text[at])[0] == "M" or "\u200d" in text[at - 1 : at + 1]
