"""Studies as requests see them: which ones a user may see, how long a request waits for a result, and how new ones are
made.

Owns that. `evaluations.py` owns what an evaluation speaks; a scorer computes the result of a study. Knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from services.gateway.http.json_bytes import as_json, as_part
from services.gateway.jobs.listing import Part, listed
from services.gateway.jobs.submit import ACCEPTED, Accepted, Intake, RequestKey, RunInTurn, unless_replayed
from services.gateway.requests.job_schemas import read_shape
from services.gateway.requests.study_schemas import ComparisonRequest, GateRequest, Written
from services.gateway.sharing.pools import Pools
from services.gateway.sharing.waiting import Waiters, WaitState
from services.gateway.studies.study_answers import accepted_study, comparison_document, gate_document
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.gating.checking import read_rules
from shared.gating.rules import Rules, RulesInvalid
from shared.gating.toml_notation import default_rules, rules_from_toml
from shared.metric_families import families
from shared.ports import JobStore
from shared.studies import STUDY_ID, Kind, NewStudy, Study, StudyClip, StudyFilter, StudyIds, StudyProgress, StudyStore

_NOT_FOUND: Mapping[Kind, RefusalCode] = {
    Kind.EVALUATION: RefusalCode.EVALUATION_NOT_FOUND,
    Kind.COMPARISON: RefusalCode.COMPARISON_NOT_FOUND,
    Kind.GATE: RefusalCode.GATE_NOT_FOUND,
}
_NO_CLIPS = StudyProgress(0, 0, 0, 0, 0, 0)
_FEW = 5
"""So many studies are in memory at a time. Each has its suite and its result, which a list does not show, and which can
take megabytes."""

Document = Mapping[str, Any]
T = TypeVar("T")


class StudyLook(NamedTuple):
    """A study at one moment. ``progress``: of an evaluation; zeros for other studies."""

    study: Study
    progress: StudyProgress


class Studies:
    """Reads, lists, cancels and accepts studies. For use from one event loop."""

    def __init__(self, store: StudyStore, lists: StudyStore, intake: Intake, waiters: Waiters, pools: Pools) -> None:
        self._store, self._lists = store, lists
        self._intake = intake
        self._waiters = waiters
        self._pools = pools
        self._ids = {kind: StudyIds(kind, intake.clock) for kind in Kind}

    async def look(self, user: str, kind: Kind, study_id: str) -> StudyLook:
        """Return the study as it is now.

        Raises `Refused` (not found) also for another user's study: a user must not learn that it exists."""
        return await self._read(user, kind, study_id, lambda look: look)

    async def document(self, user: str, kind: Kind, study_id: str, describe: Callable[[StudyLook], Document]) -> bytes:
        """Return the study as it is now, as JSON of what ``describe`` makes of it. It may be large, so a thread does
        that."""
        return await self._read(user, kind, study_id, lambda look: as_json(describe(look)), same=(kind, study_id))

    async def wait(self, user: str, study_id: str, seconds: float, gone: Callable[[], Awaitable[bool]]) -> None:
        """Wait until its result is there, or for ``seconds``. Returns at once if it is not this user's or does not
        exist.

        ``gone``: tells whether the client has left. Raises `Refused` (`rate_limited`) if too many requests wait."""
        if STUDY_ID.fullmatch(study_id):
            await self._waiters.until_over(user, study_id, seconds, gone)

    async def find(self, wanted: StudyFilter, describe: Callable[[StudyLook], Document]) -> list[Part]:
        """Return the studies that match, newest first, each as ``describe`` makes it. ``describe`` is called in a
        thread."""
        return await listed(self._pools.listing, wanted.user, lambda: self._find(wanted, describe))

    async def clips(self, user: str, study_id: str, describe: Callable[[StudyClip], Document]) -> list[object]:
        """Return the clips of an evaluation, each as ``describe`` makes it. ``describe`` is called in a thread."""
        look = await self.look(user, Kind.EVALUATION, study_id)
        clips = self._lists.clips
        return await listed(
            self._pools.listing, user, lambda: [as_part(describe(clip)) for clip in clips(look.study.id)]
        )

    async def cancel(self, user: str, study_id: str) -> StudyLook:
        """Cancel an evaluation and its own jobs. Return it as it is then. An evaluation that is over stays as it is."""
        look = await self.look(user, Kind.EVALUATION, study_id)
        await self._pools.asking.run(user, lambda: self._store.cancel(look.study.id, self._intake.clock()))
        self._waiters.wake(look.study.id)
        return await self.look(user, Kind.EVALUATION, study_id)

    async def compare(self, user: str, body: object, key: RequestKey | None, run: RunInTurn | None) -> Accepted:
        """Accept a comparison of two evaluations, which need not be over. Raises `Refused`."""
        try:
            read = partial(read_shape, ComparisonRequest, body)
            asked = await run(read) if run else read()
            if asked.baseline == asked.candidate:
                raise InvalidRequest((FieldError("/candidate", "must be another evaluation than the baseline"),))
            sides = [await self.look(user, Kind.EVALUATION, side) for side in (asked.baseline, asked.candidate)]
        except Refused as refusal:
            return await unless_replayed(self._intake, key, refusal)
        said = {"baseline": asked.baseline, "candidate": asked.candidate, "allow": list(asked.allow)}
        new = self._new(user, Kind.COMPARISON, said, [side.study.id for side in sides])
        return await self._commit(new, comparison_document(accepted_study(new)), key)

    async def gate(self, user: str, body: object, key: RequestKey | None) -> Accepted:
        """Accept a gate on a comparison, which need not be over. Raises `Refused`."""
        try:
            asked, rules = await self._pools.checking.run(user, lambda: _asked(body))
            comparison = await self.look(user, Kind.COMPARISON, asked.comparison)
        except Refused as refusal:
            return await unless_replayed(self._intake, key, refusal)
        said = {"comparison": asked.comparison, "rules": rules.to_json()}
        new = self._new(user, Kind.GATE, said, [comparison.study.id])
        return await self._commit(new, gate_document(accepted_study(new)), key)

    def _new(self, user: str, kind: Kind, asked: Mapping[str, Any], stands_on: Sequence[str]) -> NewStudy:
        return NewStudy(self._ids[kind].next(), user, kind, asked, tuple(stands_on), self._intake.clock())

    async def _commit(self, new: NewStudy, document: Mapping[str, Any], key: RequestKey | None) -> Accepted:
        return await self._intake.commit([], Accepted(ACCEPTED, as_json(document), None), key, new)

    async def _read(
        self, user: str, kind: Kind, study_id: str, make: Callable[[StudyLook], T], same: Hashable = None
    ) -> T:
        """Return what ``make`` makes of the study, in a thread.

        Calls of one user with an equal ``same`` share one read. Raises `Refused` if the user has no such study."""

        def read() -> T:
            study = self._store.get([study_id]).get(study_id)
            if study is None or study.user != user or study.kind is not kind:
                raise not_found
            return make(self._with_progress(self._store, [study])[0])

        not_found = Refused(_NOT_FOUND[kind], f"there is no {kind.value} {study_id[:40]}")
        if STUDY_ID.fullmatch(study_id) is None:
            raise not_found
        return await self._pools.asking.run(user, read, same)

    def _find(self, wanted: StudyFilter, describe: Callable[[StudyLook], Document]) -> list[Part]:
        found: list[Part] = []
        while len(found) < wanted.limit:
            few = replace(wanted, limit=min(_FEW, wanted.limit - len(found)))
            looks = self._with_progress(self._lists, self._lists.find(few))
            found += (Part(look.study.id, as_part(describe(look))) for look in looks)
            if len(looks) < few.limit:
                break
            wanted = replace(wanted, before=looks[-1].study.id)
        return found

    @staticmethod
    def _with_progress(store: StudyStore, studies: Sequence[Study]) -> list[StudyLook]:
        ids = [study.id for study in studies if study.kind is Kind.EVALUATION]
        progress = store.progress(ids) if ids else {}
        return [StudyLook(study, progress.get(study.id, _NO_CLIPS)) for study in studies]


