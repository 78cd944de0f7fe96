"""The run of a job: names and values of its params, metrics and tags.

Owns the vocabulary of runs (the table "MLflow" of the contract). Pure: knows no server, no store and no audio.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.scorer.tracking.runs import CURRENT_LIMITS, EnvironmentNote, RunRecord, RunStatus, TrackerLimits
from shared.catalog import Manifest, canonical_json
from shared.controls import VALUES, Emotion
from shared.jobs import Job, Status
from shared.metrics import CER, COST, PRIMARY_CER, PRIMARY_MOS
from shared.scores import Score, Unscored
from shared.suites.preprocessing import NONE, done_to_text

JOBS_EXPERIMENT = "ringtrue/jobs"

_COSTS = tuple(name.removeprefix("cost/") for name in COST.names)
_STATUS = {
    Status.SUCCEEDED: RunStatus.FINISHED,
    Status.FAILED: RunStatus.FAILED,
    Status.CANCELED: RunStatus.KILLED,
    Status.EXPIRED: RunStatus.KILLED,
}
_NAME_CHARS = 40
_NOTE_CHARS = 400


@dataclass(frozen=True, slots=True)
class SuiteItem:
    """Which item of which suite a job speaks, and the run of the evaluation it belongs to."""

    suite: str
    suite_sha256: str
    item: str
    parent_run_id: str | None = None
    preprocessing: str = NONE
    """The preprocessing of its text before it became a job."""


def run_record(
    job: Job,
    environment: Mapping[str, Any] | None = None,
    manifest: Manifest | None = None,
    suite: SuiteItem | None = None,
    *,
    problem: str | None = None,
    limits: TrackerLimits = CURRENT_LIMITS,
) -> RunRecord:
    """Return the record of a finished ``job``. ``problem``: why the run is incomplete; it becomes ``tts.error``."""
    metrics = _metrics(job)
    tags = _identity_tags(job, manifest) | _outcome_tags(job, problem) | primary_tags(metrics)
    if suite is not None:
        tags |= _suite_tags(suite)
    tags["mlflow.source.git.commit"] = str((environment or {}).get("commit") or "")
    tags["mlflow.note.content"] = _note(job, metrics, tags)
    started = job.started_at if job.started_at is not None else job.created_at
    ended = job.completed_at if job.completed_at is not None else started
    return RunRecord(
        subject=job.id,
        experiment=f"ringtrue/{suite.suite}" if suite else JOBS_EXPERIMENT,
        name=f"{job.pin} {feeling(job)} {_one_line(job.input.as_written, _NAME_CHARS)}",
        status=_STATUS[job.status],
        start_ms=round(started * 1000),
        end_ms=round(ended * 1000),
        params=cut_params(_params(job, suite), limits),
        metrics=metrics,
        tags=cut_tags(tags, limits),
        environment=_environment_note(job, environment),
    )


def feeling(job: Job) -> str:
    """Return one word for how a job is spoken, fit for a file name: its emotion, the form of the emotion, or
    ``plain``."""
    emotion = job.input.emotion
    return "plain" if emotion is None else re.sub(r"[^\w\-.]", "-", _emotion_name(emotion))


def picture_title(record: RunRecord) -> str:
    """Return pin, emotion and predicted MOS of a run, for people."""
    parts = [record.params["model_version"], record.params.get("emotion", "plain")]
    if "emotion_strength" in record.params:
        parts[-1] += f" {float(record.params['emotion_strength']):g}"
    if "predicted_MOS" in record.metrics:
        predictor = record.tags["tts.primary_mos"].removeprefix("mos/")
        parts.append(f"MOS {record.metrics['predicted_MOS']:.2f} ({predictor})")
    return "  ·  ".join(parts)


def _emotion_name(emotion: Emotion) -> str:
    forms = (emotion.name, emotion.vector and "vector", emotion.audio and "audio", emotion.text and "text")
    return next(form for form in forms if form)


def _params(job: Job, suite: SuiteItem | None) -> dict[str, object]:
    spoken = job.input
    values: dict[str, object] = {
        "model_version": job.pin,
        "engine": job.engine,
        "input_text": spoken.as_written,
        "spoken_text": None if spoken.written is None else spoken.text,
        "lexicon": spoken.lexicon and spoken.lexicon.label,
        "language": spoken.language,
        "voice": spoken.reference or spoken.voice,
        **{control.name: getattr(spoken, control.name) for control in VALUES},
        "sample_rate": job.audio.sample_rate if job.audio else spoken.sample_rate,
        "text_preprocessing": _preprocessing(job, suite),
    }
    if spoken.pronunciation is not None:
        values["pronunciation"] = spoken.pronunciation.to_json()
    if spoken.emotion is not None:
        values["emotion"] = _emotion_name(spoken.emotion)
        values["emotion_strength"] = spoken.emotion.strength
        values["emotion_reference"] = spoken.emotion.vector or spoken.emotion.audio or spoken.emotion.text
    for name, value in spoken.options.items():
        values[option_name(name)] = value
    return values


def _preprocessing(job: Job, suite: SuiteItem | None) -> str:
    """Return what was done to the text, in order."""
    before = done_to_text(NONE if suite is None else suite.preprocessing)
    after = ["split into pieces"] if job.audio and len(job.audio.pieces) > 1 else []
    return ", ".join([*before, *after])


def option_name(name: str) -> str:
    """Return the name of an engine's option as a param."""
    return f"options.{re.sub(r'[^a-zA-Z0-9_.-]', '_', name)}"


def cut_params(values: Mapping[str, object], limits: TrackerLimits) -> dict[str, str]:
    """Return params as the server accepts them, without those that are ``None``."""
    return {name: _cut(_text(value), limits.param) for name, value in values.items() if value is not None}


