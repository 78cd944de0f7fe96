"""Speech as bare PCM, and the WAV file that is made from it when it is read.

Owns the sample format (16-bit signed little-endian, mono) and the RIFF layout. Knows no codec, no resampling and no
numpy: the gateway serves audio with it.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass

BYTES_PER_SAMPLE = 2
_INFO_TAGS = {"job": b"INAM", "pin": b"IPRD", "lock": b"ISBJ", "label": b"ICMT", "software": b"ISFT"}
SYNTHETIC_SPEECH = "synthetic speech"
"""Label in every file, so that a listener can know that a machine spoke."""


def provenance(job_id: str, pin: str, lock_sha256: str) -> dict[str, str]:
    """Return the metadata of a job's WAV file. The same job always gives the same file, wherever it is made."""
    return {"job": job_id, "pin": pin, "lock": lock_sha256, "label": SYNTHETIC_SPEECH, "software": "Ringtrue"}


@dataclass(frozen=True, slots=True)
class Audio:
    """Mono speech. ``pcm``: s16le samples; ``sample_rate``: Hz."""

    pcm: bytes
    sample_rate: int

    def __post_init__(self) -> None:
        if len(self.pcm) % BYTES_PER_SAMPLE:
            raise ValueError("16-bit PCM has an even number of bytes")

    @property
    def duration_s(self) -> float:
        return len(self.pcm) / BYTES_PER_SAMPLE / self.sample_rate

    @property
    def sha256(self) -> str:
        """SHA-256 of the PCM, by which reproducibility is judged."""
        return hashlib.sha256(self.pcm).hexdigest()


def silence(seconds: float, sample_rate: int) -> bytes:
    """Return ``seconds`` of digital silence as PCM."""
    return bytes(BYTES_PER_SAMPLE * round(seconds * sample_rate))


def _chunk(tag: bytes, body: bytes) -> bytes:
    return tag + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def wav_header(pcm_bytes: int, sample_rate: int, info: Mapping[str, str]) -> bytes:
    """Return all bytes of a WAV file before its samples: RIFF, fmt, LIST/INFO, and the head of the data chunk.

    ``info`` keys: job, pin, lock, label, software; any other key raises ``KeyError``. The same arguments give the same
    bytes.
    """
    fmt = struct.pack("<HHIIHH", 1, 1, sample_rate, sample_rate * BYTES_PER_SAMPLE, BYTES_PER_SAMPLE, 16)
    items = b"".join(_chunk(_INFO_TAGS[key], value.encode() + b"\0") for key, value in info.items())
    body = b"WAVE" + _chunk(b"fmt ", fmt) + _chunk(b"LIST", b"INFO" + items)
    total = len(body) + 8 + pcm_bytes
    return b"RIFF" + struct.pack("<I", total) + body + b"data" + struct.pack("<I", pcm_bytes)


def wav_file(audio: Audio, info: Mapping[str, str]) -> bytes:
    """Return a whole WAV file."""
    return wav_header(len(audio.pcm), audio.sample_rate, info) + audio.pcm
