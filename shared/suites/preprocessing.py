"""What is done to an item's text before it is spoken: nothing, or a named normaliser of a stated version.

Owns the names. A normaliser never changes: a change gets a new version beside the old one. A name must always give the
same text, because results of two evaluations are compared by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.errors import RingtrueError
from shared.values.text import in_form

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
"""Typographic quotes and dashes become plain ones; invisible characters (soft hyphen, zero-width space) are removed."""


class PreprocessingUnknown(RingtrueError):
    """No normaliser has that name. The message names those that exist."""


def _plain_1(text: str) -> str:
    """Return the text in NFKC, with ASCII quotes and dashes, and one space for any white space."""
    # before NFKC, which decomposes some of them, and after it, which produces some
    return " ".join(in_form("NFKC", text.translate(_PLAIN)).translate(_PLAIN).split())


NORMALISERS: Mapping[str, Callable[[str], str]] = {NONE: str, "plain@1": _plain_1}
"""By name and version. ``none`` leaves the text as it is."""


def preprocessing_called(name: str) -> str:
    """Return the full name of a normaliser; ``plain`` is its newest version. Raises `PreprocessingUnknown`."""
    if name in NORMALISERS:
        return name
    versions = [known for known in NORMALISERS if known.startswith(f"{name}@")]
    if not versions:
        raise PreprocessingUnknown(f"no preprocessing {name}; there are {', '.join(NORMALISERS)}")
    return max(versions, key=lambda known: int(known.rpartition("@")[2]))


def done_to_text(preprocessing: str) -> list[str]:
    """Return what is done to every text before it is spoken, in order, as runs in MLflow record it."""
    return [*([] if preprocessing == NONE else [preprocessing]), "nfc"]


def preprocessed(text: str, preprocessing: str) -> str:
    """Return ``text`` as it is spoken. ``preprocessing``: a full name."""
    return NORMALISERS[preprocessing](text)
