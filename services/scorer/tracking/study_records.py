"""The run of an evaluation, which is the parent of its clips' runs.

Owns the names beyond those that it shares with a clip's run (run_record.py): `n/<quantity>`, `unscored/<quantity>` and
`noise/<quantity>` beside the mean `<quantity>`. Pure: knows no server and no store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scorer.tracking.run_record import cut_params, cut_tags, option_name, primary_tags, searched_for
from services.scorer.tracking.runs import RunRecord, RunStatus, TrackerLimits
from shared.catalog import lock_sha256
from shared.jobs import FacetStatus
from shared.readings.lexicons import LexiconUsed
from shared.studies import Study
from shared.suites.preprocessing import done_to_text

_STATUS = {
    FacetStatus.DONE: RunStatus.FINISHED,
    FacetStatus.FAILED: RunStatus.FAILED,
    FacetStatus.SKIPPED: RunStatus.KILLED,
}


def begun_record(study: Study, limits: TrackerLimits) -> RunRecord:
    """Return the run of an evaluation in progress: what it is, without any result."""
    return _record(study, limits, RunStatus.RUNNING, {}, {}, {})


def evaluation_record(study: Study, limits: TrackerLimits) -> RunRecord:
    """Return the run of an evaluation that is over."""
    outcome = study.outcome or {}
    metrics = _metrics(outcome)
    return _record(study, limits, _STATUS[study.result.status], _params(study), metrics, _outcome_tags(study, metrics))


def _record(
    study: Study,
    limits: TrackerLimits,
    status: RunStatus,
    params: Mapping[str, object],
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> RunRecord:
    over_at = study.completed_at or study.canceled_at or study.created_at
    return RunRecord(
        subject=study.id,
        experiment=f"ringtrue/{study.suite}",
        name=f"{study.asked['pin']} on {study.suite} {study.asked['suite']['version']}",
        status=status,
        start_ms=round(study.created_at * 1000),
        end_ms=round(over_at * 1000),
        params=cut_params(params, limits),
        metrics=metrics,
        tags=cut_tags({**_identity_tags(study), **tags}, limits),
    )


def _identity_tags(study: Study) -> Mapping[str, str]:
    return {
        "tts.evaluation_id": study.id,
        "tts.pin": study.asked["pin"],
        "tts.lock_sha256": study.asked["lock_sha256"],
        "tts.suite": study.suite or "",
        "tts.suite_sha256": study.suite_sha256 or "",
        "mlflow.user": study.user,
        "mlflow.source.type": "JOB",
        "mlflow.source.name": "ringtrue",
    }


def _params(study: Study) -> Mapping[str, object]:
    asked = study.asked
    given = {name: value for name, value in asked["params"].items() if name != "options"}
    options = {option_name(name): value for name, value in asked["params"].get("options", {}).items()}
    return {
        "model_version": asked["pin"],
        "engine": asked["engine"],
        "suite": study.suite,
        "suite_version": asked["suite"]["version"],
        "items": len(asked["suite"]["items"]),
        "seeds": asked["seeds"],
        "score": asked["score"],
        "text_preprocessing": ", ".join(done_to_text(asked["preprocessing"])),
        "lexicon": LexiconUsed.from_json(asked["lexicon"]).label if asked.get("lexicon") else None,
        **given,
        **options,
    }


def _metrics(outcome: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the means over items, the numbers of items, the numbers of unscored clips, and the noise floors."""
    figures: Mapping[str, Mapping[str, Any]] = outcome.get("metrics", {})
    unscored: Mapping[str, Mapping[str, int]] = {name: one["unscored"] for name, one in figures.items()}
    means = {name: one["mean"] for name, one in figures.items() if one["mean"] is not None}
    return {
        **means,
        **searched_for(means),
        **{f"n/{name}": float(one["n"]) for name, one in figures.items()},
        **{f"unscored/{name}": float(sum(counts.values())) for name, counts in unscored.items() if counts},
        **{f"noise/{name}": one["run_to_run"] for name, one in outcome.get("noise", {}).items()},
    }


def _outcome_tags(study: Study, metrics: Mapping[str, float]) -> Mapping[str, str]:
    outcome = study.outcome or {}
    counted = {
        name: f"{name}: {', '.join(f'{reason} {count}' for reason, count in one['unscored'].items())}"
        for name, one in outcome.get("metrics", {}).items()
        if one["unscored"]
    }
    error = f"{study.error['code']}: {study.error['message']}" if study.error else ""
    return {
        **primary_tags(metrics),
        "tts.environment": ", ".join(outcome.get("environments", ())),
        "tts.scorers_lock_sha256": lock_sha256(locks) if (locks := outcome.get("scorer_locks")) else "",
        "tts.unscored": "; ".join(counted.values()),
        "tts.error": error or ("canceled" if study.result.status is FacetStatus.SKIPPED else ""),
        "mlflow.note.content": _note(study),
    }


def _note(study: Study) -> str:
    items, seeds = len(study.asked["suite"]["items"]), len(study.asked["seeds"])
    spoken = f"**{study.asked['pin']}** on {study.suite} {study.asked['suite']['version']}"
    return f"{spoken}: {items} items, {seeds} seed{'s' if seeds > 1 else ''}, a child run for each clip spoken for it\n"
