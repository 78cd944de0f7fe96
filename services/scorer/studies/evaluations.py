"""Reads an evaluation from the store into the table that is summed up, compared and shown.

Owns what the table says where a value is missing: a clip that was not spoken has every quantity that was asked for,
unscored. Reads rows; writes none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.scorer.analysis.comparison.evaluated import Evaluated, SpokenClip
from services.scorer.analysis.comparison.quantities import is_cost
from shared.catalog import Manifest
from shared.jobs import Job, Status
from shared.metric_families import families
from shared.ports import JobStore
from shared.readings.lexicons import LexiconUsed
from shared.scores import Reason, Scored, Unscored
from shared.studies import Study, StudyClip, StudyStore
from shared.suites.document import suite_in
from shared.suites.preprocessing import NONE


@dataclass(frozen=True)
class EvaluationReader:
    """Reads evaluations with all their clips."""

    studies: StudyStore
    jobs: JobStore

    def read(self, study: Study) -> Evaluated:
        """Return the evaluation as it is now; it is complete once the study is over."""
        clips = self.studies.clips(study.id)
        jobs = self.jobs.get([clip.job_id for clip in clips])
        spoken = _spoken(clips, jobs, _score(study))
        asked = study.asked
        manifest = self._manifest(asked["pin"], asked["lock_sha256"])
        return Evaluated(
            id=study.id,
            pin=asked["pin"],
            engine=asked["engine"],
            lock_sha256=asked["lock_sha256"],
            suite=suite_in(asked["suite"]),
            seeds=tuple(asked["seeds"]),
            score=_score(study),
            params=asked["params"],
            preprocessing=asked["preprocessing"],
            lexicon=LexiconUsed.from_json(asked["lexicon"]).label if asked.get("lexicon") else NONE,
            clips=spoken,
            environments=self._environments(spoken),
            licence=manifest.licence if manifest else "",
            run_id=study.run_id,
            run_url=study.run_url,
            controls={name: how.value for name, how in manifest.controls.items()} if manifest else {},
        )

    def _manifest(self, pin: str, lock_sha256: str) -> Manifest | None:
        """Return the manifest that was published for this pin with this lock. One for another lock says nothing about
        it."""
        published = (manifest for manifest, _ in self.jobs.manifests())
        return next((one for one in published if (one.pin, one.lock_sha256) == (pin, lock_sha256)), None)

    def _environments(self, clips: Sequence[SpokenClip]) -> Mapping[str, Mapping[str, Any]]:
        ids = sorted({clip.environment for clip in clips if clip.environment is not None})
        described = {id_: self.jobs.environment(id_) for id_ in ids}
        return {id_: environment for id_, environment in described.items() if environment is not None}


def asked_for(score: bool | Collection[str], given: Collection[str] = ()) -> tuple[str, ...]:
    """Return the quantities that a job's ``score`` asks for. An unknown family is listed by its own name.

    ``given``: those that some clip has. By default, what is measured only where its weights are is asked for if a clip
    has it.
    """
    infos = families()
    if isinstance(score, bool):
        default = [info for info in infos.values() if score and info.default]
        return tuple(name for info in default for name in info.names if name in given or not info.where_pulled)
    known = [infos[family].names if family in infos else (family,) for family in score]
    return tuple(name for names in known for name in names)


def _score(study: Study) -> bool | tuple[str, ...]:
    score = study.asked["score"]
    return score if isinstance(score, bool) else tuple(score)


def _spoken(
    clips: Sequence[StudyClip], jobs: Mapping[str, Job], score: bool | Collection[str]
) -> tuple[SpokenClip, ...]:
    # A cost is expected only if some clip has it: without a GPU, no clip lacks the memory of one.
    given = {name for clip in clips if clip.job_id in jobs for name in jobs[clip.job_id].scores}
    expected = [name for name in asked_for(score, given) if name in given or not is_cost(name)]
    return tuple(_clip(clip, jobs.get(clip.job_id), expected) for clip in clips)


def _clip(clip: StudyClip, job: Job | None, expected: Sequence[str]) -> SpokenClip:
    audio = job.audio if job else None
    return SpokenClip(
        item=clip.item,
        seed=clip.seed,
        job_id=clip.job_id,
        cached=clip.cached,
        scores=dict(_scores(job, expected)),
        pcm_sha256=audio.pcm_sha256 if audio else None,
        sample_rate=audio.sample_rate if audio else None,
        duration_s=audio.duration_s if audio else None,
        environment=job.environment if job else None,
        run_id=job.run_id if job else None,
        error=_error(job),
    )


def _scores(job: Job | None, expected: Sequence[str]) -> Iterator[tuple[str, Scored]]:
    if job is not None and job.scores:
        yield from job.scores.items()
        return
    spoken = job is not None and job.audio is not None
    missing = Unscored(Reason.SCORER_ERROR, "scoring failed") if spoken else Unscored(Reason.NOT_SPOKEN)
    for name in expected:
        if job is None or job.input.pronunciation is not None or not _needs_pronunciation(name):
            yield name, missing


def _needs_pronunciation(name: str) -> bool:
    return any(info.needs_pronunciation and name in info.names for info in families().values())


def _error(job: Job | None) -> str | None:
    if job is None:
        return "the job no longer exists"
    if job.status is Status.SUCCEEDED:
        return None
    return f"{job.error.code.value}: {job.error.message}" if job.error else job.status.value
