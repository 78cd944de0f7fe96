"""Log studies: an evaluation completes its parent run, comparisons and gates add to the candidate's.

Owns where their files lie in a run and what is said to the store meanwhile. A server that is away delays this step and
nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from services.scorer.evaluation_files import ENVIRONMENT, LOCK
from services.scorer.evaluations import Evaluations
from services.scorer.items_table import items_table
from services.scorer.judging_bench import JudgingBench
from services.scorer.runs import Logged, StudyTracker, TrackerRefused, TrackerUnavailable
from services.scorer.study_records import evaluation_record
from services.scorer.tracking_flow import MAX_BACKOFF_S, backoff_s
from shared.errors import StoreUnavailable
from shared.jobs import FacetStatus
from shared.leases import kept
from shared.studies import Kind, Step, Study

log = logging.getLogger(__name__)


def run(bench: JudgingBench) -> None:
    """Answer a bell: log what is due, one after the other, until the server is away or it is time to stop."""
    if bench.trackers is not None:
        bench.trackers.work(lambda tracker: _work(bench, tracker))


def _work(bench: JudgingBench, tracker: StudyTracker) -> None:
    answers = True
    while answers and not bench.stopping.is_set():
        study = bench.studies.claim(Step.TRACKING, bench.holder, bench.lease_s, bench.clock())
        if study is None:
            return
        bench.bells.ring_judge()
        answers = track(bench, tracker, study)


def track(bench: JudgingBench, tracker: StudyTracker, study: Study) -> bool:
    """Log one claimed study, keeping its lease meanwhile, or postpone it. False: nobody answers for the next either."""
    attempt = study.tracking.attempt

    def beat() -> bool:
        return bench.studies.beat(Step.TRACKING, study.id, attempt, bench.lease_s, bench.clock())

    try:
        with kept(beat, bench.lease_s / 3):
            logged = _logged(bench, tracker, study)
        run = (None, None) if logged is None else (logged.run_id, logged.url)
        if bench.studies.finish_tracking(study.id, attempt, *run):
            bench.announcer.announce(study.id, "tracked")
            bench.bells.ring_judge()
    except TrackerUnavailable as error:
        log.warning("%s is logged later: %s", study.id, error)
        _postponed(bench, study, backoff_s(attempt))
        return False
    except TrackerRefused as error:
        log.error("%s was refused: %s", study.id, error)
        return _postponed(bench, study, MAX_BACKOFF_S)
    except StoreUnavailable as error:
        log.warning("%s is recorded once its lease has run out: %s", study.id, error)
        return False
    except Exception:  # the one seam: a study that nobody foresaw must not stop the others
        log.exception("%s could not be logged", study.id)
        return _postponed(bench, study, MAX_BACKOFF_S)
    return True


def _postponed(bench: JudgingBench, study: Study, delay_s: float) -> bool:
    try:
        bench.studies.postpone(Step.TRACKING, study.id, study.tracking.attempt, bench.clock() + delay_s)
    except StoreUnavailable as error:
        log.warning("%s is tried again once its lease has run out: %s", study.id, error)
        return False
    return True


def _logged(bench: JudgingBench, tracker: StudyTracker, study: Study) -> Logged | None:
    """The run that it is in now; None where there is nothing to log, or nowhere."""
    if study.kind is Kind.EVALUATION:
        return _evaluation(bench, tracker, study)
    if study.result.status is not FacetStatus.DONE:
        return None
    return _comparison(bench, tracker, study) if study.kind is Kind.COMPARISON else _gate(bench, tracker, study)


def _evaluation(bench: JudgingBench, tracker: StudyTracker, study: Study) -> Logged | None:
    assert bench.parents is not None, "there is a tracker"
    if study.run_id is None and study.result.status is FacetStatus.SKIPPED:
        return None  # canceled before a clip was logged
    run = bench.parents.run_of(study)
    files = items_table(Evaluations(bench.studies, bench.store).read(study))  # again: it names the clips' runs now
    kept_files = {path: content for path, content in _files(bench, study).items() if path in (LOCK, ENVIRONMENT)}
    tracker.complete(run.run_id, evaluation_record(study, tracker.limits), {**files, **kept_files})
    return run


def _comparison(bench: JudgingBench, tracker: StudyTracker, study: Study) -> Logged | None:
    _, candidate = _sides(bench, study)
    if candidate is not None:
        tracker.add(candidate.run_id, _below(f"comparisons/{study.id}", _files(bench, study)), {})
    return candidate


def _gate(bench: JudgingBench, tracker: StudyTracker, study: Study) -> Logged | None:
    comparison = bench.studies.get(study.stands_on)[study.stands_on[0]]
    baseline, candidate = _sides(bench, comparison)
    if candidate is None or study.outcome is None:
        return None
    files = _below(f"gates/{study.id}", _files(bench, study))
    verdict = {"tts.gate.verdict": study.outcome["gate"]["verdict"], "tts.gate_id": study.id}
    against = {} if baseline is None else {"tts.baseline.run_id": baseline.run_id}
    tracker.add(candidate.run_id, files, {**verdict, **against})
    return candidate


def _sides(bench: JudgingBench, comparison: Study) -> tuple[Logged | None, Logged | None]:
    found = bench.studies.get(comparison.stands_on)
    baseline, candidate = (found[id_] for id_ in comparison.stands_on)
    return _run(baseline), _run(candidate)


def _run(study: Study) -> Logged | None:
    return None if study.run_id is None else Logged(study.run_id, study.run_url or "")


def _files(bench: JudgingBench, study: Study) -> Mapping[str, bytes]:
    named = (study.outcome or {}).get("files", {})
    return {path: bench.blobs.get(sha256) for path, sha256 in named.items()}


def _below(folder: str, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return {f"{folder}/{path}": content for path, content in files.items()}
