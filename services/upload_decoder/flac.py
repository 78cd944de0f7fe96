"""What a FLAC stream says of its samples in its first block (RFC 9639, section 8.2), and whether it is true.

Owns the fields of STREAMINFO. A decoder stops at the number of samples that it claims, so it is taken out before.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_MARK = b"fLaC"
_FACTS = slice(18, 26)
"""Sample rate (20 bits), channels (3), bits of a sample (5), samples (36)."""
_MD5 = slice(26, 42)
_SAMPLES = (1 << 36) - 1


class Claims(NamedTuple):
    """``samples``: of each channel, 0 if unknown. ``md5``: of the samples, zeros if unknown."""

    bits: int
    samples: int
    md5: bytes


def claims_of(stream: bytes) -> Claims | None:
    """Return what a stream claims; ``None`` if it is no FLAC stream."""
    if not stream.startswith(_MARK) or len(stream) < _MD5.stop:
        return None
    facts = int.from_bytes(stream[_FACTS])
    return Claims(bits=(facts >> 36 & 31) + 1, samples=facts & _SAMPLES, md5=stream[_MD5])


def without_length(stream: bytes) -> bytes:
    """Return the stream as if it had been written to a pipe."""
    facts = int.from_bytes(stream[_FACTS]) & ~_SAMPLES
    return stream[: _FACTS.start] + facts.to_bytes(8) + stream[_FACTS.stop :]


class Checksum:
    """The MD5 of the samples of one stream, which an encoder writes into its first block."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._md5 = hashlib.md5(usedforsecurity=False)

    def add(self, block: NDArray[np.float64]) -> None:
        """Add samples of -1 to 1, one column per channel."""
        whole = np.rint(block * 2 ** (self._claims.bits - 1)).astype("<i4")
        used = (self._claims.bits + 7) // 8
        self._md5.update(whole.reshape(-1, 1).view(np.uint8)[:, :used].tobytes())

    def differs(self) -> bool:
        """Return whether the samples are others than those that were encoded, as far as the stream tells."""
        return any(self._claims.md5) and self._md5.digest() != self._claims.md5
