"""Texts from outside, which may not be valid text: from standard input, from files, from the command line.

Owns how bytes become text, and the message if they do not: which byte is wrong, and what to do about it. Also the
message about a text whose letters its language does not have.
"""

from __future__ import annotations

import os
import unicodedata
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ringtrue.errors import TextInvalid

_HOW = "text must be UTF-8; to convert it, run `iconv -f GBK -t UTF-8`, with its real encoding instead of GBK"
_HOW_UTF_16 = "this is UTF-16; to convert it, run `iconv -f UTF-16 -t UTF-8`"

_OF_ENGLISH = ("LATIN", "FULLWIDTH LATIN", "FEMININE ORDINAL", "MASCULINE ORDINAL", "MICRO SIGN")
"""First words of the Unicode names of letters that also occur in English texts."""


def text_from(content: bytes, source: str) -> str:
    """Return ``content`` as text, without a byte order mark. Raises `TextInvalid`. ``source``: for the message."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TextInvalid(f"{source}: {why_no_text(content)}") from None


def why_no_text(content: bytes) -> str:
    """Return which byte is not UTF-8, and what to do."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        how = _HOW_UTF_16 if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else _HOW
        return f"byte {error.start} (0x{content[error.start]:02x}) is not UTF-8: {how}"
    return "is text"


@contextmanager
def sendable() -> Iterator[None]:
    """Raise `TextInvalid` for text that cannot be sent because it contains halves of characters (surrogates)."""
    try:
        yield
    except UnicodeEncodeError as error:
        found = error.object[error.start : error.start + 1]
        where = f"character {error.start} ({found!a})"
        raise TextInvalid(f"{where} of the text is half of a character (a surrogate) and cannot be sent") from error


def read_as_english(text: str, language: str | None) -> str | None:
    """Return a note if the user named no language and ``text`` has letters that English lacks (Chinese, Cyrillic)."""
    foreign = any(sign.isalpha() and not unicodedata.name(sign, "LATIN").startswith(_OF_ENGLISH) for sign in text)
    if not foreign or (language or "").partition("-")[0] != "en":
        return None
    return f"no language was given, so the text is read as {language}; use --language to name another, such as zh"


def argument_at_fault(arguments: Iterable[str]) -> str | None:
    """Return what is wrong with the first of a command's arguments that is not valid text; ``None`` if all are."""
    for number, argument in enumerate(arguments, 1):
        content = os.fsencode(argument)
        try:
            content.decode()
        except UnicodeDecodeError:
            return f"argument {number}: {why_no_text(content)}"
    return None
