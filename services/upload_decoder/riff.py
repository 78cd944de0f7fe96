"""WAV files whose head does not say how much sound there is, or says it elsewhere.

Owns which sizes are placeholders: a program that writes to a pipe cannot go back and fill them in. Such a file, and one
in the 64-bit forms RF64 and BW64, is rewritten as a plain RIFF file with the same samples. Knows no samples.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from services.upload_decoder.faults import CutShort

FORMS = {b"RIFF": "<", b"RF64": "<", b"BW64": "<", b"RIFX": ">"}
"""The first bytes of a file, and its byte order."""
_HEAD_BYTES = 12
_LARGEST = 0x7FFF0000
"""No upload is so large. Sizes from here on (2 or 4 GiB, less a head or a page) are placeholders."""
_UNKNOWN = (0, 0xFFFFFFFF)


class Chunk(NamedTuple):
    """A chunk of a WAV file. ``body``: where its content begins."""

    name: bytes
    body: int
    size: int


def begins(content: bytes, at: int) -> bool:
    """Return whether a WAV file begins at ``at``."""
    return content[at : at + 4] in FORMS and content[at + 8 : at + 12] == b"WAVE"


def files_in(content: bytes) -> list[int]:
    """Return where each of several files begins that follow one another, as far as their heads say where they end."""
    found = [0]
    while begins(content, end := found[-1] + _file_bytes(content, found[-1])):
        found.append(end)
    return found


def _file_bytes(content: bytes, at: int) -> int:
    size: int = struct.unpack_from(FORMS[content[at : at + 4]] + "I", content, at + 4)[0]
    return 8 + size + size % 2


def whole(content: bytes) -> bytes:
    """Return the file with its true sizes. Raises `CutShort` if some of its samples are missing."""
    order = FORMS[content[:4]]
    before: list[Chunk] = []
    for chunk in _chunks(content, order):
        if chunk.name == b"data":
            size = _size_of(content, chunk, before, order)
            as_it_is = size == chunk.size and content[:4] in (b"RIFF", b"RIFX") and _is_even([*before, chunk])
            return content if as_it_is else _written(content, before, chunk.body, size, order)
        before.append(chunk)
    return content  # it has no samples, which the decoder will report


def _is_even(chunks: list[Chunk]) -> bool:
    """Return whether every chunk begins where the sizes of the chunks before it, rounded up to even, say."""
    return all(one.body + one.size + one.size % 2 + 8 == after.body for one, after in pairwise(chunks))


def _size_of(content: bytes, data: Chunk, before: list[Chunk], order: str) -> int:
    """Return how many bytes of samples there are. Raises `CutShort` if some are missing."""
    size, left = data.size, len(content) - data.body
    if size == 0xFFFFFFFF:
        size = next((_of_64_bits(content, chunk) for chunk in before if chunk.name == b"ds64"), size)
    if size >= _LARGEST or (size == 0 and not _is_over(content, data.body, order)):
        return left
    if size > left:
        raise CutShort(f"{left} of {size} bytes of sound are there")
    return size


def _is_over(content: bytes, at: int, order: str) -> bool:
    """Return whether the file really has no samples: after them come other chunks, or nothing."""
    ends = [chunk.body + chunk.size for chunk in _chunks(content, order, at)]
    return at == len(content) or (bool(ends) and ends[-1] in (len(content), len(content) - 1))


def _of_64_bits(content: bytes, ds64: Chunk) -> int:
    size: int = int.from_bytes(content[ds64.body + 8 : ds64.body + 16], "little") if ds64.size >= 16 else 0
    return size or 0xFFFFFFFF


def _written(content: bytes, before: list[Chunk], data: int, size: int, order: str) -> bytes:
    kept = b"".join(
        _chunk(chunk.name, content[chunk.body : chunk.body + chunk.size], order)
        for chunk in before
        if chunk.name != b"ds64" and not _is_unknown(content, chunk, order)
    )
    samples = content[data : data + size]
    form = b"RIFX" if order == ">" else b"RIFF"
    total = struct.pack(order + "I", 4 + len(kept) + 8 + size + size % 2)
    return b"".join((form, total, b"WAVE", kept, _chunk(b"data", samples, order)))


def _is_unknown(content: bytes, chunk: Chunk, order: str) -> bool:
    """Return whether the chunk is a count of samples (`fact`) that is a placeholder too."""
    return chunk.name == b"fact" and struct.unpack_from(order + "I", content, chunk.body)[0] in _UNKNOWN


def _chunk(name: bytes, body: bytes, order: str) -> bytes:
    return name + struct.pack(order + "I", len(body)) + body + b"\0" * (len(body) % 2)


def _chunks(content: bytes, order: str, at: int = _HEAD_BYTES) -> Iterator[Chunk]:
    """Yield the chunks up to the samples, or up to bytes that are not a chunk."""
    while at + 8 <= len(content) and _is_name(content, at):
        name, size = content[at : at + 4], struct.unpack_from(order + "I", content, at + 4)[0]
        if name != b"data" and at + 8 + size > len(content):
            return
        yield Chunk(name, at + 8, size)
        if name == b"data":
            return
        at += 8 + size
        # some writers leave out the byte that makes a size even
        at += size % 2 if not _is_name(content, at) or _is_name(content, at + 1) else 0


def _is_name(content: bytes, at: int) -> bool:
    name = content[at : at + 4]
    return len(name) == 4 and name.isascii() and name.decode().isprintable()
