"""The audio of a job as it came: a WAV file, checked before anybody hears it.

Owns the checks (RFC 9530 digests of the file, the job's hash of the samples) and just enough of RIFF for them. Knows no
HTTP beyond header names.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringtrue.errors import AudioCorrupted
from ringtrue.jobs import Audio, Job

_SHA256_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


@dataclass(frozen=True, slots=True)
class Clip:
    """A job that was spoken, and its WAV file."""

    job: Job
    wav: bytes

    @property
    def pcm(self) -> bytes:
        """The bare samples: 16-bit signed little-endian, mono."""
        return pcm_of(self.wav)

    def save(self, path: str | Path) -> Path:
        """Write the WAV file."""
        target = Path(path)
        target.write_bytes(self.wav)
        return target


def pcm_of(wav: bytes) -> bytes:
    """The content of a WAV file's data chunk; `AudioCorrupted` where there is none or it is cut short."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise AudioCorrupted("what came is no WAV file")
    at = 12
    while at + 8 <= len(wav):
        tag, size = struct.unpack_from("<4sI", wav, at)
        at += 8
        if tag == b"data":
            if at + size > len(wav):
                raise AudioCorrupted(f"the audio is cut short: {len(wav) - at} of {size} bytes of samples came")
            return wav[at : at + size]
        at += size + size % 2
    raise AudioCorrupted("the WAV file holds no samples")


def checked(wav: bytes, headers: Mapping[str, str], audio: Audio | None) -> bytes:
    """``wav`` as it is, once its bytes and its samples are those that were announced."""
    for name in ("content-digest", "repr-digest"):
        digest = _SHA256_DIGEST.search(headers.get(name, ""))
        if digest and base64.b64decode(digest[1]) != hashlib.sha256(wav).digest():
            raise AudioCorrupted(f"the file's bytes do not have the hash that its {name} says")
    sha256 = hashlib.sha256(pcm_of(wav)).hexdigest()
    if audio is not None and sha256 != audio.pcm_sha256:
        raise AudioCorrupted(f"the samples have the hash {sha256}, the job says {audio.pcm_sha256}")
    return wav
