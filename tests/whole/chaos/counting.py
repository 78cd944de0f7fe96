"""What came of it: everything that must be zero once it is quiet again.

Owns the questions and how they are asked, of the database, the audio and MLflow, not of the services. Knows no fault.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from shared.scheduling.fairness import WINDOW_S

_ENDS = """
CREATE TABLE chaos_ends (job_id text, status text);
CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO chaos_ends VALUES (NEW.id, NEW.status); RETURN NEW; END $$;
CREATE TRIGGER chaos_note AFTER UPDATE OF status ON jobs FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status AND NEW.status IN ('succeeded', 'failed', 'canceled', 'expired'))
    EXECUTE FUNCTION chaos_note();
"""
_OPEN = """
SELECT id FROM jobs WHERE id = ANY(%(ids)s) AND (
    status NOT IN ('succeeded', 'failed', 'canceled', 'expired') OR scoring_status IN ('pending', 'running')
    OR (%(tracked)s AND tracking_status IN ('pending', 'running')))
"""
_FAILED = """
SELECT id || ' ' || status || ' ' || coalesce(error->>'code', '') || ' ' || coalesce(error->>'message', '') FROM jobs
WHERE id = ANY(%(ids)s) AND (status IN ('failed', 'canceled', 'expired') OR scoring_status = 'failed'
    OR (%(tracked)s AND tracking_status = 'failed'))
"""
_AUDIO = "SELECT id, audio->>'pcm_sha256' FROM jobs WHERE id = ANY(%s) AND status = 'succeeded'"
_USAGE = """
SELECT usage."user", usage.audio_s, coalesce(sum((jobs.audio->>'duration_s')::float), 0) FROM usage
LEFT JOIN jobs ON jobs."user" = usage."user" AND jobs.status = 'succeeded'
    AND floor(jobs.started_at / %s) = usage.window
GROUP BY usage."user", usage.audio_s
"""
_CLOSE = 0.01
"""Seconds of audio: sums of floating-point numbers differ by their order."""


@dataclass(frozen=True)
class Place:
    """Where to look. ``mlflow_url``: none where nothing is tracked."""

    database: str
    blobs: Path
    mlflow_url: str | None


def note_ends(database: str) -> None:
    """From now on every end of a job is noted; once the tables are there."""
    with psycopg.connect(database, autocommit=True) as server:
        server.execute(_ENDS)


def still_open(place: Place, job_ids: list[str]) -> list[str]:
    """Jobs that are not through."""
    return [row[0] for row in _ask(place, _OPEN, {"ids": job_ids, "tracked": place.mlflow_url is not None})]


def count(place: Place, job_ids: list[str]) -> Mapping[str, list[str]]:
    """What must be nothing, by name."""
    asked = {"ids": job_ids, "tracked": place.mlflow_url is not None}
    there = {row[0] for row in _ask(place, "SELECT id FROM jobs WHERE id = ANY(%(ids)s)", asked)}
    twice = "SELECT job_id FROM chaos_ends GROUP BY job_id HAVING count(*) > 1"
    all_jobs = [row[0] for row in _ask(place, "SELECT id FROM jobs", {})]
    return {
        "lost jobs": [*(set(job_ids) - there), *still_open(place, job_ids)],
        "submitted twice": sorted(set(all_jobs) - set(job_ids)),
        "ended twice": [row[0] for row in _ask(place, twice, {})],
        "audio that is not there": list(_without_audio(place, job_ids)),
        "runs twice, or none": list(_wrong_runs(place, job_ids)),
        "failed for no fault of theirs": [row[0] for row in _ask(place, _FAILED, asked)],
        "usage wrong": list(_wrong_usage(place)),
    }


def _ask(place: Place, query: str, values: object) -> list[tuple[str, ...]]:
    with psycopg.connect(place.database, autocommit=True) as server:
        return server.execute(query, values).fetchall()  # type: ignore[call-overload, no-any-return]


def _without_audio(place: Place, job_ids: list[str]) -> Iterator[str]:
    for job_id, sha256 in _ask(place, _AUDIO, [job_ids]):
        path = place.blobs / sha256[:2] / sha256
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            yield job_id


def _wrong_usage(place: Place) -> Iterator[str]:
    for user, charged, given in _ask(place, _USAGE, [WINDOW_S]):
        if abs(float(charged) - float(given)) > _CLOSE:
            yield f"{user}: charged {float(charged):.2f} s for {float(given):.2f} s"


def _wrong_runs(place: Place, job_ids: list[str]) -> Iterator[str]:
    if place.mlflow_url is None:
        return
    runs = Counter(_logged(place.mlflow_url))
    for job_id in job_ids:
        if runs[job_id] != 1:
            yield f"{job_id} {runs[job_id]}"


def _logged(mlflow_url: str) -> Iterator[str]:
    """The job of every run."""
    with httpx.Client(base_url=f"{mlflow_url}/api/2.0/mlflow", timeout=60) as http:
        found = http.get("/experiments/search", params={"max_results": 100}).json().get("experiments", [])
        query = {"experiment_ids": [one["experiment_id"] for one in found], "max_results": 500}
        while True:
            page = http.post("/runs/search", json=query).json()
            for run in page.get("runs", []):
                yield from (tag["value"] for tag in run["data"].get("tags", []) if tag["key"] == "tts.job_id")
            if not (token := page.get("next_page_token")):
                return
            query["page_token"] = token
