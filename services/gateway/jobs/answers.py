"""Jobs, pins and voices as clients read them: the JSON of the API contract.

Owns the names of the members and which of them are absent when. Pure: takes values, returns dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from shared.aliases import CANDIDATE, Move
from shared.catalog import Manifest
from shared.controls import VALUES, Emotion
from shared.jobs import Facet, FacetStatus, Job, NewJob, SpeechInput, Status
from shared.values.times import rfc3339
from shared.voices import Recording, Voice

_QUEUED = Status.QUEUED.value
_PENDING = {"status": FacetStatus.PENDING.value}
_SKIPPED = {"status": FacetStatus.SKIPPED.value}


def job_path(job_id: str) -> str:
    return f"/v1/jobs/{job_id}"


def accepted_document(job: NewJob | Job) -> dict[str, Any]:
    """Return the JSON of a job at the moment it is accepted."""
    path = job_path(job.id)
    return {
        "id": job.id,
        "object": "job",
        "status": _QUEUED,
        "error": None,
        "pin": _pin(job),
        "input": _input(job),
        "controls": job.controls,
        "attempt": 0,
        "audio": None,
        "scoring": _PENDING if job.input.score else _SKIPPED,
        "tracking": _PENDING,
        "timings": {},
        "metadata": job.metadata,
        "created_at": rfc3339(job.created_at),
        "links": {"self": path, "audio": f"{path}/audio", "cancel": f"{path}/cancel"},
    }


def job_document(job: Job, position: int | None = None) -> dict[str, Any]:
    """Return the JSON of a job as it is now. ``position``: its place in the queue; shown only if known and still
    queued."""
    document = accepted_document(job)
    document["status"] = job.status.value
    document["attempt"] = job.attempt
    document["audio"] = _audio(job)
    document["scoring"] = _scoring(job)
    document["tracking"] = _tracking(job)
    document["timings"] = job.timings
    if job.error is not None:
        document["error"] = {"code": job.error.code.value, "message": job.error.message}
    if position is not None and job.status is Status.QUEUED:
        document["queue_position"] = position
    if job.progress is not None and job.status is Status.PROCESSING:
        document["progress"] = {"piece": job.progress[0], "pieces": job.progress[1]}
    if job.started_at is not None:
        document["started_at"] = rfc3339(job.started_at)
    if job.completed_at is not None:
        document["completed_at"] = rfc3339(job.completed_at)
    return document


def pin_document(
    manifest: Manifest, *, live: bool, confirmed_at: float, aliases: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the JSON of a pin and what it can do.

    ``live``: a worker serves it now. ``confirmed_at``: when a worker last said so, in epoch seconds, or 0."""
    facts = {name: value for name, value in manifest.to_json().items() if value is not None}
    document = {"name": facts.pop("pin"), "object": "pin", **facts, "live": live, "aliases": aliases}
    return document | ({"confirmed_at": rfc3339(confirmed_at)} if confirmed_at else {})


def alias_document(move: Move, *, idle: str | None) -> dict[str, Any]:
    """Return the JSON of a pin's alias since its last move. ``idle``: why a candidate with a weight takes no share
    now."""
    document: dict[str, Any] = {"alias": str(move.alias)}
    if move.alias.word == CANDIDATE:
        document |= {"weight": move.weight, "share": 0.0 if idle else move.weight}
    if idle is not None:
        document["detail"] = f"gets no share: {idle}"
    signature = move.signature
    return document | {"since": rfc3339(signature.at), "by": signature.by, "reason": signature.reason}


def voice_path(voice_id: str) -> str:
    return f"/v1/voices/{voice_id}"


def voice_document(voice: Voice) -> dict[str, Any]:
    """Return the JSON of an uploaded voice and the consent that came with it."""
    path, consent = voice_path(voice.id), voice.consent
    return {
        "id": voice.id,
        "object": "voice",
        "name": voice.name,
        "recording": _recording(voice.recording),
        "consent": {"by": consent.by, "at": rfc3339(consent.at), "text": consent.text},
        "created_at": rfc3339(voice.created_at),
        "links": {"self": path, "audio": f"{path}/audio"},
    }


def _recording(heard: Recording) -> dict[str, Any]:
    return {"pcm_sha256": heard.pcm_sha256, "sample_rate": heard.sample_rate, "duration_s": heard.duration_s}


def _pin(job: Job | NewJob) -> dict[str, str]:
    used = {"name": job.pin, "engine": job.engine, "lock_sha256": job.lock_sha256}
    if (alias := job.alias) is not None:
        used["alias"] = alias
    return used


def _input(job: Job | NewJob) -> dict[str, Any]:
    spoken: SpeechInput = job.input
    used: dict[str, Any] = {"text": spoken.text, "language": spoken.language}
    if spoken.voice is not None:
        used["voice"] = spoken.voice
    if spoken.reference is not None:
        used["reference"] = spoken.reference
    if spoken.emotion is not None:
        used["emotion"] = _emotion(spoken.emotion)
    for control in VALUES:
        if (value := getattr(spoken, control.name)) is not None:
            used[control.name] = value
    if spoken.sample_rate is not None:
        used["sample_rate"] = spoken.sample_rate
    if spoken.lexicon is not None:
        used["lexicon"] = asdict(spoken.lexicon)
    if spoken.written is not None:
        used["written"] = spoken.written
    used["options"] = spoken.options
    if spoken.recordings:
        used["recordings"] = {voice_id: _recording(one) for voice_id, one in spoken.recordings.items()}
    used["score"] = spoken.score
    if spoken.pronunciation is not None:
        used["pronunciation"] = spoken.pronunciation.to_json()
    used["priority"] = job.priority
    used["ttl_s"] = round(job.expires_at - job.created_at, 3)
    used["timeout_s"] = job.timeout_s
    return used


def _emotion(felt: Emotion) -> dict[str, Any]:
    if felt.name is not None:
        return {"name": felt.name, "strength": felt.strength}
    forms = (("vector", felt.vector), ("audio", felt.audio), ("text", felt.text))
    return {form: value for form, value in forms if value is not None} | {"strength": felt.strength}


def _audio(job: Job) -> dict[str, Any] | None:
    if (audio := job.audio) is None:
        return None
    document = {
        "url": f"{job_path(job.id)}/audio",
        "pcm_sha256": audio.pcm_sha256,
        "duration_s": audio.duration_s,
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
        "pieces": [{"text": p.text, "start_s": p.start_s, "end_s": p.end_s} for p in audio.pieces],
    }
    return document | {"batch": list(audio.batch)} if audio.batch else document


def _scoring(job: Job) -> dict[str, Any]:
    facet: Facet = job.scoring
    if not job.scores:
        return {"status": facet.status.value}
    return {"status": facet.status.value, "scores": {name: score.to_json() for name, score in job.scores.items()}}


def _tracking(job: Job) -> dict[str, Any]:
    document: dict[str, Any] = {"status": job.tracking.status.value}
    if job.run_id is not None:
        document |= {"run_id": job.run_id, "url": job.run_url}
    return document
