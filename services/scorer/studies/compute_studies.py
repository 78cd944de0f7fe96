"""The flow that computes studies: claim, compute, record. Owns the calls to the store meanwhile.

Evaluations are summed up here; comparisons and gates are computed in a child (analyzer.py). A child that is lost costs
an attempt, as a lost scorer does, and the study fails after too many of them. Being told to stop costs no attempt.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.backoff import MAX_BACKOFF_S, backoff_s
from services.scorer.studies.analyzer import AnalysisFailed, AnalysisRefused, Analyzer, Computed, GivenUp, Sides
from services.scorer.studies.evaluation_files import evaluation_files
from services.scorer.studies.evaluation_summary import summary
from services.scorer.studies.evaluations import EvaluationReader
from services.scorer.studies.noise_floors import NoiseFloors
from services.scorer.studies.result_cache import (
    INPUTS,
    ResultCache,
    comparable_part,
    inputs_of_comparison,
    inputs_of_gate,
)
from services.scorer.studies.study_deps import StudyDeps
from shared.errors import StoreUnavailable
from shared.files.machine_trouble import of_the_machine
from shared.jobs import FacetStatus
from shared.scheduling.leases import kept
from shared.scheduling.slots import Slots
from shared.studies import Kind, Step, Study
from shared.suites.document import DocumentInvalid

HINDERED_S = 15.0
"""Seconds until another try of a study that could not be computed for want of a disk or a process. Costs no attempt."""

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class ComputeDeps(StudyDeps):
    """What studies are computed with. ``analyzers`` has one place, so that one study is computed at a time."""

    analyzers: Slots[Analyzer]
    pin_lock: Callable[[str, str], Mapping[str, Any] | None]
    """Returns the lock of a pin by the pin's name and the lock's SHA-256, or None if it is not at hand."""


def run(deps: ComputeDeps) -> None:
    """Answer a wake-up: compute what is due, one study after another, unless another thread does so already."""
    deps.analyzers.work(lambda analyzer: _work(deps, analyzer))


def _work(deps: ComputeDeps, analyzer: Analyzer) -> None:
    try:
        while not deps.stopping.is_set():
            study = deps.studies.claim(Step.RESULT, deps.holder, deps.lease_s, deps.clock())
            if study is None:
                return
            deps.wake_ups.wake_analysis()  # there may be more: another scorer can claim it while this one computes
            compute(deps, analyzer, study)
    finally:
        analyzer.close()  # an idle child costs memory, and starting one takes a second


def compute(deps: ComputeDeps, analyzer: Analyzer, study: Study) -> None:
    """Compute one claimed study, keeping its lease meanwhile, and record the result."""
    try:
        over = _over(deps, analyzer, study)
    except StoreUnavailable as error:
        log.warning("%s will be computed again when its lease runs out: %s", study.id, error)
        return
    # Only after the commit: it makes dependent studies due, and the wake-up makes a scorer look for them.
    if over:
        deps.announcer.announce(study.id, "result")
        deps.wake_ups.wake_analysis()


def _over(deps: ComputeDeps, analyzer: Analyzer, study: Study) -> bool:
    """Compute and record one study. Return True if this call ended it, False if it is tried again or the lease was
    lost."""
    attempt = study.result.attempt

    def beat() -> bool:
        return deps.studies.beat(Step.RESULT, study.id, attempt, deps.lease_s, deps.clock())

    try:
        with kept(beat, deps.lease_s / 3) as lost:
            outcome = _outcome(deps, analyzer, study, lambda: lost.is_set() or deps.stopping.is_set())
        return deps.studies.finish(study.id, attempt, outcome, deps.clock())
    except GivenUp as error:
        log.info("%s is handed back for another scorer: %s", study.id, error)
        deps.studies.postpone(Step.RESULT, study.id, attempt, deps.clock())
        return False
    except DocumentInvalid as error:  # the gateway that accepted it is of a newer version than this scorer
        log.error("%s needs a newer version of the scorer: %s", study.id, error)
        deps.studies.postpone(Step.RESULT, study.id, attempt, deps.clock() + MAX_BACKOFF_S)
        return False
    except AnalysisRefused as error:
        told = {"code": error.code, "message": str(error)}
        return deps.studies.fail(study.id, attempt, told, deps.clock())
    except Exception as error:  # the one catch-all: an unexpected error in one study must not stop the others
        if of_the_machine(error):
            log.warning("computing %s is postponed: %s", study.id, error)
            deps.studies.postpone(Step.RESULT, study.id, attempt, deps.clock() + HINDERED_S)
            return False
        if isinstance(error, StoreUnavailable):
            raise
        log.exception("%s could not be computed", study.id)
        return _failed(deps, study, error)


def _failed(deps: ComputeDeps, study: Study, error: Exception) -> bool:
    """Record a lost attempt. Return True if the study has failed by it, False if it is tried again."""
    attempt, now = study.result.attempt, deps.clock()
    told = {"code": "scorer_error", "message": str(error) if isinstance(error, AnalysisFailed) else repr(error)}
    after = deps.studies.lose(study.id, attempt, told, now + backoff_s(attempt), now)
    return after is not None and after.over


def _outcome(deps: ComputeDeps, analyzer: Analyzer, study: Study, given_up: Callable[[], bool]) -> Mapping[str, Any]:
    match study.kind:
        case Kind.EVALUATION:
            verdict = _evaluation(deps, study)
        case Kind.COMPARISON:
            verdict = _comparison(deps, analyzer, study, given_up)
        case Kind.GATE:
            verdict = _gate(deps, analyzer, study, given_up)
    return {**verdict.outcome, "files": {path: deps.blobs.put(content) for path, content in verdict.files.items()}}


def _evaluation(deps: ComputeDeps, study: Study) -> Computed:
    evaluated = EvaluationReader(deps.studies, deps.store).read(study)
    outcome = summary(evaluated)
    pin_lock = deps.pin_lock(evaluated.pin, evaluated.lock_sha256)
    return Computed(outcome, evaluation_files(evaluated, outcome["scorer_locks"], pin_lock))


def _comparison(deps: ComputeDeps, analyzer: Analyzer, study: Study, given_up: Callable[[], bool]) -> Computed:
    baseline, candidate = (_result(deps, id_) for id_ in study.stands_on)
    sides = _sides(deps, baseline, candidate)
    floors = NoiseFloors(deps.studies, deps.store).of(baseline)
    inputs = inputs_of_comparison(sides, floors, study)
    before = ResultCache(deps.studies, deps.blobs).find(study, inputs)
    if before is None:
        verdict = analyzer.compare(study.id, sides, floors, study.asked["allow"], given_up)
        outcome, files = verdict.outcome["comparison"], verdict.files
    else:
        outcome, files = before.outcome["comparison"], before.files
    for side, one in (("baseline", baseline), ("candidate", candidate)):
        outcome[side]["cached"] = sum(clip.cached for clip in deps.studies.clips(one.id))
    document = json.dumps(outcome, ensure_ascii=False, indent=1).encode()
    return Computed({"comparison": outcome, INPUTS: inputs}, {**files, "comparison.json": document})


def _gate(deps: ComputeDeps, analyzer: Analyzer, study: Study, given_up: Callable[[], bool]) -> Computed:
    [comparison] = (_result(deps, id_) for id_ in study.stands_on)
    assert comparison.outcome is not None
    inputs = inputs_of_gate(comparison.outcome, study)
    before = ResultCache(deps.studies, deps.blobs).find(study, inputs)
    if before is not None:
        return Computed(before.outcome, before.files)
    sides = _sides(deps, *(_result(deps, id_) for id_ in comparison.stands_on))
    verdict = analyzer.decide(study.id, comparison.outcome["comparison"], sides, study.asked["rules"], given_up)
    return Computed({**verdict.outcome, INPUTS: inputs}, verdict.files)


def _sides(deps: ComputeDeps, baseline: Study, candidate: Study) -> Sides:
    evaluations = EvaluationReader(deps.studies, deps.store)

    def side(study: Study) -> Evaluated:
        return comparable_part(evaluations.read(study))

    return Sides(side(baseline), side(candidate))


def _result(deps: ComputeDeps, id_: str) -> Study:
    """Return a study that another depends on. Raises `AnalysisRefused` if it is gone or has no result."""
    study = deps.studies.get([id_]).get(id_)
    if study is None:
        raise AnalysisRefused("prerequisite_failed", f"{id_} does not exist")
    if study.result.status is not FacetStatus.DONE:
        why = f"{study.error['code']}: {study.error['message']}" if study.error else "it was canceled"
        raise AnalysisRefused("prerequisite_failed", f"{id_} has no result: {why}")
    return study
