"""Studies for the tests of the store, and the way of an evaluation's clips: what a test does not care about."""

from __future__ import annotations

from typing import Any

from shared.jobs import Job
from shared.ports import FacetName, Idempotency, JobStore, Submission
from shared.scores import Reason, Score, Scored, Unscored
from shared.studies import Kind, NewStudy, Step, Study, StudyClip, StudyStore
from tests.shared.store.building import LEASE_S, NOW, PIN, claim, new_job, result

EVALUATION, COMPARISON, GATE = "eval_1", "cmp_1", "gate_1"
OUTCOME = {"metrics": {"mos/dnsmos_ovrl": {"mean": 3.25, "n": 2}}, "files": {"items.jsonl": "d" * 64}}
ERROR = {"code": "not_comparable", "message": "the suites differ"}
SCORES: dict[str, Scored] = {
    "mos/dnsmos_ovrl": Score(3.25, "MOS", "dnsmos-lock"),
    "asr/wer": Unscored(Reason.LANGUAGE_NOT_COVERED, "zh"),
}


def own(number: int, *, identity: str | None = None) -> StudyClip:
    """A clip that ``job_<number>`` is to speak."""
    return StudyClip(f"item-{number}", 0, f"job_{number}", identity or f"identity {number}")


def cached(number: int, *, of_job: int) -> StudyClip:
    """A clip that another evaluation's job has spoken."""
    return StudyClip(f"item-{number}", 0, f"job_{of_job}", f"identity {of_job}", cached=True)


def new_evaluation(*clips: StudyClip, id: str = EVALUATION, **changes: Any) -> NewStudy:
    """``changes`` are members of ``NewStudy``."""
    given: dict[str, Any] = {
        "user": "ann",
        "asked": {"pin": PIN, "seeds": [0], "suite": {"items": [{"text": "今天的阳光真灿烂!"}]}, "params": {}},
        "created_at": NOW,
        "pin": PIN,
        "lock_sha256": "a" * 64,
        "suite": "golden-zh-emotion",
        "suite_sha256": "e" * 64,
        **changes,
    }
    return NewStudy(id=id, kind=Kind.EVALUATION, stands_on=(), clips=clips, **given)


def new_comparison(*stands_on: str, id: str = COMPARISON, kind: Kind = Kind.COMPARISON, **changes: Any) -> NewStudy:
    """Of two evaluations; a gate on one comparison by its ``kind``."""
    given: dict[str, Any] = {"user": "ann", "asked": {"allow": []}, "created_at": NOW, **changes}
    return NewStudy(id=id, kind=kind, stands_on=stands_on, **given)


def evaluate(
    store: JobStore, *clips: StudyClip, score: bool = True, idempotency: Idempotency | None = None, **changes: Any
) -> bool:
    """Add an evaluation with the jobs of its own clips."""
    evaluation = new_evaluation(*clips, **changes)
    jobs = [new_job(clip.job_id, score=score, user=evaluation.user) for clip in clips if not clip.cached]
    return store.add([Submission(jobs, idempotency, evaluation)]) == [True]


def add_study(store: JobStore, new: NewStudy) -> None:
    """Add a study that has no jobs."""
    assert store.add([Submission([], study=new)]) == [True]


def speak_all(store: JobStore, now: float = NOW) -> list[Job]:
    """Take every queued job to succeeded."""
    taken = claim(store, now, at_most=100)
    for job in taken:
        assert store.begin(job.id, job.attempt)
        assert store.finish(job.id, job.attempt, result(), now)
    return taken


def score_all(store: JobStore, now: float = NOW) -> None:
    """Take every job that is spoken to scored."""
    for job in store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, now, limit=100):
        assert store.finish_scoring(job.id, job.scoring.attempt, SCORES, "lock", 0.5)


def track_all(store: JobStore, now: float = NOW) -> None:
    """Take every job that is scored to tracked."""
    for job in store.claim_facet(FacetName.TRACKING, "tracker", LEASE_S, now, limit=100):
        assert store.finish_tracking(job.id, job.tracking.attempt, f"run of {job.id}", "url")


def finish_jobs(store: JobStore, now: float = NOW) -> None:
    """Take every queued job to tracked."""
    speak_all(store, now)
    score_all(store, now)
    track_all(store, now)


def take(studies: StudyStore, step: Step, now: float = NOW) -> Study | None:
    """Claim a step as a scorer."""
    return studies.claim(step, "scorer", LEASE_S, now)


def finish_results(studies: StudyStore, now: float = NOW) -> list[str]:
    """Compute every result that is due, also those that become due meanwhile; their ids in that order."""
    finished = []
    while (study := take(studies, Step.RESULT, now)) is not None:
        assert studies.finish(study.id, study.result.attempt, OUTCOME, now)
        finished.append(study.id)
    return finished


def study(studies: StudyStore, id: str = EVALUATION) -> Study:
    """The study as it is now."""
    return studies.get([id])[id]
