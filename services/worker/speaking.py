"""From a batch of jobs to their audio: the calls of an engine host, and what they cost.

Owns how a job's input becomes requests, and the time limit of a job. Knows neither the store nor leases.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from services.worker.batches import JobBatch
from services.worker.engine_host import EngineHost, Tick
from services.worker.engines.base import SpeakRequest
from services.worker.memory.amounts import NOTHING, Amount
from services.worker.texts.lengths import checked
from services.worker.texts.pieces import join, pause_after
from shared.audio import Audio
from shared.controls import SpeechControls
from shared.errors import FailureCode, JobFailure
from shared.jobs import Job, Piece, SpeechInput

Progress = Callable[[int, int], None]
"""Called with the number of spoken pieces and the number of all pieces."""


@dataclass(frozen=True, slots=True)
class RunningClip:
    """The audio of one job."""

    audio: Audio
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class SpokenTake:
    """The clips of a batch, in its order, and what they cost together."""

    clips: Sequence[RunningClip]
    took_s: float
    cpu_s: float
    """CPU seconds of the engine's process, all threads together."""
    peak: Amount
    host_environment: Mapping[str, Any]
    """See `EngineHost.host_environment`."""

    @property
    def rtf(self) -> float:
        """The real-time factor: seconds of work per second of audio, over the whole batch."""
        return self.took_s / self._duration_s

    def cpu_s_of(self, clip: RunningClip) -> float:
        """Return the share of ``cpu_s`` of one clip of the batch, by its duration."""
        return self.cpu_s * clip.audio.duration_s / self._duration_s

    @property
    def _duration_s(self) -> float:
        return sum(clip.audio.duration_s for clip in self.clips)


def spoken(host: EngineHost, batch: JobBatch, files: Mapping[str, Path], progress: Progress, tick: Tick) -> SpokenTake:
    """Speak ``batch``. ``files`` are the recordings of the uploaded voices, by id. Raises `JobFailure`, and what
    ``tick`` raises."""
    began, cpu_s = time.monotonic(), host.cpu_s
    if len(batch.jobs) == 1:
        clips, peak = _in_pieces(host, batch.jobs[0], batch.texts, files, progress, tick)
    else:
        clips, peak = _together(host, batch, files, tick), host.peak
    return SpokenTake(clips, time.monotonic() - began, host.cpu_s - cpu_s, peak, host.host_environment)


def _in_pieces(
    host: EngineHost, job: Job, texts: Sequence[str], files: Mapping[str, Path], progress: Progress, tick: Tick
) -> tuple[list[RunningClip], Amount]:
    heard: list[Audio] = []
    peak = NOTHING
    deadline = time.monotonic() + job.timeout_s
    for number, text in enumerate(texts):
        progress(number, len(texts))
        left = deadline - time.monotonic()
        if left <= 0:
            raise JobFailure(FailureCode.ENGINE_TIMEOUT, f"not spoken within {job.timeout_s:g} s")
        request = _request(job.input, text, files)
        try:
            audio = host.speak(request, sample_rate=job.input.sample_rate, deadline_s=left, tick=tick)
        except JobFailure as failure:
            # after the first piece, an earlier piece of the job itself may be the cause
            failure.blameless &= number == 0
            raise
        heard.append(checked(audio, text, job.input.speed))
        peak = peak.at_least(host.peak)
    return [_clip(job, texts, heard)], peak


def _together(host: EngineHost, batch: JobBatch, files: Mapping[str, Path], tick: Tick) -> list[RunningClip]:
    requests = [_request(job.input, text, files) for job, text in zip(batch.jobs, batch.texts, strict=True)]
    heard = host.speak_batch(
        requests,
        sample_rate=batch.jobs[0].input.sample_rate,
        deadline_s=min(job.timeout_s for job in batch.jobs),
        tick=tick,
    )
    each = zip(batch.jobs, batch.texts, heard, strict=True)
    return [_clip(job, [text], [checked(audio, text, job.input.speed)]) for job, text, audio in each]


def _clip(job: Job, texts: Sequence[str], heard: Sequence[Audio]) -> RunningClip:
    return RunningClip(*join(texts, heard, [pause_after(text, job.input.speed) for text in texts]))


def _request(asked: SpeechInput, text: str, files: Mapping[str, Path]) -> SpeakRequest:
    """Build one request. ``files`` are the recordings of the uploaded voices, by id: an engine gets paths, not ids."""
    emotion = asked.emotion
    if emotion is not None and emotion.audio is not None:
        emotion = replace(emotion, audio=str(files[emotion.audio]))
    controls = {one.name: getattr(asked, one.name) for one in fields(SpeechControls)}
    reference = None if asked.reference is None else files[asked.reference]
    return SpeakRequest(text, asked.language, reference=reference, **controls | {"emotion": emotion})
