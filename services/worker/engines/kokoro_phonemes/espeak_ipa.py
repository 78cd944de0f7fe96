"""Texts of Spanish, French, Hindi, Italian and Portuguese to the phonemes of Kokoro, by espeak, as misaki does.

Owns how IPA of espeak is written in Kokoro's phonemes, and marks, which espeak leaves out of its answer. What espeak
would leave out of the text is put into words by the espeak family's own script.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.espeak import library
from services.worker.engines.espeak.limits import fits, surely_fits
from services.worker.engines.espeak.locking import installation
from services.worker.engines.espeak.lower_case import LowerCaseData
from services.worker.engines.espeak.script import Script, is_heard
from services.worker.engines.espeak.voices import EspeakVoices
from services.worker.engines.fitting import parts_that_fit
from services.worker.engines.pauses import with_pauses
from services.worker.engines.signs.reading import Reads
from services.worker.engines.spoken_characters import require_known
from shared.values.text import in_form

_ONE_SIGN = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O",
    "ə^ʊ": "Q", "s^s": "S", "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y",
}  # fmt: skip
"""Phonemes of two letters -> Kokoro's sign for them."""
_LANGUAGE = re.compile(r"\([a-z^-]+\)")
"""Where espeak reads a word in another language."""
_NOT_PHONEMES = str.maketrans("", "", f"{library.TIE}-\u0329\u032a")
"""Besides ties: hyphens between syllables, and the marks of syllabic and dental consonants, which Kokoro lacks."""
_MARK = re.compile(r"""([;:,.!?…—।॥]+(?=[\s"»”)\]]|$)|["«»“”()¿¡—…।॥])""")
_MARKS = str.maketrans({"«": "“", "»": "”", "।": ".", "॥": ".", "¿": " ", "¡": " "})
_SCRIPTS = ("LATIN", "DEVANAGARI", "FEMININE ORDINAL", "MASCULINE ORDINAL")
"""Beginnings of the names of letters that are read; espeak only names others, in English."""


_voices = cache(EspeakVoices)
_lower_case = cache(LowerCaseData)
"""Of the voice data, for the readers of all languages."""


class EspeakIpa:
    """The reader of one language. For one thread."""

    def __init__(self, voice: str) -> None:
        """``voice``: a name of espeak's."""
        self._installed = installation()
        self._language = voice
        self._voice = _voices(self._installed.data).find(voice, voice)
        self._script = Script(is_heard)

    def prepared(self, text: str, reads: Reads) -> str:  # noqa: ARG002 - the script asks espeak itself
        text = in_form("NFC", text)
        require_known(text, _is_of_its_script)
        with self._asking(library.phonemes) as clauses_of:
            return "".join(self._script.parts(with_pauses(text, ", "), self._language, self._voice, clauses_of))

    def phonemes(self, text: str) -> str:
        with self._asking(library.phonemes) as clauses_of, self._asking(library.ipa) as ipa_of:

            def said(run: str) -> str:
                parts = parts_that_fit(run, lambda part: surely_fits(part) or fits(part, clauses_of))
                heard = " ".join(" ".join(ipa_of(part)) for part in parts)
                return f"{run[: len(run) - len(run.lstrip())]}{_signs(heard)}{run[len(run.rstrip()) :]}"

            runs = enumerate(_MARK.split(text))
            return "".join(run.translate(_MARKS) if at % 2 else said(run) if run.strip() else run for at, run in runs)

    @contextmanager
    def _asking(self, asked: Any) -> Iterator[Callable[[str], list[str]]]:
        """Give what `library.phonemes` or `library.ipa` gives. Raises `EngineError` if espeak cannot be used."""
        try:
            with asked(self._installed.library, _lower_case(self._installed.data).path, self._voice) as answers:
                yield answers
        except (library.LibraryRefused, OSError) as error:
            raise EngineError(str(error)) from error


def _signs(ipa: str) -> str:
    ipa = _LANGUAGE.sub("", ipa)
    for two, one in _ONE_SIGN.items():
        ipa = ipa.replace(two, one)
    return ipa.translate(_NOT_PHONEMES).strip()


def _is_of_its_script(character: str) -> bool:
    return not character.isalpha() or unicodedata.name(in_form("NFKC", character)[0], "").startswith(_SCRIPTS)
