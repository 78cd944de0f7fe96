"""What every written form has in common: Unicode NFKC, lower case, one sign for the same sign.

Owns these foldings. Knows no language.
"""

from __future__ import annotations

import re
import unicodedata

from shared.values.text import in_form

_VULGAR = re.compile(r"(?<=\d)(?=[\u00bc-\u00be\u2150-\u215e])")
"""Between a number and ½: NFKC would make 21/2 of 2½."""
_DIGIT = re.compile(r"(?![0-9])\d")
"""A digit of another script."""
_SIGNS = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "\uff07": "'",
        "⁄": "/",
        "∕": "/",
        "−": "-",
        "‑": "-",
        "‐": "-",
        "–": "-",
        "〜": "~",
        "～": "~",
    }
)


def folded(text: str) -> str:
    """Return ``text`` in lower case, with the digits 0 to 9, straight apostrophes and plain hyphens."""
    text = in_form("NFKC", _VULGAR.sub(" ", text).translate(_SIGNS)).translate(_SIGNS).lower()
    return _DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), text)
