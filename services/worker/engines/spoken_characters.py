"""Whether a model can say a text at all, checked before the model sees it.

Owns which characters are spoken rather than pauses, and the errors that name characters a tokenizer does not know. A
tokenizer drops those silently, and the model would leave them out or make noise of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from services.worker.engines.base import EngineError
from shared.errors import FailureCode

_ALOUD = "LMNS"
"""First letters of the Unicode categories that are read out: letters, marks, numbers, symbols."""
_UNASSIGNED = ("Cn", "Co")
"""Of private use, or newer than this Python: an emoji, perhaps. They mean something to whoever wrote them."""
_READ_OUT = "%‰‱٪؉&@#§"
"""Punctuation by category, but read out as words."""
_LAYOUT = re.compile("[|\u00a6\u2500-\u25ff]")
"""Symbols by category that only draw lines, boxes and bullets."""
_MOST_NAMED, _LONGEST_NAMED = 10, 30


def aloud(character: str) -> bool:
    """Return whether the character is spoken, not a pause."""
    category = unicodedata.category(character)
    if category == "Sk":  # accents without a letter, and the skin tones of emoji
        return character == "^"
    if category in _UNASSIGNED:
        return True
    return (category[0] in _ALOUD and _LAYOUT.match(character) is None) or character in _READ_OUT


def require_words(text: str) -> None:
    """Raise `EngineError` ``engine_returned_nothing`` for a text of pauses only."""
    if not any(map(aloud, text)):
        raise EngineError("nothing in the text can be spoken", FailureCode.ENGINE_RETURNED_NOTHING)


def require_known(text: str, known: Callable[[str], bool]) -> None:
    """Raise `EngineError` that names the characters of ``text`` that are spoken but not ``known``."""
    _refuse(character for character in text if aloud(character) and not known(character))


def require_tokens(text: str, tokenizer: Any) -> None:
    """Raise `EngineError` that names what ``tokenizer`` would replace by its unknown token."""
    unknown = tokenizer.unk_token_id
    tokens = tokenizer(text, add_special_tokens=False, return_offsets_mapping=tokenizer.is_fast)
    if unknown is None or unknown not in tokens["input_ids"]:
        return
    if tokenizer.is_fast:
        spans = zip(tokens["input_ids"], tokens["offset_mapping"], strict=True)
        _refuse(
            part
            for part in (text[begin:end] for token, (begin, end) in spans if token == unknown)
            if any(map(aloud, part))
        )
        return
    require_known(text, lambda character: unknown not in tokenizer(character, add_special_tokens=False)["input_ids"])


def _refuse(unknown: Iterable[str]) -> None:
    if found := list(dict.fromkeys(unknown)):
        named = ", ".join(repr(part[:_LONGEST_NAMED]) for part in found[:_MOST_NAMED])
        raise EngineError(f"the model does not know {named}{' and more' if len(found) > _MOST_NAMED else ''}")
