"""Clips that were spoken before exactly as they are asked for now, and need not be spoken again.

Owns what makes two clips the same (their identity), and the other conditions for using a clip again: it was spoken in
the environment that would speak it now, and scored as it would be scored now. Knows no HTTP.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.catalog import canonical_json
from shared.jobs import Job, NewJob, SpeechInput
from shared.machine.environment import comparable
from shared.metric_families import families
from shared.ports import Blobs, JobStore
from shared.scores import Reason, Unscored
from shared.studies import SpokenBefore, StudyStore

_SCHEMA = 2
_DEFAULTS = SpeechInput(text="", language="").to_json()
PASSING = frozenset({Reason.MODEL_NOT_PULLED, Reason.SCORER_ERROR, Reason.SCORER_TIMEOUT})
"""Reasons for a missing value that may have passed: if it was measured again, the value might be there."""

Environment = Mapping[str, Any]


def identity_of(job: NewJob, preprocessing: str) -> str:
    """Return a hash of everything that decides a clip's samples and scores, except the environments.

    An uploaded voice counts by the sound of its recording, not by its id. A member at its default does not count: so a
    later version with one more member still finds the clips of this one."""
    used = job.input.to_json()
    heard = {id_: [one.pcm_sha256, one.sample_rate] for id_, one in job.input.recordings.items()}
    del used["recordings"], used["lexicon"]  # of a lexicon counts what it did to the text
    used["reference"] = heard.get(used["reference"])
    if used["emotion"] is not None and "audio" in used["emotion"]:
        used["emotion"]["audio"] = heard.get(used["emotion"]["audio"])
    asked = {name: value for name, value in used.items() if value != _DEFAULTS[name]}
    decides = {"engine": job.engine, "lock_sha256": job.lock_sha256, "input": asked, "preprocessing": preprocessing}
    return hashlib.sha256(canonical_json({"schema": _SCHEMA, **decides})).hexdigest()


class Reuse:
    """Finds such clips. Its methods block and may be called from any thread."""

    def __init__(self, jobs: JobStore, studies: StudyStore, blobs: Blobs) -> None:
        self._jobs = jobs
        self._studies = studies
        self._blobs = blobs

    def find(self, user: str, identities: Iterable[str], here: Environment | None) -> Mapping[str, Job]:
        """Return, by identity, the job of the newest clip that can be used again.

        ``here``: what can move a sample in the environment that would speak it now (a manifest's ``environment``).
        None: that is unknown, and no clip can be used."""
        known = self._studies.spoken_before(user, identities) if here is not None else {}
        if not known:
            return {}
        locks, places = self._studies.scorer_locks(), self._places(known.values())
        fitting = {
            identity: [one.job_id for one in takes if places.get(one.environment) == here and _is_of_now(one, locks)]
            for identity, takes in known.items()
        }
        jobs = self._jobs.get({job_id for ids in fitting.values() for job_id in ids})
        found = ((identity, self._first(jobs, ids, locks)) for identity, ids in fitting.items())
        return {identity: job for identity, job in found if job is not None}

    def _places(self, known: Iterable[Sequence[SpokenBefore]]) -> Mapping[str | None, Environment]:
        """Return, by id of an environment, the part of it that can move a sample."""
        ids = {take.environment for takes in known for take in takes if take.environment is not None}
        described = {id_: self._jobs.environment(id_) for id_ in ids}
        return {id_: comparable(environment) for id_, environment in described.items() if environment is not None}

    def _first(self, jobs: Mapping[str, Job], ids: Sequence[str], locks: Mapping[str, str]) -> Job | None:
        fitting = (jobs[id_] for id_ in ids if id_ in jobs and not _could_be_measured(jobs[id_], locks))
        return next((job for job in fitting if self._is_kept(job)), None)

    def _is_kept(self, job: Job) -> bool:
        try:
            return job.audio is not None and self._blobs.size(job.audio.pcm_sha256) >= 0
        except KeyError:
            return False


def _is_of_now(take: SpokenBefore, locks: Mapping[str, str]) -> bool:
    return all(locks.get(quantity) == lock for quantity, lock in take.scorer_locks.items())


def _names_where_pulled(said: SpeechInput) -> Iterator[str]:
    """Yield what is measured by default where it is pulled, if it applies to the clip."""
    for info in families().values():
        if info.where_pulled and (said.pronunciation is not None or not info.needs_pronunciation):
            yield from info.names


def _could_be_measured(job: Job, locks: Mapping[str, str]) -> bool:
    """Return whether a score is missing for a reason that may have passed: a scorer for it is there now."""
    if job.input.score is True and any(
        name in locks and name not in job.scores for name in _names_where_pulled(job.input)
    ):
        return True
    return any(
        isinstance(score, Unscored) and score.reason in PASSING and quantity in locks
        for quantity, score in job.scores.items()
    )
