"""Lexicons in files: TOML with a name, a version, perhaps a language, and a table of entries.

Owns how such a file is read. What a lexicon may contain is checked by the gateway.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ringtrue.errors import TextInvalid
from ringtrue.texts import text_from


def lexicon_in(file: Path) -> dict[str, Any]:
    """Return the content of a file as JSON. Raises `OSError`, and `TextInvalid` if it is not TOML."""
    try:
        said = tomllib.loads(text_from(file.read_bytes(), str(file)))
    except tomllib.TOMLDecodeError as error:
        raise TextInvalid(f"{file}: {error}") from None
    # a date without quotes, which JSON does not have, is meant as it is written
    return cast(dict[str, Any], json.loads(json.dumps(said, default=str)))


def with_lexicon(how: Mapping[str, Any]) -> dict[str, Any]:
    """Return the member ``lexicon`` of ``how`` as JSON, or nothing if there is none. Raises as `lexicon_in`."""
    lexicon = how.get("lexicon")
    if lexicon is None:
        return {}
    return {"lexicon": lexicon_in(lexicon) if isinstance(lexicon, Path) else lexicon}
