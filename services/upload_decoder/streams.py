"""Splits a file into the streams that it consists of. A decoder reads each to its end.

Owns where one stream ends and the next begins: Ogg may be chained (RFC 3533, section 4), and FLAC, MP3 and WAV files
are joined by writing one after the other. A decoder alone would stop at the end of the first. Knows no samples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.upload_decoder import mpeg, riff
from services.upload_decoder.faults import CutShort, NotDecoded

MOST_STREAMS = 64
"""Most streams of one file. Each costs the start of a decoder."""
_FLAC = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
"""The mark of FLAC, and the block that every stream begins with."""
_PAGE_BYTES = 27
_BEGINS, _ENDS = 2, 4
"""Flags of an Ogg page: it is the first, or the last, of its stream."""
_TAG, _TAG_BYTES = b"TAG", 128
"""The tag that ID3v1 appends to files of any kind."""


def streams_of(content: bytes) -> list[bytes]:
    """Return the streams in order, at least one.

    Raises `NotDecoded` if there are too many, and `CutShort` for a file that is cut short."""
    if riff.begins(content, 0):
        return [riff.whole(stream) for stream in _cut(content, _checked(riff.files_in(content)))]
    if content[-_TAG_BYTES:].startswith(_TAG):
        content = content[:-_TAG_BYTES]
    sound = _after_id3(content)
    if content.startswith(b"OggS"):
        begins = _ogg_begins(content)
    elif content.startswith(b"fLaC", sound):
        begins = [sound, *(found.start() for found in _FLAC.finditer(content, sound + 1))]
    else:
        return [mpeg.with_length(stream) for stream in _cut(content[sound:], _checked(_mp3_begins(content[sound:])))]
    return _cut(content, _checked(begins))


def _checked(begins: list[int]) -> list[int]:
    if len(begins) > MOST_STREAMS:
        raise NotDecoded(f"{len(begins)} streams one after the other; at most {MOST_STREAMS} are allowed")
    return begins


def _cut(content: bytes, begins: list[int]) -> list[bytes]:
    ends = [*(_before_id3(content, begin) for begin in begins[1:]), len(content)]
    return [content[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _before_id3(content: bytes, begin: int) -> int:
    """Return where an ID3v2 tag begins that ends at ``begin``; ``begin`` if there is none."""
    at = content.rfind(b"ID3", 0, begin)
    return at if at >= 0 and at + _after_id3(content[at:begin]) == begin else begin


def _after_id3(content: bytes) -> int:
    """Return where the sound begins, after an ID3v2 tag if there is one."""
    if not content.startswith(b"ID3") or len(content) < 10:
        return 0
    size = 0
    for byte in content[6:10]:  # each byte has seven bits of the size
        size = size << 7 | byte & 0x7F
    return 10 + size


def _mp3_begins(content: bytes) -> list[int]:
    begins = {0}
    for found in mpeg.LENGTH.finditer(content):
        begins.add(found.start())
        end = mpeg.end_of(found)
        if mpeg.is_frame(content, end):
            begins.add(end)  # frames after the last counted one
    return sorted(begins)


def _ogg_begins(content: bytes) -> list[int]:
    """Return where each stream begins after pages of another one. Streams that begin together count as one."""
    begins, beginning, flags = [0], True, 0
    for at, flags in _ogg_pages(content):
        if flags & _BEGINS and not beginning:
            begins.append(at)
        beginning = bool(flags & _BEGINS)
    if not flags & _ENDS:
        raise CutShort("its last page does not end a stream")
    return begins


def _ogg_pages(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each page begins, and its flags. Raises `CutShort` if the last page is incomplete."""
    at = 0
    while (at := content.find(b"OggS", at)) >= 0:
        table = at + _PAGE_BYTES
        count = content[table - 1] if table <= len(content) else 0
        end = table + count + sum(content[table : table + count])
        if end > len(content) or table > len(content):
            raise CutShort("its last page is incomplete")
        yield at, content[at + 5]
        at = end
