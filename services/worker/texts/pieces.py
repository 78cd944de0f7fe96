"""Splits a long text into pieces that an engine can speak at once, and joins the pieces' audio into one clip.

Owns where a text may be cut, and how long the silence after a cut is. Knows no engine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from services.worker.texts.sentences import sentences
from shared.audio import BYTES_PER_SAMPLE, Audio, silence
from shared.jobs import Piece
from shared.values.text import MOST_MARKS

PARAGRAPH_S = 0.8
PAUSES: Sequence[tuple[str, float]] = (
    (".!?。！？…؟।", 0.4),
    (";:；：—", 0.25),
    (",，、،", 0.15),
)
"""Closing punctuation -> seconds of silence after it at speed 1. Estimated by listening, and the same for every
engine."""
BETWEEN_WORDS_S = 0.05

_PARAGRAPH = re.compile(r".+?(?:\n[^\S\n]*\n\s*|\Z)", re.DOTALL)
_CLAUSE = re.compile(r".+?(?:[;:,—](?=\s|[^\x00-\x7f])|[；：，、،。！？…]|\n|\Z)[\"'”’»)\]】》」』]*\s*", re.DOTALL)
_WORD = re.compile(r"\s*\S+\s*")
_CLOSERS = "\"'”’»)]】》」』"

Cut = Callable[[str], Iterable[str]]


def split(text: str, language: str, max_chars: int) -> list[str]:
    """Return ``text`` in pieces of at most ``max_chars`` characters, not counting white space at their ends.

    Nothing is lost: the pieces joined are the text without its outer white space. Paragraphs are kept apart. Within
    one, as many sentences as fit go together. A longer sentence is cut after clauses, a longer clause after words, a
    longer word anywhere but within a character. A part without letters and digits stays with its neighbour, even if
    that makes it longer: alone it could not be spoken.
    """

    cuts: list[Cut] = [
        lambda paragraph: sentences(paragraph, language),
        _CLAUSE.findall,
        _WORD.findall,
        lambda word: _characters(word, max_chars),
    ]
    paragraphs = _PARAGRAPH.findall(text.strip())
    return _speakable(piece for paragraph in paragraphs for piece in _pieces(paragraph, cuts, max_chars))


def pause_after(piece: str, speed: float = 1.0) -> float:
    """Return the seconds of silence that naturally follow ``piece``, by its closing punctuation. Longer after a
    paragraph."""
    spoken = piece.rstrip()
    if piece.count("\n", len(spoken)) > 1:
        return PARAGRAPH_S / speed
    closing = spoken.rstrip(_CLOSERS)[-1:]
    return next((pause for marks, pause in PAUSES if closing and closing in marks), BETWEEN_WORDS_S) / speed


def join(texts: Sequence[str], spoken: Sequence[Audio], pauses: Sequence[float]) -> tuple[Audio, tuple[Piece, ...]]:
    """Return the clips one after another, each but the last followed by its pause, and where each text is, to the
    sample.

    All must have one sample rate. Raises `ValueError` otherwise, and if there is nothing to join.
    """
    if len({audio.sample_rate for audio in spoken}) != 1:
        raise ValueError("clips of one sample rate can be joined")
    sample_rate = spoken[0].sample_rate
    pcm = bytearray()
    pieces: list[Piece] = []
    for text, audio, pause in zip(texts, spoken, pauses, strict=True):
        start_s = len(pcm) / BYTES_PER_SAMPLE / sample_rate
        pcm += audio.pcm
        pieces.append(Piece(text.strip(), start_s, len(pcm) / BYTES_PER_SAMPLE / sample_rate))
        pcm += silence(pause, sample_rate)
    length = round(pieces[-1].end_s * sample_rate) * BYTES_PER_SAMPLE
    return Audio(bytes(pcm[:length]), sample_rate), tuple(pieces)


def _pieces(text: str, cuts: Sequence[Cut], max_chars: int) -> list[str]:
    """Return ``text`` whole if it fits. Otherwise cut it with the first of ``cuts``, and what is still too long with
    the next ones."""
    if len(text.strip()) <= max_chars or not cuts:
        return [text]
    pieces: list[str] = []
    gathered = ""
    for part in cuts[0](text):
        if len((gathered + part).strip()) <= max_chars:
            gathered += part
            continue
        if gathered:
            pieces.append(gathered)
        *done, gathered = _pieces(part, cuts[1:], max_chars)
        pieces += done
    return [*pieces, gathered] if gathered else pieces


def _characters(word: str, max_chars: int) -> Iterable[str]:
    """Yield stretches of at most ``max_chars``. A combining mark stays with its base, unless the base is further away
    than `MOST_MARKS`."""
    at = 0
    while at < len(word):
        end = min(at + max_chars, len(word))
        near = range(end, max(at, end - MOST_MARKS - 1), -1)
        cut = next((cut for cut in near if cut == len(word) or unicodedata.category(word[cut])[0] != "M"), end)
        yield word[at:cut]
        at = cut


def _speakable(pieces: Iterable[str]) -> list[str]:
    """Return ``pieces``, with those without letters and digits joined to the piece before, or at the start to the one
    after."""
    joined: list[str] = []
    for piece in pieces:
        if joined and not (_has_words(piece) and _has_words(joined[-1])):
            joined[-1] += piece
        else:
            joined.append(piece)
    return joined


def _has_words(piece: str) -> bool:
    return any(character.isalnum() for character in piece)
