"""From Chinese text to the numbers of symbols that the acoustic models read, clause by clause.

A syllable is an initial and a final with its tone, as the corpus Baker writes them. Knows nothing of samples.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from services.worker.engines.base import EngineError
from services.worker.engines.fitting import parts_that_fit
from services.worker.engines.kokoro_phonemes.chinese import written_out
from services.worker.engines.spoken_characters import require_known
from shared.errors import FailureCode

MOST_SYLLABLES = 40
"""Of a clause. FastSpeech2 has room for 2048 frames, some 30 for a syllable at half the speed; Tacotron 2 loses its
place in long clauses."""
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_PAUSE = re.compile(rf"[^{_HAN}]*[、，。！？；：,.!?;:…—\n][^{_HAN}]*")
_UNITS = {
    "km": "公里",
    "kg": "公斤",
    "cm": "厘米",
    "mm": "毫米",
    "ml": "毫升",
    "m": "米",
    "g": "克",
    "㎞": "公里",
    "㎏": "公斤",
    "㎝": "厘米",
    "㎜": "毫米",
    "㎡": "平方米",
}
_UNIT = re.compile(rf"(?<=[0-9])\s?({'|'.join(_UNITS)})(?![A-Za-z0-9²³/])")
"""The models have no sounds for Latin letters."""
_SILENCE, _BETWEEN, _END, _NO_INITIAL = "sil", "#0", "eos", "^"
_RESTS = {"n": "en", "ng": "en", "lue": "lve", "nue": "nve"}
"""Spellings of pypinyin -> those that the rules below read."""
_BUZZING = {**dict.fromkeys(("z", "c", "s"), "ii"), **dict.fromkeys(("zh", "ch", "sh", "r"), "iii")}
"""Initial -> what the final ``i`` is behind it."""


class Syllables:
    """The reader of one pin. For one thread."""

    def __init__(self, numbers: Mapping[str, int]) -> None:
        """Raises `EngineError` if ``numbers`` lack a symbol that every text needs."""
        if lacking := [one for one in (_SILENCE, _BETWEEN, _END, _NO_INITIAL) if one not in numbers]:
            raise EngineError(f"the pin's symbols lack {', '.join(lacking)}")
        self._numbers = numbers
        self._known = cache(lambda character: self._reading(character) is not None)

    def clauses(self, text: str) -> Sequence[Sequence[int]]:
        """Return the numbers of the symbols of each clause. Raises `EngineError` if nothing can be spoken, and for
        characters that have no reading; it names them."""
        import cn2an  # type: ignore[import-untyped]

        text = _UNIT.sub(lambda found: _UNITS[found[1]], text)
        text = written_out(text, lambda one, _: one in "0123456789" or self._known(one))
        try:
            text = cn2an.transform(text, "an2cn")
        except ValueError as error:
            raise EngineError(f"the model does not know {text.strip()[:30]!r}: {error}") from error
        require_known(text, self._known)
        plain = ("".join(filter(self._known, clause)) for clause in _PAUSE.split(text))
        clauses = [
            part for clause in plain if clause for part in parts_that_fit(clause, lambda it: len(it) <= MOST_SYLLABLES)
        ]
        if not clauses:
            raise EngineError("nothing in the text has a reading", FailureCode.ENGINE_RETURNED_NOTHING)
        return [self._numbered(clause) for clause in clauses]

    def _numbered(self, clause: str) -> Sequence[int]:
        from pypinyin import Style, lazy_pinyin

        symbols = [_SILENCE]
        for syllable in lazy_pinyin(clause, style=Style.TONE3, neutral_tone_with_five=True):
            symbols += [*symbols_of(syllable), _BETWEEN]
        require_known("".join(one for one in symbols if one not in self._numbers), lambda _: False)
        return [self._numbers[symbol] for symbol in (*symbols[:-1], _SILENCE, _END)]

    def _reading(self, character: str) -> Sequence[str] | None:
        from pypinyin import Style, lazy_pinyin

        if not re.match(f"[{_HAN}]", character):
            return None
        (syllable,) = lazy_pinyin(character, style=Style.TONE3, neutral_tone_with_five=True)
        symbols = symbols_of(syllable) if syllable[-1:].isdigit() else ()
        return symbols if symbols and all(one in self._numbers for one in symbols) else None


def symbols_of(syllable: str) -> tuple[str, str]:
    """Return initial and final of a syllable in pinyin with its tone: ``zhong1`` is ``zh`` and ``ong1``."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    plain, tone = syllable[:-1], syllable[-1]
    plain = _RESTS.get(plain, plain)
    initial, final = to_initials(plain, strict=True), to_finals(plain, strict=True, v_to_u=False).replace("ü", "v")
    if final == "i":
        final = _BUZZING.get(initial, final)
    if plain == "yo":
        final = "iou"
    return initial or _NO_INITIAL, final + tone
