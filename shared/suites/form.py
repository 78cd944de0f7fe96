"""Which members a suite and its items have, and what each may be.

Owns the form in one place, for checking files (checking.py) and for the schema that editors use (schema.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.jobs import CANONICAL_EMOTIONS, MAX_TEXT_CHARS
from shared.values.language_tags import MEANT, MOST_CHARS, SPELLED

MAX_BYTES = 8 << 20
MAX_ITEMS = 10_000
MAX_TAGS = 16

_ONE_LINE = r"[^\x00-\x1f\x7f-\x9f]+"
_LINES = r"[^\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]+"
_EXTRA_EMOTION = r"[a-z0-9][a-z0-9_-]*:[a-z0-9][a-z0-9_-]*"


@dataclass(frozen=True, slots=True)
class TextMember:
    """A member that is text, in NFC."""

    means: str
    form: str
    """Regular expression for the whole text, in the syntax that JSON Schema allows too."""
    said: str
    """The form in words, to be put after 'is not'."""
    most: int
    """Most characters."""

    def fits(self, text: str) -> bool:
        return len(text) <= self.most and re.fullmatch(self.form, text) is not None


def _one_line(means: str, most: int) -> TextMember:
    return TextMember(means, _ONE_LINE, "one line of text", most)


_NAME = ("[a-z0-9][a-z0-9._-]*", "lower-case letters, digits, dots, underscores and hyphens", 64)
LANGUAGE = TextMember(
    "BCP 47 tag (`zh-CN`), or as a locale is written (`zh_CN.UTF-8`); upper and lower case are the same.",
    SPELLED,
    MEANT,
    MOST_CHARS,
)
TAG = TextMember(
    "One group that results are told by.", r"[^\x00-\x1f\x7f-\x9f,]+", "one line of text without a comma", 64
)

HEAD: Mapping[str, TextMember] = {
    "name": TextMember("The suite's name.", *_NAME),
    "version": TextMember(
        "The team's own word; another one whenever an item changes.",
        "[A-Za-z0-9][A-Za-z0-9._+-]*",
        "letters, digits, dots, underscores, plus signs and hyphens",
        32,
    ),
    "title": _one_line("What the suite is, in a line.", 200),
    "licence": _one_line("Of the texts, as an SPDX expression.", 100),
    "description": TextMember("What it is for.", _LINES, "text", 4000),
    "language": LANGUAGE,
}
"""Members of the suite, besides `schema` and `items`."""
HEAD_REQUIRED = ("schema", "name", "version", "title", "licence", "items")

ITEM: Mapping[str, TextMember] = {
    "id": TextMember("Its name in the suite; items of two evaluations are paired by it.", *_NAME),
    "text": TextMember(
        "What to speak; no control characters but line ends and tab.",
        _LINES,
        "text to speak",
        MAX_TEXT_CHARS,
    ),
    "language": LANGUAGE,
    "emotion": TextMember(
        "A canonical emotion, or ENGINE:NAME for one of an engine's own.",
        f"{'|'.join(CANONICAL_EMOTIONS)}|{_EXTRA_EMOTION}",
        f"one of {', '.join(CANONICAL_EMOTIONS)} or an engine's own (ENGINE:NAME)",
        200,
    ),
    "voice": _one_line("One of the engine's own voices.", 200),
    "reference": _one_line("Id of an uploaded voice to speak with.", 200),
}
"""Members of an item, besides `strength` and `tags`."""
ITEM_REQUIRED = ("id", "text")
