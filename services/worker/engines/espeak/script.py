"""Prepares a text so that espeak says all of it: signs become words, kanji become kana, and the text is cut into parts
that it can say at once.

Knows no library. The caller (the espeak engine or the Piper engine) passes a function that gives the phonemes of each
clause of a text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.worker.engines.base import EngineError
from services.worker.engines.espeak.limits import fits, surely_fits
from services.worker.engines.fitting import parts_that_fit
from services.worker.engines.japanese.packages import fault
from services.worker.engines.signs.names import base_of
from services.worker.engines.signs.reading import Reads, readable

_FATAL = frozenset({("esx/kl", "0"), ("esx/kl", "8")})
"""Voice and character that end espeak 1.52: Greenlandic has no word for 8, nor for 0 by itself."""

_PAUSES = "_:|!; "
"""Characters in espeak's phonemes that are not heard."""
ClausesOf = Callable[[str], Sequence[str]]
"""Gives the phonemes of each clause of a text, with ``_`` between phonemes and white space between words."""


def is_heard(clause: str) -> bool:
    """Return whether the phonemes of a clause, in espeak's own letters, make any sound."""
    return bool(clause.strip(_PAUSES))


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

        def reads(one: str, word: str) -> bool:
            return self._reads(one, word, voice, clauses_of)

        text = _japanese(text, reads) if base_of(language) == "ja" else readable(text, language, reads)
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


def _japanese(text: str, reads: Reads) -> str:
    """Return a Japanese text in characters that are read. If it has kanji, also in the words for signs, all of it
    becomes kana. Kana alone stay as they are, apart from letters beside them: of `Aさん`, espeak leaves out the A."""
    # Their patterns take 20 ms, for which a host that speaks no Japanese need not wait at its start.
    from services.worker.engines.espeak.kanji import in_kana
    from services.worker.engines.japanese.texts import apart, has_kanji, is_kanji

    kanji = fault()
    try:
        text = in_kana(text) if has_kanji(text) and kanji is None else text
        text = readable(apart(text), "ja", lambda one, word: kanji is None if is_kanji(one) else reads(one, word))
    except EngineError as error:
        if kanji is None:
            raise
        raise EngineError(f"{error}: {kanji}") from error
    return in_kana(text) if has_kanji(text) else text
