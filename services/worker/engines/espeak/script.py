"""Prepares a text so that espeak says all of it: signs become words, and the text is cut into parts that it can say at
once.

Knows no library. The caller (the espeak engine or the Piper engine) passes a function that gives the phonemes of each
clause of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.worker.engines.espeak.limits import fits, surely_fits
from services.worker.engines.fitting import parts_that_fit
from services.worker.engines.signs.reading import readable

_FATAL = frozenset({("esx/kl", "0"), ("esx/kl", "8")})
"""Voice and character that end espeak 1.52: Greenlandic has no word for 8, nor for 0 by itself."""

ClausesOf = Callable[[str], Sequence[str]]
"""Gives the phonemes of each clause of a text, with ``_`` between phonemes and white space between words."""


class Script:
    """Remembers which characters each voice reads. For one thread.

    ``is_heard``: whether the phonemes of a clause make any sound.
    """

    def __init__(self, is_heard: Callable[[str], bool]) -> None:
        self._is_heard = is_heard
        self._read: dict[tuple[str, str], bool] = {}

    def parts(self, text: str, language: str, voice: str, clauses_of: ClausesOf) -> list[str]:
        """Return the parts for espeak to say one after another. ``language``: of the words for signs. ``voice``: whose
        phonemes ``clauses_of`` gives. Raises `EngineError` that names the characters that cannot be said."""
        text = readable(text, language, lambda one, word: self._reads(one, word, voice, clauses_of))
        return parts_that_fit(text, lambda part: surely_fits(part) or fits(part, clauses_of))

    def _reads(self, character: str, word: str, voice: str, clauses_of: ClausesOf) -> bool:
        """Return whether a character is read: by itself, by name or as a letter, or, like a soft sign, by how it
        changes its word. A sign must be heard where it stands."""
        if (voice.partition("+")[0], character) in _FATAL:
            return False
        if (voice, character) not in self._read:
            self._read[voice, character] = any(map(self._is_heard, clauses_of(character)))
        alone, is_letter = self._read[voice, character], character.isalpha() or character.isdecimal()
        if word == character or alone == is_letter:
            return alone
        said = clauses_of(word)
        return said not in (clauses_of(word.replace(character, without)) for without in ("", " "))
