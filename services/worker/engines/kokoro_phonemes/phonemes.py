"""From text to the phoneme numbers that the model reads, in parts that fit its context.

Owns the choice of the reader by the voice's accent, and the check for phonemes that the model does not know, which must
not be left out silently. Knows nothing of samples.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Protocol

from services.worker.engines.base import EngineError
from services.worker.engines.fitting import parts_that_fit
from services.worker.engines.kokoro_phonemes.accents import AMERICAN, BRITISH, BY_ESPEAK, JAPANESE, MANDARIN
from services.worker.engines.kokoro_phonemes.chinese import Chinese
from services.worker.engines.kokoro_phonemes.english import English
from services.worker.engines.kokoro_phonemes.espeak_ipa import EspeakIpa
from services.worker.engines.kokoro_phonemes.japanese import Japanese
from services.worker.engines.signs.reading import Reads
from services.worker.engines.spoken_characters import require_known
from shared.errors import FailureCode

_SPACES = re.compile(r"\s+")
_SENTENCE = re.compile(r"\S.*?(?:[.!?…][\"”)]*(?=\s)|\Z)")
"""Of phonemes, where a full stop is no longer part of an abbreviation or a number."""
_SOUNDS = ("Ll", "Lu", "Lo")
"""Unicode categories of phonemes that sound by themselves; stress, length and tone are marks and symbols."""


class Reader(Protocol):
    """What puts texts of one accent into phonemes."""

    def prepared(self, text: str, reads: Reads) -> str:
        """Return the text in characters that `phonemes` reads. ``reads``: whether a character is read. Raises
        `EngineError` that names those that are not and have no words."""

    def phonemes(self, text: str) -> str:
        """Return the phonemes of a prepared text. Raises `EngineError` that names what has none."""


class KokoroPhonemes:
    """The readers of one pin. For one thread."""

    def __init__(
        self, numbers: Mapping[str, int], accents: Iterable[str], most: int, by_sentence: bool = False
    ) -> None:
        """``accents``: letters of those that are read. ``most``: phonemes that the model reads at once.
        ``by_sentence``: it reads one sentence at a time."""
        letters = set(accents)
        american = English(british=False) if letters & {AMERICAN, MANDARIN, JAPANESE} else None
        self._numbers = numbers
        self._most = most
        self._by_sentence = by_sentence
        self._readers: dict[str, Reader] = {
            letter: EspeakIpa(voice) for letter, voice in BY_ESPEAK.items() if letter in letters
        }
        if BRITISH in letters:
            self._readers[BRITISH] = English(british=True)
        if american is not None:
            self._readers[AMERICAN] = american
            if MANDARIN in letters:
                self._readers[MANDARIN] = Chinese(american)
            if JAPANESE in letters:
                self._readers[JAPANESE] = Japanese(american)
        self._read: dict[tuple[str, str], bool] = {}

    def parts(self, text: str, accent: str) -> Sequence[Sequence[int]]:
        """Return the phoneme numbers of ``text`` in an accent, in parts that the model reads at once. Raises
        `EngineError` if nothing can be spoken, and for what cannot be spoken; it names that."""
        said = cache(lambda part: self._known(self._readers[accent].phonemes(part)))
        text = self._readers[accent].prepared(text, lambda one, _: self._reads(one, accent))
        parts = [said(part) for part in parts_that_fit(text, lambda part: len(said(part)) <= self._most)]
        if self._by_sentence:
            parts = [sentence for part in parts for sentence in _SENTENCE.findall(part)]
        heard = [part for part in parts if _sounds(part)]
        if not heard:
            raise EngineError("nothing in the text has phonemes", FailureCode.ENGINE_RETURNED_NOTHING)
        return [[self._numbers[phoneme] for phoneme in phonemes] for phonemes in heard]

    def _known(self, phonemes: str) -> str:
        """Return the phonemes with spaces for pauses that the model does not know."""
        require_known(phonemes, self._numbers.__contains__)
        plain = "".join(one if one in self._numbers else " " for one in phonemes)
        return _SPACES.sub(" ", plain).strip()

    def _reads(self, character: str, accent: str) -> bool:
        """Return whether a character by itself makes a sound."""
        read = self._read.get((accent, character))
        if read is None:
            try:
                read = _sounds(self._known(self._readers[accent].phonemes(character)))
            except EngineError:
                read = False
            self._read[accent, character] = read
        return read


def _sounds(phonemes: str) -> bool:
    return any(unicodedata.category(one) in _SOUNDS for one in phonemes)
