"""What is done to an item's text before it is spoken: nothing, or a named normaliser of a stated version.

Owns the names. A normaliser that would change what it does gets another version beside the old one: a name means the
same text for ever, because results of two evaluations are compared by it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

from shared.errors import RingtrueError

NONE = "none"
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u00ad": None,
        "\u200b": None,
        "\ufeff": None,
    }
)
"""Typographic quotes and dashes to plain ones; what is not seen (soft hyphen, zero-width space) to nothing."""


class PreprocessingUnknown(RingtrueError):
    """No normaliser has that name; the message names those that there are."""


def _plain_1(text: str) -> str:
    """NFKC, quotes and dashes of ASCII, and one space wherever there is white space."""
    # before NFKC, which takes some of them apart, and after it, which makes some
    return " ".join(unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN).split())


NORMALISERS: Mapping[str, Callable[[str], str]] = {NONE: str, "plain@1": _plain_1}
"""By name and version. ``none`` leaves the text as it is."""


def preprocessing_called(name: str) -> str:
    """The whole name of a normaliser: ``plain`` is its newest version. `PreprocessingUnknown` where there is none."""
    if name in NORMALISERS:
        return name
    versions = [known for known in NORMALISERS if known.startswith(f"{name}@")]
    if not versions:
        raise PreprocessingUnknown(f"no preprocessing {name}; there are {', '.join(NORMALISERS)}")
    return max(versions, key=lambda known: int(known.rpartition("@")[2]))


def preprocessed(text: str, preprocessing: str) -> str:
    """``text`` as it is spoken. ``preprocessing``: a whole name."""
    return NORMALISERS[preprocessing](text)
