"""The flow that logs studies: an evaluation completes its parent run, comparisons and gates add to the candidate's.

Owns where their files are in a run, and the calls to the store meanwhile. A server that is not available delays this
step only.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from services.scorer.backoff import MAX_BACKOFF_S, backoff_s
from services.scorer.studies.evaluation_files import ENVIRONMENT, LOCK
from services.scorer.studies.evaluations import EvaluationReader
from services.scorer.studies.items_table import items_table
from services.scorer.studies.study_deps import StudyDeps
from services.scorer.tracking.parent_runs import ParentRuns
from services.scorer.tracking.runs import Logged, StudyTracker, TrackerMissing, TrackerRefused, TrackerUnavailable
from services.scorer.tracking.study_records import evaluation_record
from shared.errors import StorageUnavailable, StoreUnavailable
from shared.jobs import FacetStatus
from shared.scheduling.leases import kept
from shared.scheduling.slots import Slots
from shared.studies import Kind, Step, Study

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class StudyTrackingDeps(StudyDeps):
    """What studies are logged with. ``trackers`` has one place, so that one study is logged at a time."""

    trackers: Slots[StudyTracker]
    parents: ParentRuns


def run(deps: StudyTrackingDeps) -> None:
    """Answer a wake-up: log what is due, one study after another, until the server is away or it is time to stop."""
    deps.trackers.work(lambda tracker: _work(deps, tracker))


def _work(deps: StudyTrackingDeps, tracker: StudyTracker) -> None:
    answers = True
    while answers and not deps.stopping.is_set():
        study = deps.studies.claim(Step.TRACKING, deps.holder, deps.lease_s, deps.clock())
        if study is None:
            return
        deps.wake_ups.wake_analysis()
        answers = track(deps, tracker, study)


def track(deps: StudyTrackingDeps, tracker: StudyTracker, study: Study) -> bool:
    """Log one claimed study, keeping its lease meanwhile, or postpone it.

    Return False if the server or the store does not answer, which would hold for the next study too.
    """
    attempt = study.tracking.attempt

    def beat() -> bool:
        return deps.studies.beat(Step.TRACKING, study.id, attempt, deps.lease_s, deps.clock())

    try:
        with kept(beat, deps.lease_s / 3):
            logged = _logged(deps, tracker, study)
        run = (None, None) if logged is None else (logged.run_id, logged.url)
        # `finish_tracking` names the attempt, so a late holder records nothing. Wake-ups go out after the commit.
        if deps.studies.finish_tracking(study.id, attempt, *run):
            deps.announcer.announce(study.id, "tracked")
            deps.wake_ups.wake_analysis()
    except TrackerUnavailable as error:
        log.log(error.level, "logging of %s is postponed: %s", study.id, error)
        _postponed(deps, study, backoff_s(attempt))
        return False
    except TrackerRefused as error:
        log.error("MLflow refused %s: %s", study.id, error)
        return _postponed(deps, study, MAX_BACKOFF_S)
    except StorageUnavailable as error:
        log.warning("logging of %s is postponed: %s", study.id, error)
        return _postponed(deps, study, backoff_s(attempt))
    except StoreUnavailable as error:
        log.warning("the run of %s will be recorded when its lease runs out: %s", study.id, error)
        return False
    except Exception:  # the one catch-all: an unexpected error in one study must not stop the others
        log.exception("%s could not be logged", study.id)
        return _postponed(deps, study, MAX_BACKOFF_S)
    return True


def _postponed(deps: StudyTrackingDeps, study: Study, delay_s: float) -> bool:
    try:
        deps.studies.postpone(Step.TRACKING, study.id, study.tracking.attempt, deps.clock() + delay_s)
    except StoreUnavailable as error:
        log.warning("%s will be tried again when its lease runs out: %s", study.id, error)
        return False
    return True


def _logged(deps: StudyTrackingDeps, tracker: StudyTracker, study: Study) -> Logged | None:
    """Return the run that the study is in now. None if there is nothing to log, or no run to add to."""
    if study.kind is Kind.EVALUATION:
        return _evaluation(deps, tracker, study)
    if study.result.status is not FacetStatus.DONE:
        return None
    return _comparison(deps, tracker, study) if study.kind is Kind.COMPARISON else _gate(deps, tracker, study)


def _evaluation(deps: StudyTrackingDeps, tracker: StudyTracker, study: Study) -> Logged | None:
    if study.run_id is None and study.result.status is FacetStatus.SKIPPED:
        return None  # canceled before a clip was logged
    run = deps.parents.run_of(study)
    files = items_table(EvaluationReader(deps.studies, deps.store).read(study))  # again: it names the clips' runs now
    files = {**files, **{path: data for path, data in _files(deps, study).items() if path in (LOCK, ENVIRONMENT)}}
    record = evaluation_record(study, tracker.limits)
    try:
        tracker.complete(run.run_id, record, files)
    except TrackerMissing:
        run = deps.parents.run_instead(study, run.run_id)
        tracker.complete(run.run_id, record, files)
    return run


def _comparison(deps: StudyTrackingDeps, tracker: StudyTracker, study: Study) -> Logged | None:
    _, candidate = _sides(deps, study)
    return _added(deps, tracker, candidate, _below(f"comparisons/{study.id}", _files(deps, study)), {})


def _gate(deps: StudyTrackingDeps, tracker: StudyTracker, study: Study) -> Logged | None:
    comparison = deps.studies.get(study.stands_on)[study.stands_on[0]]
    baseline, candidate = _sides(deps, comparison)
    if study.outcome is None:
        return None
    files = _below(f"gates/{study.id}", _files(deps, study))
    verdict = {"tts.gate.verdict": study.outcome["gate"]["verdict"], "tts.gate_id": study.id}
    against = {} if baseline.run_id is None else {"tts.baseline.run_id": baseline.run_id}
    return _added(deps, tracker, candidate, files, {**verdict, **against})


def _sides(deps: StudyTrackingDeps, comparison: Study) -> tuple[Study, Study]:
    found = deps.studies.get(comparison.stands_on)
    baseline, candidate = (found[id_] for id_ in comparison.stands_on)
    return baseline, candidate


def _added(
    deps: StudyTrackingDeps,
    tracker: StudyTracker,
    evaluation: Study,
    files: Mapping[str, bytes],
    tags: Mapping[str, str],
) -> Logged | None:
    """Add files and tags to the run of an evaluation. None if the evaluation has no run.

    If its run was permanently removed, the evaluation is logged again first.
    """
    if evaluation.run_id is None:
        return None
    run: Logged | None = Logged(evaluation.run_id, evaluation.run_url or "")
    try:
        tracker.add(evaluation.run_id, files, tags)
    except TrackerMissing:
        run = _evaluation(deps, tracker, evaluation)
        if run is not None:
            tracker.add(run.run_id, files, tags)
    return run


def _files(deps: StudyTrackingDeps, study: Study) -> Mapping[str, bytes]:
    named = (study.outcome or {}).get("files", {})
    return {path: deps.blobs.get(sha256) for path, sha256 in named.items()}


def _below(folder: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {f"{folder}/{path}": content for path, content in files.items()}
