"""The BCP 47 tag that a user means by a written language.

Owns the accepted spellings: those of BCP 47 in any case, and those of POSIX locales, such as `zh_CN` and `en_US.UTF-8`.
Whether two tags mean one language (`cmn` and `zh`) is not a question of spelling and not known here.
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST_CHARS = 48
"""The longest tag has 35 characters (RFC 5646, section 4.4.1), and a locale may also name a character set."""
SPELLED = r"[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8})*(\.[A-Za-z0-9_-]{1,16})?(@[A-Za-z0-9]{1,16})?"
"""Regular expression for the whole text, in the syntax that JSON Schema allows too."""
MEANT = "a language tag such as en, en-GB or zh-Hans-CN (BCP 47); zh_CN and en_US.UTF-8 are accepted too"

_SPELLED = re.compile(SPELLED)
_SCRIPTS = {"latin": "latn", "cyrillic": "cyrl", "devanagari": "deva", "arabic": "arab"}
"""The modifiers of locales that say something about the language. Others, such as `euro`, do not."""


@lru_cache(maxsize=1024)  # a deployment sees few, and each in every request
def tag_in(text: str) -> str | None:
    """Return the tag in lower case that ``text`` spells; ``None`` if it spells none."""
    if len(text) > MOST_CHARS or _SPELLED.fullmatch(text) is None:
        return None
    locale, _, modifier = text.lower().partition("@")
    tag = locale.partition(".")[0].replace("_", "-")
    if (script := _SCRIPTS.get(modifier)) is not None:
        language, dash, rest = tag.partition("-")
        tag = f"{language}-{script}{dash}{rest}"
    return tag
