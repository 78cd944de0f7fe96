"""Texts that users write: their length, combining marks in a row, and Unicode normalisation.

Owns how lines end, and the only place where a text is normalised. Normalisation sorts combining marks, which takes
quadratic time for a run of them (UAX #15, section 13 "Stream-Safe Text Format"). So the length is checked first, and a
run longer than any language has is refused, or broken up if there is no user to tell. Knows neither HTTP nor jobs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]

MOST_MARKS = 30
"""Most combining marks in a row, the limit of UAX #15. Three are common in Vietnamese and Hebrew, eight in Tibetan."""
MOST_COMPOSED = 4
"""At most this many code points become one by NFC (U+1F82). A text longer than this many times its limit cannot fit, so
it is refused before it is normalised."""
_JOINER = "\u034f"
"""COMBINING GRAPHEME JOINER, of class 0: what UAX #15 inserts into a run that is too long. Invisible and silent."""


_WITHOUT_MARKS = re.compile("[\0-\x7f\u2010-\u2016\u2018-\u2027\u3000-\u3029\u3400-\u9fff\uac00-\ud7a3\uff01-\uff5e]*")
"""Matches texts of characters that neither are marks nor decompose into any: Chinese, Korean and most punctuation. Only
a fast path; other texts are checked character by character."""


_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")


_ATTRIBUTES = r"""(?:\s+[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))"""
_SSML = re.compile(
    r"</?(?:ssml:)?(?P<plain>speak|break|prosody|say-as|phoneme|emphasis|lexicon|voice|audio|mark|bookmark"
    rf"|amazon:[a-z-]+|mstts:[a-z-]+){_ATTRIBUTES}*\s*/?>"
    rf"|<(?:ssml:)?(?P<with>sub|lang|w|token){_ATTRIBUTES}+\s*>",
    re.IGNORECASE,
)
"""Tags of Speech Synthesis Markup Language 1.1 and of its common extensions; not `<p>`, `<s>` and a bare `<sub>`, which
HTML has too."""


SSML_ADVICE = "Remove the tags. Pauses follow punctuation and blank lines; speed and pitch_scale are fields of a job"


class TextFault(ValueError):
    """A text that is refused. The message says what is wrong with it."""


class TextTooLong(TextFault):
    """A text with more characters than allowed."""

    def __init__(self, length: int, most: int) -> None:
        super().__init__(f"{length} characters; at most {most} are allowed")


class TooManyMarks(TextFault):
    """A text with a run of combining marks that no language has."""

    def __init__(self, at: int) -> None:
        super().__init__(f"more than {MOST_MARKS} combining marks in a row, at character {at}")


def composed(text: str, most: int) -> str:
    """Return ``text`` in NFC, in linear time.

    Raises `TextFault` if that is longer than ``most`` characters or has too many marks in a row.
    """
    if text.isascii():
        return _fitting(text, most)
    if len(text) > most * MOST_COMPOSED:
        raise TextTooLong(len(text), most)
    check_marks(text)
    return _fitting(unicodedata.normalize("NFC", text), most)


def with_plain_line_ends(text: str) -> str:
    """Return ``text`` with a newline for every line end.

    Line ends are those of Windows, of old Macs, form feeds and Unicode's own (UAX #14, BK, CR, NL and LF).
    """
    return _LINE_ENDS.sub("\n", text)


def ssml_in(text: str) -> str | None:
    """Return the name of the first SSML tag in ``text``, or ``None``.

    No engine interprets tags: they would be spelled out.
    """
    found = _SSML.search(text)
    return None if found is None else (found["plain"] or found["with"]).lower()


def check_marks(text: str) -> None:
    """Raise `TooManyMarks` if a text has too many combining marks in a row."""
    if not text.isascii():
        for at in _too_many(text):
            raise TooManyMarks(at)


def in_form(form: Form, text: str) -> str:
    """Return ``text`` in ``form``, whatever it contains, in linear time: too long runs of marks are broken up."""
    if text.isascii():
        return text
    starts = [*_too_many(text)]
    if starts:
        text = "".join(_broken_up(text, starts))
    return unicodedata.normalize(form, text)


def shown(value: object, most: int = 40) -> str:
    """Return a user's value for a message: in one line of at most ``most`` characters, at a cost that is bounded."""
    if isinstance(value, Mapping | list | tuple):
        return "a list" if isinstance(value, list | tuple) else "a mapping"
    # one character more than is shown, so that the cut is marked
    said = repr(value[: most + 1]) if isinstance(value, str) else repr(value)
    return said if len(said) <= most else f"{said[:most]}…"


def no_utf8(error: UnicodeDecodeError) -> str:
    """Return what is wrong with bytes that should be text: which byte, and what to do."""
    byte = error.object[error.start]
    return f"byte {error.start} (0x{byte:02x}) is not UTF-8; if the text is GBK, `iconv -f GBK -t UTF-8` converts it"


class _Marks(NamedTuple):
    """The decomposition of a character: how many marks it begins and ends with, and whether it has nothing else."""

    leading: int
    trailing: int
    only: bool


def _too_many(text: str) -> Iterator[int]:
    """Yield the positions in ``text`` of marks that are one too many. The count starts again from each."""
    if _WITHOUT_MARKS.fullmatch(text):
        return
    marked = {character: marks for character in set(text) if (marks := _marks_of(character)) is not None}
    if not marked:
        return
    run = 0
    for at, character in enumerate(text):
        marks = marked.get(character)
        if marks is None:
            run = 0
            continue
        if run + marks.leading > MOST_MARKS:
            yield at
            run = 0
        run = run + marks.leading if marks.only else marks.trailing


@lru_cache(maxsize=4096)
def _marks_of(character: str) -> _Marks | None:
    """Return the marks of a character; ``None`` if it has none, as most characters."""
    if character.isascii():
        return None
    # the compatibility decomposition is the longest, so what passes is short in all four forms
    marks = [_is_mark(part) for part in unicodedata.normalize("NFKD", character)]
    if not any(marks):
        return None
    leading = next((at for at, is_mark in enumerate(marks) if not is_mark), len(marks))
    trailing = next((at for at, is_mark in enumerate(reversed(marks)) if not is_mark), len(marks))
    return _Marks(leading, trailing, leading == len(marks))


def _is_mark(character: str) -> bool:
    """Return whether it is a mark by its canonical class, which makes sorting slow, or by its category."""
    return unicodedata.combining(character) != 0 or unicodedata.category(character)[0] == "M"


def _broken_up(text: str, starts: list[int]) -> Iterator[str]:
    for begin, end in zip([0, *starts], [*starts, len(text)], strict=True):
        yield text[begin:end] if begin == 0 else _JOINER + text[begin:end]


def _fitting(text: str, most: int) -> str:
    if len(text) > most:
        raise TextTooLong(len(text), most)
    return text
