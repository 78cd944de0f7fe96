"""Sound files as pipes, recorders and other programs leave them, made from whole ones."""

from __future__ import annotations

import struct

PIPED = {
    "ffmpeg and OpenAI": (0xFFFFFFFF, 0xFFFFFFFF),
    "nothing filled in": (0, 0),
    "only the samples left open": (None, 0),
    "sox": (0x7FFFF024, 0x7FFFF000),
    "the largest positive": (0x7FFFFFFF, 0x7FFFFFFF),
    "arecord": (0x80000024, 0x80000000),
    "GStreamer": (0, 0x7FFF0000),
}
"""Who writes to a pipe leaves these sizes of the file and of its samples."""


def piped(wav: bytes, riff: int | None, data: int) -> bytes:
    """A WAV file with other sizes than it has."""
    at = wav.index(b"data")
    head = wav[:4] + (wav[4:8] if riff is None else struct.pack("<I", riff)) + wav[8:at]
    return head + b"data" + struct.pack("<I", data) + wav[at + 8 :]


def chunk(name: bytes, body: bytes, pad: bytes = b"\0") -> bytes:
    return name + struct.pack("<I", len(body)) + body + pad * (len(body) % 2)


def with_chunks(wav: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """A plain WAV file with more chunks before and after its samples."""
    at = wav.index(b"data")
    body = wav[8:at] + before + wav[at:] + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def in_64_bits(wav: bytes, form: bytes, *, size: int | None = None) -> bytes:
    """A WAV file as RF64 or BW64; ``size``: what it says of its samples, if not the truth."""
    at = wav.index(b"data")
    samples = wav[at + 8 :]
    sizes = struct.pack("<QQQI", len(wav) + 28, len(samples) if size is None else size, len(samples) // 2, 0)
    return form + b"\xff" * 4 + b"WAVE" + chunk(b"ds64", sizes) + wav[12:at] + b"data" + b"\xff" * 4 + samples


def claiming(flac: bytes, samples: int) -> bytes:
    """A FLAC file that says to have another number of samples; 0: it does not say."""
    assert flac.startswith(b"fLaC\x00\x00\x00\x22")
    facts = (int.from_bytes(flac[18:26]) >> 36 << 36) + samples
    return flac[:18] + facts.to_bytes(8) + flac[26:]


def of_unknown_length(flac: bytes) -> bytes:
    """A FLAC file as it is written to a pipe: neither how many samples it has nor their MD5."""
    flac = claiming(flac, 0)
    return flac[:26] + bytes(16) + flac[42:]


def id3v2(size: int = 100) -> bytes:
    """A tag before the sound."""
    return b"ID3\x04\x00\x00" + bytes((size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127)) + bytes(size)


ID3V1 = b"TAG" + b"Ann".ljust(125, b"\0")


def without_length(mp3: bytes) -> bytes:
    """An MP3 file without the frame that says how long it is: the bare frames."""
    return mp3[mp3.index(mp3[:2], 2) :]
