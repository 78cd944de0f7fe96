"""Evaluations, comparisons and gates as clients read them.

Owns the names of the members and which of them are absent when. Pure: takes a study, returns a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.jobs import Facet, FacetStatus
from shared.studies import Kind, NewStudy, Study, StudyClip, StudyProgress
from shared.values.times import rfc3339

PATHS: Mapping[Kind, str] = {
    Kind.EVALUATION: "/v1/evaluations",
    Kind.COMPARISON: "/v1/comparisons",
    Kind.GATE: "/v1/gates",
}
_PACE_OF = 0.2
"""Share of the clips after which a pace is shown."""
_ENDED = {FacetStatus.DONE: "succeeded", FacetStatus.FAILED: "failed", FacetStatus.SKIPPED: "canceled"}


def study_path(study: Study | NewStudy) -> str:
    return f"{PATHS[study.kind]}/{study.id}"


def accepted_study(new: NewStudy) -> Study:
    """Return the study at the moment it is accepted."""
    pending = Facet(FacetStatus.PENDING)
    return Study(
        id=new.id,
        user=new.user,
        kind=new.kind,
        asked=new.asked,
        stands_on=new.stands_on,
        created_at=new.created_at,
        result=pending,
        tracking=pending,
    )


def evaluation_document(study: Study, progress: StudyProgress, now: float, *, whole: bool = True) -> dict[str, Any]:
    """Return the JSON of an evaluation.

    ``now``: epoch seconds, for the estimate of the time left. Not ``whole``: without its result, for lists."""
    asked, path = study.asked, study_path(study)
    pin = {name: asked[name] for name in ("pin", "alias", "engine", "lock_sha256") if asked.get(name) is not None}
    of_suite = asked.get("suite") or {}
    suite = {name: of_suite.get(name) for name in ("name", "version", "sha256")}
    document = _head(study, "running") | {
        "pin": {"name": pin.pop("pin", study.pin), **pin},
        "suite": suite | {"items": len(of_suite.get("items", ()))},
        **{name: asked.get(name) for name in ("seeds", "score", "params", "preprocessing", "lexicon")},
        "progress": {name: getattr(progress, name) for name in StudyProgress.__slots__},
        **_tail(study),
        "links": {
            "self": path,
            "cancel": f"{path}/cancel",
            "items": f"{path}/files/items.jsonl",
            "clips": f"{path}/clips",
        },
    }
    if (eta_s := _eta_s(study, progress, now)) is not None:
        document["eta_seconds"] = eta_s
    return document | ({"result": study.outcome} if whole else {})


def comparison_document(study: Study, *, whole: bool = True) -> dict[str, Any]:
    """Return the JSON of a comparison. Not ``whole``: without its result, for lists."""
    path, result = study_path(study), (study.outcome or {}).get("comparison")
    return {
        **_head(study, "waiting"),
        **{name: study.asked.get(name) for name in ("baseline", "candidate", "allow")},
        "headline": result and result.get("headline"),
        **_tail(study),
        "files": files_of(study),
        "links": {"self": path, "report": f"{path}/report"},
        **({"result": result} if whole else {}),
    }


def gate_document(study: Study, *, whole: bool = True) -> dict[str, Any]:
    """Return the JSON of a gate. Not ``whole``: without its result, for lists."""
    path, result = study_path(study), (study.outcome or {}).get("gate")
    return {
        **_head(study, "waiting"),
        **{name: study.asked.get(name) for name in ("comparison", "rules")},
        "verdict": result and result.get("verdict"),
        "headline": result and result.get("headline"),
        **_tail(study),
        "files": files_of(study),
        "links": {"self": path, "summary": f"{path}/files/summary.md"},
        **({"result": result} if whole else {}),
    }


def clip_document(clip: StudyClip) -> dict[str, Any]:
    """Return the JSON of a clip: an item at one seed, and the job that spoke it."""
    links = {"job": f"/v1/jobs/{clip.job_id}", "audio": f"/v1/jobs/{clip.job_id}/audio"}
    return {"item": clip.item, "seed": clip.seed, "job": clip.job_id, "cached": clip.cached, "links": links}


def files_of(study: Study) -> list[str]:
    """Return the paths of the files that can be fetched."""
    return sorted((study.outcome or {}).get("files", ()))


def _head(study: Study, pending: str) -> dict[str, Any]:
    """Return the first members of a document. ``pending``: the status of a study that no scorer has begun."""
    running = "running" if study.result.status is FacetStatus.RUNNING else pending
    status = _ENDED.get(study.result.status, running)
    return {"id": study.id, "object": study.kind.value, "status": status}


def _tail(study: Study) -> dict[str, Any]:
    tracking: dict[str, Any] = {"status": study.tracking.status.value}
    if study.run_id is not None:
        tracking |= {"run_id": study.run_id, "url": study.run_url}
    ended = {} if study.completed_at is None else {"completed_at": rfc3339(study.completed_at)}
    return {"error": study.error, "tracking": tracking, "created_at": rfc3339(study.created_at), **ended}


def _eta_s(study: Study, progress: StudyProgress, now: float) -> float | None:
    """Return the seconds until every clip is scored, at the pace so far.

    None if too few clips are scored to tell: the first ones wait for models to load, and for clips of other users."""
    own, left = progress.scored - progress.cached, progress.clips - progress.scored
    if study.over or left <= 0 or own < _PACE_OF * (own + left):
        return None
    return round(left * (now - study.created_at) / own, 1)
