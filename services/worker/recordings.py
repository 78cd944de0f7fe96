"""Uploaded voices as files for engines. A file exists only while a job is spoken with it.

Owns the file names. An engine may cache by path what it computed from a file, so one path must always mean the same
content: the name has the hash and the sample rate, in the slot's own folder. Knows no engine. Users may delete their
voices, so nothing of them is kept here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared.audio import Audio, wav_file
from shared.errors import FailureCode, JobFailure
from shared.ports import Blobs
from shared.voices import Recording


class Recordings:
    """Writes recordings for engines. ``folder`` belongs to this worker alone. For several threads, each with its own
    slot."""

    def __init__(self, blobs: Blobs, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder

    @contextmanager
    def laid_out(self, slot: str, wanted: Mapping[str, Recording]) -> Iterator[Mapping[str, Path]]:
        """Write a WAV file per voice for the length of the block. Raises `JobFailure` if a recording was deleted."""
        folder = self._folder / slot.replace("/", "-")
        with ExitStack() as cleaning:
            yield {voice_id: self._write(folder, voice_id, one, cleaning) for voice_id, one in wanted.items()}

    def _write(self, folder: Path, voice_id: str, recording: Recording, cleaning: ExitStack) -> Path:
        try:
            audio = Audio(self._blobs.get(recording.pcm_sha256), recording.sample_rate)
        except KeyError:
            raise JobFailure(FailureCode.VOICE_NOT_FOUND, f"{voice_id} was removed by its user") from None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{recording.pcm_sha256}-{recording.sample_rate}.wav"
        cleaning.callback(path.unlink, missing_ok=True)
        path.write_bytes(wav_file(audio, {}))
        return path
