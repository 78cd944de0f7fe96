"""Uploaded voices as files, for engines that speak with one: there while a job is spoken, gone after it.

Owns their names. Engines may remember what they made of a file by its path, so a path means one content for ever: it is
named by hash and rate, in a folder of the slot's own. Knows no engine. Voices may be taken back by their users: nothing
of them stays here.
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
    """``folder``: of this worker alone. For use from several threads, each with a slot of its own."""

    def __init__(self, blobs: Blobs, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder

    @contextmanager
    def laid_out(self, slot: str, wanted: Mapping[str, Recording]) -> Iterator[Mapping[str, Path]]:
        """A WAV file per voice for the length of the block. `JobFailure` where a recording is no longer kept."""
        folder = self._folder / slot.replace("/", "-")
        with ExitStack() as cleaning:
            yield {voice_id: self._write(folder, voice_id, one, cleaning) for voice_id, one in wanted.items()}

    def _write(self, folder: Path, voice_id: str, recording: Recording, cleaning: ExitStack) -> Path:
        try:
            audio = Audio(self._blobs.get(recording.pcm_sha256), recording.sample_rate)
        except KeyError:
            raise JobFailure(FailureCode.VOICE_NOT_FOUND, f"{voice_id} was taken back by its user") from None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{recording.pcm_sha256}-{recording.sample_rate}.wav"
        cleaning.callback(path.unlink, missing_ok=True)
        path.write_bytes(wav_file(audio, {}))
        return path