def states_of(ids: Sequence[str], jobs: JobStore, studies: StudyStore) -> dict[str, WaitState]:
    """Return the states of jobs and studies by id. An id that does not exist is absent. Blocks."""
    of_studies = [id_ for id_ in ids if STUDY_ID.fullmatch(id_)]
    of_jobs = list(set(ids).difference(of_studies))
    states: dict[str, WaitState] = dict(jobs.states(of_jobs)) if of_jobs else {}
    return states | (studies.states(of_studies) if of_studies else {})


def _asked(body: object) -> tuple[GateRequest, Rules]:
    asked = read_shape(GateRequest, body)
    return asked, _rules(asked.rules)


def _rules(asked: Written | Mapping[str, Any] | None) -> Rules:
    """Return the rules that were sent in any form; None means the rules that ship."""
    if asked is None:
        return default_rules()
    metrics = {name for info in families().values() for name in info.names}
    if not isinstance(asked, Written):
        return read_rules(asked, at="/rules", metrics=metrics)
    try:
        return rules_from_toml(asked.text, metrics)
    except RulesInvalid as invalid:
        # a fault in a file has a line; where the line is unknown, the pointer into the document helps
        errors = (FieldError("/rules/text", _in_file(error)) for error in invalid.errors)
        raise InvalidRequest(tuple(errors)) from None


def _in_file(error: FieldError) -> str:
    return error.detail if error.detail.startswith("line ") or not error.pointer else f"{error.pointer}: {error.detail}"
