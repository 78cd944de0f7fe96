"""English texts to the phonemes of Kokoro, by the package hibari-tts: the only module that imports it.

The package contains misaki's lexicons and rules, by which Kokoro learned to read, and a small network for other words.
Owns what the package would leave out: letters that its network does not know or has no room for, signs that it takes
for marks, links, very long numbers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.pauses import with_pauses
from services.worker.engines.signs.reading import Reads, folded, readable
from services.worker.engines.spoken_characters import aloud, require_known
from shared.values.text import in_form

_LINK = re.compile(r"\](?=\()")
"""The package takes ``[text](/phonemes/)`` as phonemes and leaves out what is in brackets otherwise."""
_OTHER_APOSTROPHE = "\u02bc"
"""A letter by its category, which the package does not know."""
_ENCLOSED = re.compile("[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]")
"""Numbers in circles and brackets. The package takes them for digits and fails."""
_LONG_NUMBER = re.compile(r"\d{16,}")
"""Read digit by digit; the package has no words for the longest ones."""
_MONEY = re.compile(
    r"(?P<sign>[$£€])(?P<whole>\d+(?:,\d{3})*)(?P<rest>\.\d+)?"
    r"(?:\s?(?P<large>hundred|thousand|million|billion|trillion|[kKmMbB])\b)?"
)
_UNITS = {"$": ("dollar", "cent", "cents"), "£": ("pound", "penny", "pence"), "€": ("euro", "cent", "cents")}
_LARGE = {"k": "thousand", "m": "million", "b": "billion"}


class English:
    """The American or British reader. For one thread."""

    def __init__(self, british: bool) -> None:
        from hibari.g2p import G2P  # type: ignore[import-untyped]
        from hibari.g2p.normalize import normalize  # type: ignore[import-untyped]

        self._normalize = normalize
        self._package = G2P(british=british)
        self._package = G2P(british=british, oov=_WholeWords(self._package.oov))

    def prepared(self, text: str, reads: Reads) -> str:
        text = _LINK.sub("] ", folded(in_form("NFC", text)).replace(_OTHER_APOSTROPHE, "'"))
        text = _ENCLOSED.sub(lambda found: f" {unicodedata.numeric(found.group()):.0f} ", text)
        text = _LONG_NUMBER.sub(lambda found: f" {' '.join(found.group())} ", text)
        text = with_pauses(_MONEY.sub(_money, text), ", ")
        return readable(text, "en", reads)

    def phonemes(self, text: str) -> str:
        tokens = self._package.phonemize_tokens(self._package.tokenize(self._normalize(text)))
        return "".join(self._heard(token) + (" " if token.whitespace else "") for token in tokens)

    def _heard(self, token: Any) -> str:
        """Return the phonemes of a token. The package takes some signs for marks, depending on their neighbours, and
        says nothing; by themselves they have a word."""
        phonemes: str = token.phonemes or ""
        if not phonemes.strip() and any(map(aloud, token.text)):
            phonemes = self._package.fallback(token)[0] or ""
            if not phonemes.strip():
                require_known(token.text, lambda _: False)
        return phonemes


class _WholeWords:
    """The package's network for unknown words, which by itself leaves out letters that it does not know, and the end of
    long words."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def __call__(self, word: str) -> str:
        require_known(word, self._network.cin.__contains__)
        count = -(-len(word) // self._network.maxlen)
        parts = [word[len(word) * at // count : len(word) * (at + 1) // count] for at in range(count)]
        said = [self._network(part) or "" for part in parts]
        if not all(said):
            raise EngineError(f"the model does not know {word[:30]!r}")
        return "".join(said)


def _money(found: re.Match[str]) -> str:
    """Return an amount in words: ``$5.50`` is 5 dollars and 50 cents."""
    one, cent, cents = _UNITS[found["sign"]]
    whole, rest, large = found["whole"], found["rest"] or "", found["large"]
    if large:
        return f" {whole}{rest} {_LARGE.get(large.lower(), large)} {one}s"
    if len(rest) == 3:
        count = int(rest[1:])
        more = f" and {count} {cent if count == 1 else cents}" if count else ""
        return f" {whole} {one if whole == '1' else one + 's'}{more} "
    return f" {whole}{rest} {one if whole + rest == '1' else one + 's'} "
