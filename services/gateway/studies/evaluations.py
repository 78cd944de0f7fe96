"""Evaluations: a suite, a pin and seeds become one study and its jobs, in one transaction.

Owns the order: read the suite, check it against the pin, look for clips that were spoken before, commit, wake workers,
answer. Knows neither HTTP nor SQL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.gateway.http.json_bytes import as_json
from services.gateway.jobs.submit import ACCEPTED, Accepted, Intake, RequestKey, unless_replayed
from services.gateway.models.admission import Admission
from services.gateway.models.pins import resolve
from services.gateway.requests.job_schemas import read_shape
from services.gateway.requests.study_schemas import EvaluationRequest, Written
from services.gateway.studies.evaluation_jobs import ClipJob, Production, script_of
from services.gateway.studies.reuse import Reuse, identity_of
from services.gateway.studies.study_answers import accepted_study, evaluation_document
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.jobs import Job, NewJob
from shared.readings.lexicons import Lexicon
from shared.studies import OVER, Kind, NewStudy, StudyClip, StudyIds, StudyProgress
from shared.suites.document import suite_in
from shared.suites.errors import SuiteInvalid, SuiteUnknown
from shared.suites.reading import golden_suite, parse_suite
from shared.suites.suite import Suite


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An evaluation that can be accepted."""

    study: NewStudy
    jobs: Sequence[NewJob]
    """The jobs of its clips that were not spoken before."""
    progress: StudyProgress


class EvaluationIntake:
    """Accepts evaluations. For use from one event loop."""

    def __init__(self, intake: Intake, reuse: Reuse) -> None:
        self._intake = intake
        self._reuse = reuse
        self._ids = StudyIds(Kind.EVALUATION, intake.clock)

    async def accept(self, user: str, body: object, key: RequestKey | None) -> Accepted:
        """Accept an evaluation. Return its answer after a commit that survives power loss. Raises `Refused`.

        The caller must hold a slot of ``intake.checking``."""
        intake, in_thread = self._intake, self._intake.checking.in_thread
        try:
            request = await in_thread(lambda: read_shape(EvaluationRequest, body))
            admission = resolve(request.pin, user, await intake.pins.latest())
            suite = await in_thread(lambda: _suite(request.suite))
            named = await in_thread(lambda: [request.params, *(item.submission() for item in suite.items)])
            voices = await intake.voices.named(user, named)
            production = Production(self._ids.next(), user, intake.clock(), voices, intake.ids.next)
            async with intake.judging:
                prepared = await in_thread(lambda: self._prepare(request, suite, admission, production))
        except Refused as refusal:
            return await unless_replayed(intake, key, refusal)
        document = evaluation_document(accepted_study(prepared.study), prepared.progress, production.now)
        accepted = Accepted(ACCEPTED, await in_thread(lambda: as_json(document)), None)
        return await intake.commit(prepared.jobs, accepted, key, prepared.study)

    def _prepare(
        self, request: EvaluationRequest, suite: Suite, admission: Admission, production: Production
    ) -> _Prepared:
        asked = _asked(request, suite, admission)
        lines = script_of(request, suite, admission, production)
        identities = [identity_of(line.job, request.preprocessing) for line in lines]
        here = admission.manifest.environment
        spoken = {} if request.fresh else self._reuse.find(production.user, identities, here)
        clips = tuple(
            _clip(line, identity, spoken.get(identity)) for line, identity in zip(lines, identities, strict=True)
        )
        jobs = [line.job for line, clip in zip(lines, clips, strict=True) if not clip.cached]
        study = NewStudy(
            id=production.evaluation,
            user=production.user,
            kind=Kind.EVALUATION,
            asked=asked,
            stands_on=(),
            created_at=production.now,
            pin=admission.manifest.pin,
            lock_sha256=admission.manifest.lock_sha256,
            suite=suite.name,
            suite_sha256=asked["suite"]["sha256"],
            clips=clips,
        )
        return _Prepared(study, jobs, _progress(clips, spoken))


def _clip(line: ClipJob, identity: str, spoken: Job | None) -> StudyClip:
    job_id = line.job.id if spoken is None else spoken.id
    return StudyClip(line.item, line.seed, job_id, identity, cached=spoken is not None)


def _progress(clips: Sequence[StudyClip], spoken: Mapping[str, Job]) -> StudyProgress:
    """Return the progress of an evaluation at the moment it is accepted."""
    cached = sum(clip.cached for clip in clips)
    tracked = sum(clip.cached and spoken[clip.identity].tracking.status in OVER for clip in clips)
    return StudyProgress(len(clips), cached, spoken=cached, scored=cached, tracked=tracked, failed=0)


def _asked(request: EvaluationRequest, suite: Suite, admission: Admission) -> dict[str, Any]:
    manifest = admission.manifest
    return {
        "suite": suite.to_json(),
        "pin": manifest.pin,
        "alias": request.pin if request.pin != manifest.pin else None,
        "engine": manifest.engine,
        "lock_sha256": manifest.lock_sha256,
        "seeds": list(request.seeds),
        "score": list(request.score) if isinstance(request.score, tuple) else request.score,
        "params": request.params,
        "preprocessing": request.preprocessing,
        "lexicon": request.lexicon and _lexicon(request.lexicon.meant),
    }


def _lexicon(asked: Lexicon) -> dict[str, Any]:
    """Return a lexicon with its hash, as an evaluation keeps it."""
    return {**asked.to_json(), "sha256": asked.used.sha256}


def _suite(asked: str | Written | Mapping[str, Any]) -> Suite:
    """Return the suite that was sent in any of the three forms. Raises `Refused` with every fault if it is not a
    suite."""
    try:
        if isinstance(asked, str):
            return golden_suite(asked)
        if isinstance(asked, Written):
            return parse_suite(asked.text.encode(), f"suite.{asked.notation}")
        return suite_in(asked, at="/suite")
    except SuiteUnknown as error:
        raise Refused(RefusalCode.SUITE_UNKNOWN, str(error)) from None
    except SuiteInvalid as error:
        told = [FieldError("/suite/text", f"line {line}: {what}") for line, what in error.faults]
        raise InvalidRequest(told, RefusalCode.SUITE_INVALID) from None
