"""MP3 as a sequence of frames. The first one may say how many there are.

Owns the layout of that frame (Xing, Info). Without one, a decoder guesses the length by the bit rate of the first frame
and reads no further. So one is put before the others. Knows no samples.
"""

from __future__ import annotations

import re
import struct

LENGTH = re.compile(rb"(?s)\xff[\xe2-\xff]..(?:.{9}|.{17}|.{32})(?:Xing|Info)\x00\x00\x00(.)(.{8})")
"""The frame, its flags, and its counts of frames and bytes if both are there."""
_BOTH = 3
_MPEG_1, _LAYER_3, _MONO = 3, 1, 3
_SIDE_BYTES = {True: (32, 17), False: (17, 9)}
"""Bytes of side information: for MPEG 1 (True) and others, each for stereo and mono."""
_RATES = (44_100, 48_000, 32_000)
_HALVED = {3: 1, 2: 2, 0: 4}
"""By version: the number that the sample rates are divided by."""
_BIT_RATE = 9
"""An index of a bit rate that gives frames of more than 100 bytes at any sample rate."""
_BYTES_BY_RATE = {True: 144 * 128_000, False: 72 * 80_000}
_ENDLESS = 0x7FFFFFFF
"""More frames than any file has, so that the file is read to its end."""


def is_frame(content: bytes, at: int) -> bool:
    """Return whether a frame seems to begin at ``at``."""
    return at + 4 <= len(content) and content[at] == 0xFF and content[at + 1] >= 0xE2


def end_of(found: re.Match[bytes]) -> int:
    """Return where the stream ends that a match of `LENGTH` begins, by its own count; 0 if it does not say."""
    counted = found[1][0] & _BOTH == _BOTH
    end = found.start() + int.from_bytes(found[2][4:])
    return end if counted and end >= found.end() else 0


def with_length(stream: bytes) -> bytes:
    """Return ``stream`` with a first frame that says its length, or that its length is unknown.

    A stream that is not MP3, or has such a frame already, is returned as it is."""
    if not is_frame(stream, 0) or LENGTH.match(stream) or stream.startswith(b"VBRI", 36):
        return stream
    version, layer, rate, mode = stream[1] >> 3 & 3, stream[1] >> 1 & 3, stream[2] >> 2 & 3, stream[3] >> 6
    if layer != _LAYER_3 or version not in _HALVED or rate == len(_RATES):
        return stream
    first = version == _MPEG_1
    size = _BYTES_BY_RATE[first] // (_RATES[rate] // _HALVED[version])
    head = bytes((0xFF, stream[1] | 1, _BIT_RATE << 4 | rate << 2, stream[3]))
    frame = head + bytes(_SIDE_BYTES[first][mode == _MONO]) + b"Xing" + struct.pack(">II", 1, _ENDLESS)
    return frame.ljust(size, b"\0") + stream
