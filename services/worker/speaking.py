"""From a batch of jobs to their audio: the calls of an engine host, and what they cost.

Owns how a job's words become requests, and the time that a job may take. Knows neither store nor lease.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.worker.batches import Batch
from services.worker.engine_host import EngineHost, Tick
from services.worker.engines.base import SpeakRequest
from services.worker.memory.amounts import NOTHING, Amount
from services.worker.pieces import join, pause_after
from shared.audio import Audio
from shared.errors import FailureCode, JobFailure
from shared.jobs import Job, Piece, SpeechInput

Progress = Callable[[int, int], None]
"""Pieces spoken, pieces in all."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The audio of one job."""

    audio: Audio
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """The clips of a batch, in its order, and what they cost together."""

    clips: Sequence[Clip]
    took_s: float
    peak: Amount
    surroundings: Mapping[str, Any]
    """Of the host, see `EngineHost.surroundings`."""

    @property
    def rtf(self) -> float:
        """Seconds of work per second of audio, over the whole batch."""
        return self.took_s / sum(clip.audio.duration_s for clip in self.clips)


def spoken(host: EngineHost, batch: Batch, files: Mapping[str, Path], progress: Progress, tick: Tick) -> Take:
    """Speak ``batch`` with the uploaded voices in ``files`` (by id). Raises `JobFailure`, and what ``tick`` raises."""
    began = time.monotonic()
    if len(batch.jobs) == 1:
        clips, peak = _in_pieces(host, batch.jobs[0], batch.texts, files, progress, tick)
    else:
        clips, peak = _together(host, batch, files, tick), host.peak
    return Take(clips, time.monotonic() - began, peak, host.surroundings)


def _in_pieces(
    host: EngineHost, job: Job, texts: Sequence[str], files: Mapping[str, Path], progress: Progress, tick: Tick
) -> tuple[list[Clip], Amount]:
    heard: list[Audio] = []
    peak = NOTHING
    deadline = time.monotonic() + job.timeout_s
    for number, text in enumerate(texts):
        progress(number, len(texts))
        left = deadline - time.monotonic()
        if left <= 0:
            raise JobFailure(FailureCode.ENGINE_TIMEOUT, f"not spoken within {job.timeout_s:g} s")
        request = _request(job.input, text, files)
        heard.append(host.speak(request, sample_rate=job.input.sample_rate, deadline_s=left, tick=tick))
        peak = peak.at_least(host.peak)
    return [_clip(job, texts, heard)], peak


def _together(host: EngineHost, batch: Batch, files: Mapping[str, Path], tick: Tick) -> list[Clip]:
    requests = [_request(job.input, text, files) for job, text in zip(batch.jobs, batch.texts, strict=True)]
    heard = host.speak_batch(
        requests,
        sample_rate=batch.jobs[0].input.sample_rate,
        deadline_s=min(job.timeout_s for job in batch.jobs),
        tick=tick,
    )
    each = zip(batch.jobs, batch.texts, heard, strict=True)
    return [_clip(job, [text], [audio]) for job, text, audio in each]


def _clip(job: Job, texts: Sequence[str], heard: Sequence[Audio]) -> Clip:
    return Clip(*join(texts, heard, [pause_after(text, job.input.speed) for text in texts]))


def _request(asked: SpeechInput, text: str, files: Mapping[str, Path]) -> SpeakRequest:
    """``files``: of the uploaded voices by id; an engine knows them by nothing else."""
    emotion = asked.emotion
    if emotion is not None and emotion.audio is not None:
        emotion = replace(emotion, audio=str(files[emotion.audio]))
    return SpeakRequest(
        text=text,
        language=asked.language,
        voice=asked.voice,
        reference=None if asked.reference is None else files[asked.reference],
        emotion=emotion,
        speed=asked.speed,
        pitch_scale=asked.pitch_scale,
        seed=asked.seed,
        options=asked.options,
    )