def cut_tags(values: Mapping[str, str], limits: TrackerLimits) -> dict[str, str]:
    """Return tags as the server accepts them, without empty ones."""
    return {name: _cut(value, limits.tag) for name, value in values.items() if value}


def _metrics(job: Job) -> dict[str, float]:
    """Return the measured values, and some of them also under the names that people search for."""
    costs = {f"cost/{name}": job.timings[name] for name in _COSTS if name in job.timings}
    scores = {name: score.value for name, score in job.scores.items() if isinstance(score, Score)}
    metrics = dict(sorted((costs | scores).items()))
    return metrics | searched_for(metrics)


def primary_mos(metrics: Mapping[str, float]) -> str | None:
    """Return which of ``metrics`` becomes ``predicted_MOS``."""
    return next((name for name in PRIMARY_MOS if name in metrics), None)


def primary_cer(metrics: Mapping[str, float]) -> str | None:
    """Return which of ``metrics`` becomes `CER`."""
    return next((name for name in PRIMARY_CER if name in metrics), None)


def primary_tags(metrics: Mapping[str, float]) -> dict[str, str]:
    """Return the tags that say what ``predicted_MOS`` and ``asr/cer`` are. They are empty if there are none."""
    return {"tts.primary_mos": primary_mos(metrics) or "", "tts.primary_asr": primary_cer(metrics) or ""}


def searched_for(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the names that people search for, where there is a value for them."""
    names = {
        "predicted_MOS": primary_mos(metrics),
        "semantic_similarity": "semantic/similarity",
        CER: primary_cer(metrics),
    }
    return {name: metrics[source] for name, source in names.items() if source is not None and source in metrics}


def _identity_tags(job: Job, manifest: Manifest | None) -> dict[str, str]:
    """Return what was run. A manifest that was published for another lock says nothing about this job's model."""
    published = manifest if manifest is not None and manifest.lock_sha256 == job.lock_sha256 else None
    return {
        "tts.job_id": job.id,
        "tts.pin": job.pin,
        "tts.model.repo": (published and published.model_repo) or "",
        "tts.model.revision": (published and published.model_revision) or "",
        "tts.lock_sha256": job.lock_sha256,
        "tts.environment": job.environment or "",
        "tts.controls": canonical_json(dict(job.controls)).decode() if job.controls else "",
        "mlflow.user": job.user,
        "mlflow.source.type": "JOB",
        "mlflow.source.name": "ringtrue",
    } | _heard_tags(job)


def _heard_tags(job: Job) -> dict[str, str]:
    """Return the hashes of the recordings that it was spoken with. They stay when a user withdraws the voices."""
    emotion = job.input.emotion
    voices = {"reference": job.input.reference, "emotion_reference": emotion and emotion.audio}
    recordings = {name: job.input.recordings.get(voice or "") for name, voice in voices.items()}
    return {
        f"tts.{name}.pcm_sha256": recording.pcm_sha256 if recording else "" for name, recording in recordings.items()
    }


def _outcome_tags(job: Job, problem: str | None) -> dict[str, str]:
    """Return the outcome: audio, scores and errors."""
    unscored = [f"{name}: {s.reason.value}" for name, s in sorted(job.scores.items()) if isinstance(s, Unscored)]
    error = f"{job.error.code.value}: {job.error.message}" if job.error else problem
    return {
        "tts.pcm_sha256": job.audio.pcm_sha256 if job.audio else "",
        "tts.batch": ", ".join(job.audio.batch) if job.audio else "",
        "tts.scorers_lock_sha256": job.scorers_lock or "",
        "tts.unscored": ", ".join(unscored),
        "tts.error": error or ("" if job.status is Status.SUCCEEDED else job.status.value),
    }


def _suite_tags(item: SuiteItem) -> dict[str, str]:
    return {
        "tts.suite": item.suite,
        "tts.suite_sha256": item.suite_sha256,
        "tts.item": item.item,
        "mlflow.parentRunId": item.parent_run_id or "",
    }


def _note(job: Job, metrics: Mapping[str, float], tags: Mapping[str, str]) -> str:
    """Return a few lines of Markdown: the text and the outcome.

    What users wrote is in an indented block, where nothing is markup.
    """
    facts = [f"**{job.pin}**", feeling(job), job.input.language]
    if job.audio is not None:
        facts.append(f"{job.audio.duration_s:.1f} s")
    written = [_one_line(job.input.as_written, _NOTE_CHARS)]
    written += [_one_line(f"{key}: {value}", _NOTE_CHARS) for key, value in sorted(job.metadata.items())]
    lines = [" · ".join(facts), "", *(f"    {line}" for line in written), ""]
    if "predicted_MOS" in metrics:
        lines.append(f"- predicted MOS {metrics['predicted_MOS']:.2f} (`{tags['tts.primary_mos']}`)")
    if tags["tts.unscored"]:
        lines.append(f"- not scored: `{tags['tts.unscored']}`")
    if tags["tts.error"]:
        lines += [f"- {job.status.value}:", "", f"      {_one_line(tags['tts.error'], _NOTE_CHARS)}"]
    return "\n".join(lines).rstrip() + "\n"


def _environment_note(job: Job, environment: Mapping[str, Any] | None) -> EnvironmentNote | None:
    if job.environment is None or environment is None:
        return None
    return EnvironmentNote(job.environment, canonical_json(dict(environment)).decode())


def _text(value: object) -> str:
    """Return a value as a param: strings unchanged, everything else as JSON, always the same text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _one_line(text: str, chars: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= chars else line[: chars - 1] + "…"


def _cut(text: str, chars: int) -> str:
    """Return at most ``chars`` characters, without those that a SQL text column refuses."""
    return text.replace("\0", "")[:chars]
