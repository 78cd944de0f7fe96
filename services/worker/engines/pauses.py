"""Pauses that no reader knows: lines, boxes and bullets, and ends of lines without a mark."""

from __future__ import annotations

import re
import unicodedata

from services.worker.engines.spoken_characters import aloud

_BARE_LINE_END = re.compile(r"(?<=\w)[^\S\n]*\n\s*")


def with_pauses(text: str, comma: str) -> str:
    """Return ``text`` with ``comma`` for what is laid out and not spoken."""
    text = _BARE_LINE_END.sub(comma, text)
    return "".join(comma if _is_layout(one) else one for one in text)


def _is_layout(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sm", "Sc") and not aloud(character)
