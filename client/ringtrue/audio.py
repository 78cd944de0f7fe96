"""The audio of a job as it was received: a WAV file, checked before it is used.

Owns the checks (RFC 9530 digests of the file, the job's hash of the samples), and just enough of RIFF for them. Knows
nothing of HTTP except header names.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringtrue.errors import AudioCorrupted, FormatUnavailable
from ringtrue.jobs import Job, JobAudio

_OTHER_FORMATS = {
    *(".3gp", ".aac", ".ac3", ".aif", ".aifc", ".aiff", ".amr", ".ape", ".au", ".caf", ".flac", ".m4a", ".m4b", ".mka"),
    *(".mkv", ".mov", ".mp2", ".mp3", ".mp4", ".mpga", ".oga", ".ogg", ".opus", ".pcm", ".raw", ".snd", ".spx", ".w64"),
    *(".weba", ".webm", ".wma", ".wv"),
}
"""Suffixes of other audio formats than WAV, some of which `mimetypes` does not know everywhere."""
_WAV = ("audio/wav", "audio/x-wav", "audio/vnd.wave")
_SHA256_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


@dataclass(frozen=True, slots=True)
class Clip:
    """A spoken job, and its WAV file."""

    job: Job
    wav: bytes

    @property
    def pcm(self) -> bytes:
        """The bare samples: 16-bit signed little-endian, mono."""
        return pcm_of(self.wav)

    def save(self, path: str | Path) -> Path:
        """Write the WAV file and return its path.

        Raises `FormatUnavailable` if ``path`` has the suffix of another format.
        """
        target = check_ending(path)
        target.write_bytes(self.wav)
        return target


def check_ending(path: str | Path) -> Path:
    """Return ``path``. Raises `FormatUnavailable` if it has the suffix of another format, of audio or not."""
    target = Path(path)
    ending = target.suffix.lower()
    if ending in _OTHER_FORMATS or mimetypes.guess_type(target.name)[0] not in (None, *_WAV):
        raise FormatUnavailable(
            f"{target.name}: audio is written only as WAV, not as {ending[1:]}; use a name that ends in .wav"
        )
    return target


def pcm_of(wav: bytes) -> bytes:
    """Return the content of a WAV file's data chunk. Raises `AudioCorrupted` if there is none or it is cut short."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise AudioCorrupted("the received data is not a WAV file")
    at = 12
    while at + 8 <= len(wav):
        tag, size = struct.unpack_from("<4sI", wav, at)
        at += 8
        if tag == b"data":
            if at + size > len(wav):
                raise AudioCorrupted(f"the audio is incomplete: received {len(wav) - at} of {size} bytes of samples")
            return wav[at : at + size]
        at += size + size % 2
    raise AudioCorrupted("the WAV file contains no samples")


def checked(wav: bytes, headers: Mapping[str, str], audio: JobAudio | None) -> bytes:
    """Return ``wav`` unchanged. Raises `AudioCorrupted` unless its bytes and its samples have the announced hashes."""
    for name in ("content-digest", "repr-digest"):
        digest = _SHA256_DIGEST.search(headers.get(name, ""))
        if digest and base64.b64decode(digest[1]) != hashlib.sha256(wav).digest():
            raise AudioCorrupted(f"the hash of the file does not match its {name} header")
    sha256 = hashlib.sha256(pcm_of(wav)).hexdigest()
    if audio is not None and sha256 != audio.pcm_sha256:
        raise AudioCorrupted(f"the samples have the hash {sha256}, but the job says {audio.pcm_sha256}")
    return wav
