"""Compute what studies came to: claim, compute, record. Owns what is said to the store meanwhile.

Evaluations are summed up here; comparing and deciding happens in a child (judge.py). A child that is lost costs an
attempt, as a scorer does, and the study fails when that has happened too often; being told to stop costs none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from services.scorer.comparison.evaluated import Evaluated
from services.scorer.computed_before import (
    INPUTS,
    ComputedBefore,
    comparable_part,
    inputs_of_comparison,
    inputs_of_gate,
)
from services.scorer.evaluation_files import evaluation_files
from services.scorer.evaluation_summary import summary
from services.scorer.evaluations import Evaluations
from services.scorer.judge import GivenUp, Judge, JudgeFailed, JudgeRefused, Sides, Verdict
from services.scorer.judging_bench import JudgingBench
from services.scorer.noise_floors import NoiseFloors
from services.scorer.tracking_flow import backoff_s
from shared.errors import StoreUnavailable
from shared.jobs import FacetStatus
from shared.leases import kept
from shared.studies import Kind, Step, Study

log = logging.getLogger(__name__)


def run(bench: JudgingBench) -> None:
    """Answer a bell: compute what is due, one after the other, unless that is being done already."""
    bench.judges.work(lambda judge: _work(bench, judge))


def _work(bench: JudgingBench, judge: Judge) -> None:
    try:
        while not bench.stopping.is_set():
            study = bench.studies.claim(Step.RESULT, bench.holder, bench.lease_s, bench.clock())
            if study is None:
                return
            bench.bells.ring_judge()  # there may be more, and another scorer can look while this one computes
            compute(bench, judge, study)
    finally:
        judge.close()  # a child that waits costs memory, and the next study starts it in a second


def compute(bench: JudgingBench, judge: Judge, study: Study) -> None:
    """Compute one claimed study, keeping its lease meanwhile, and record what it came to."""
    try:
        over = _over(bench, judge, study)
    except StoreUnavailable as error:
        log.warning("%s is computed again once its lease has run out: %s", study.id, error)
        return
    if over:
        bench.announcer.announce(study.id, "result")
        bench.bells.ring_judge()


def _over(bench: JudgingBench, judge: Judge, study: Study) -> bool:
    """Whether the study is over by what was recorded here."""
    attempt = study.result.attempt

    def beat() -> bool:
        return bench.studies.beat(Step.RESULT, study.id, attempt, bench.lease_s, bench.clock())

    try:
        with kept(beat, bench.lease_s / 3) as lost:
            outcome = _outcome(bench, judge, study, lambda: lost.is_set() or bench.stopping.is_set())
        return bench.studies.finish(study.id, attempt, outcome, bench.clock())
    except GivenUp as error:
        log.info("%s is left to another: %s", study.id, error)
        bench.studies.postpone(Step.RESULT, study.id, attempt, bench.clock())
        return False
    except JudgeRefused as error:
        told = {"code": error.code, "message": str(error)}
        return bench.studies.fail(study.id, attempt, told, bench.clock())
    except StoreUnavailable:
        raise
    except Exception as error:  # the one seam: a study that nobody foresaw must not stop the others
        log.exception("%s could not be computed", study.id)
        return _failed(bench, study, error)


def _failed(bench: JudgingBench, study: Study, error: Exception) -> bool:
    """Whether the study is over by it; else it is tried again."""
    attempt, now = study.result.attempt, bench.clock()
    told = {"code": "scorer_error", "message": str(error) if isinstance(error, JudgeFailed) else repr(error)}
    after = bench.studies.lose(study.id, attempt, told, now + backoff_s(attempt), now)
    return after is not None and after.over


def _outcome(bench: JudgingBench, judge: Judge, study: Study, given_up: Callable[[], bool]) -> Mapping[str, Any]:
    match study.kind:
        case Kind.EVALUATION:
            verdict = _evaluation(bench, study)
        case Kind.COMPARISON:
            verdict = _comparison(bench, judge, study, given_up)
        case Kind.GATE:
            verdict = _gate(bench, judge, study, given_up)
    return {**verdict.outcome, "files": {path: bench.blobs.put(content) for path, content in verdict.files.items()}}


def _evaluation(bench: JudgingBench, study: Study) -> Verdict:
    evaluated = Evaluations(bench.studies, bench.store).read(study)
    outcome = summary(evaluated)
    pin_lock = bench.pin_lock(evaluated.pin, evaluated.lock_sha256)
    return Verdict(outcome, evaluation_files(evaluated, outcome["scorer_locks"], pin_lock))


def _comparison(bench: JudgingBench, judge: Judge, study: Study, given_up: Callable[[], bool]) -> Verdict:
    baseline, candidate = (_result(bench, id_) for id_ in study.stands_on)
    sides = _sides(bench, baseline, candidate)
    floors = NoiseFloors(bench.studies, bench.store).of(baseline)
    inputs = inputs_of_comparison(sides, floors, study)
    before = ComputedBefore(bench.studies, bench.blobs).find(study, inputs)
    if before is None:
        verdict = judge.compare(study.id, sides, floors, study.asked["allow"], given_up)
        outcome, files = verdict.outcome["comparison"], verdict.files
    else:
        outcome, files = before.outcome["comparison"], before.files
    for side, one in (("baseline", baseline), ("candidate", candidate)):
        outcome[side]["cached"] = sum(clip.cached for clip in bench.studies.clips(one.id))
    document = json.dumps(outcome, ensure_ascii=False, indent=1).encode()
    return Verdict({"comparison": outcome, INPUTS: inputs}, {**files, "comparison.json": document})


def _gate(bench: JudgingBench, judge: Judge, study: Study, given_up: Callable[[], bool]) -> Verdict:
    [comparison] = (_result(bench, id_) for id_ in study.stands_on)
    assert comparison.outcome is not None
    inputs = inputs_of_gate(comparison.outcome, study)
    before = ComputedBefore(bench.studies, bench.blobs).find(study, inputs)
    if before is not None:
        return Verdict(before.outcome, before.files)
    sides = _sides(bench, *(_result(bench, id_) for id_ in comparison.stands_on))
    verdict = judge.decide(study.id, comparison.outcome["comparison"], sides, study.asked["rules"], given_up)
    return Verdict({**verdict.outcome, INPUTS: inputs}, verdict.files)


def _sides(bench: JudgingBench, baseline: Study, candidate: Study) -> Sides:
    evaluations = Evaluations(bench.studies, bench.store)

    def side(study: Study) -> Evaluated:
        return comparable_part(evaluations.read(study))

    return Sides(side(baseline), side(candidate))


def _result(bench: JudgingBench, id_: str) -> Study:
    """What another study stands on. `JudgeRefused` where it came to nothing."""
    study = bench.studies.get([id_]).get(id_)
    if study is None:
        raise JudgeRefused("prerequisite_failed", f"{id_} is not there")
    if study.result.status is not FacetStatus.DONE:
        why = f"{study.error['code']}: {study.error['message']}" if study.error else "it was canceled"
        raise JudgeRefused("prerequisite_failed", f"{id_} has no result: {why}")
    return study
