"""The file that a client downloads: a WAV file made from a job's PCM when it is read, with the same bytes every time.

Owns what goes into the file besides the samples, and its digest. Knows no HTTP.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator

from shared.audio import provenance, wav_header
from shared.errors import RefusalCode, Refused
from shared.jobs import Job, Spoken
from shared.ports import Blobs


class WavResponse:
    """The WAV file of one job. Its methods block. Raises `Refused` if the job has no audio, or it is no longer kept."""

    def __init__(self, job: Job, blobs: Blobs) -> None:
        if job.audio is None:
            raise Refused(RefusalCode.AUDIO_NOT_READY, f"job {job.id} has no audio: its status is {job.status.value}")
        self.job = job
        self.audio: Spoken = job.audio
        self._blobs = blobs
        try:
            pcm_bytes = blobs.size(self.audio.pcm_sha256)
        except KeyError:
            raise Refused(RefusalCode.AUDIO_NOT_READY, f"the audio of job {job.id} is no longer stored") from None
        info = provenance(job.id, job.pin, job.lock_sha256)
        self._head = wav_header(pcm_bytes, self.audio.sample_rate, info)
        self.size = len(self._head) + pcm_bytes

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """Yield ``length`` bytes of the file from ``start`` on, in chunks."""
        head = self._head[start : start + length]
        if head:
            yield head
        if length > len(head):
            first = max(0, start - len(self._head))
            yield from self._blobs.read(self.audio.pcm_sha256, first, length - len(head))

    def sha256(self, start: int = 0, length: int | None = None) -> bytes:
        """Return the SHA-256 of a stretch of the file, or of the whole file."""
        digest = hashlib.sha256()
        for chunk in self.read(start, self.size if length is None else length):
            digest.update(chunk)
        return digest.digest()


class Digests:
    """A cache of the digests of whole files, by job. They never change, and reading a long file twice is a waste."""

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._known: OrderedDict[str, bytes] = OrderedDict()

    def of(self, clip: WavResponse) -> bytes:
        """Return the SHA-256 of the whole file. Blocks."""
        digest = self._known.get(clip.job.id)
        if digest is None:
            digest = self._known[clip.job.id] = clip.sha256()
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return digest
