"""Studies as requests see them: whose may be seen, how long one waits for a result, and how new ones come to be.

Owns that. What an evaluation lets be spoken is `evaluations.py`'s; what a study comes to, a scorer's. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from services.gateway.answers import as_json
from services.gateway.schemas import read_shape
from services.gateway.study_answers import accepted_study, comparison_document, gate_document
from services.gateway.study_schemas import ComparisonRequest, GateRequest, Written
from services.gateway.submit import ACCEPTED, Accepted, Intake, RequestKey, unless_replayed
from services.gateway.waiting import Waiters, pause
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.gating.checking import read_rules
from shared.gating.rules import Rules, RulesInvalid
from shared.gating.toml_notation import default_rules, rules_from_toml
from shared.studies import STUDY_ID, Clip, Kind, NewStudy, Progress, Study, StudyFilter, StudyIds, StudyStore

_NOT_FOUND: Mapping[Kind, RefusalCode] = {
    Kind.EVALUATION: RefusalCode.EVALUATION_NOT_FOUND,
    Kind.COMPARISON: RefusalCode.COMPARISON_NOT_FOUND,
    Kind.GATE: RefusalCode.GATE_NOT_FOUND,
}
_NO_CLIPS = Progress(0, 0, 0, 0, 0, 0)
_FEW = 5
"""So many are held at a time: each has its suite and its result, of which a list shows nothing, and which are megabytes
where they are large."""

Document = Mapping[str, Any]


class StudyLook(NamedTuple):
    """A study at one moment; ``progress`` is of an evaluation."""

    study: Study
    progress: Progress


class Studies:
    """For use from one event loop."""

    def __init__(self, store: StudyStore, intake: Intake, waiters: Waiters) -> None:
        self._store = store
        self._intake = intake
        self._waiters = waiters
        self._ids = {kind: StudyIds(kind) for kind in Kind}

    async def look(self, user: str, kind: Kind, study_id: str) -> StudyLook:
        """The study now. Another user's is not found: that it exists is not theirs to know."""
        looks = await asyncio.to_thread(self._read, [study_id]) if STUDY_ID.fullmatch(study_id) else []
        if not looks or looks[0].study.user != user or looks[0].study.kind is not kind:
            raise Refused(_NOT_FOUND[kind], f"there is no {kind.value} {study_id[:40]}")
        return looks[0]

    async def wait(
        self, user: str, kind: Kind, study_id: str, seconds: float, gone: Callable[[], Awaitable[bool]]
    ) -> StudyLook:
        """The study once its result is there, or after ``seconds``. ``gone``: nobody waits any more."""
        until = time.monotonic() + seconds
        with self._waiters.watch(study_id) as changed:
            while True:
                look = await self.look(user, kind, study_id)
                left_s = until - time.monotonic()
                if look.study.over or left_s <= 0 or self._waiters.closing or await gone():
                    return look
                await pause(changed, left_s)

    async def find(self, wanted: StudyFilter, describe: Callable[[StudyLook], Document]) -> list[Document]:
        """Newest first, each as ``describe`` has it; that is called in a thread."""
        return await asyncio.to_thread(self._find, wanted, describe)

    async def clips(self, user: str, study_id: str) -> list[Clip]:
        """Of an evaluation."""
        look = await self.look(user, Kind.EVALUATION, study_id)
        return await asyncio.to_thread(self._store.clips, look.study.id)

    async def cancel(self, user: str, study_id: str) -> StudyLook:
        """Cancel an evaluation and its own jobs; one that is over stays as it is."""
        look = await self.look(user, Kind.EVALUATION, study_id)
        await asyncio.to_thread(self._store.cancel, look.study.id, self._intake.clock())
        self._waiters.wake(look.study.id)
        return await self.look(user, Kind.EVALUATION, study_id)

    async def compare(self, user: str, body: object, key: RequestKey | None) -> Accepted:
        """Accept a comparison of two evaluations, which need not be over."""
        try:
            asked = read_shape(ComparisonRequest, body)
            if asked.baseline == asked.candidate:
                raise InvalidRequest((FieldError("/candidate", "is the baseline: one evaluation differs in nothing"),))
            sides = [await self.look(user, Kind.EVALUATION, side) for side in (asked.baseline, asked.candidate)]
        except Refused as refusal:
            return await unless_replayed(self._intake, key, refusal)
        said = {"baseline": asked.baseline, "candidate": asked.candidate, "allow": list(asked.allow)}
        new = self._new(user, Kind.COMPARISON, said, [side.study.id for side in sides])
        return await self._commit(new, comparison_document(accepted_study(new)), key)

    async def gate(self, user: str, body: object, key: RequestKey | None) -> Accepted:
        """Accept a gate on a comparison, which need not be over."""
        try:
            asked = read_shape(GateRequest, body)
            rules = await asyncio.to_thread(_rules, asked.rules)
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

    def _read(self, ids: Sequence[str]) -> list[StudyLook]:
        return self._with_progress(list(self._store.get(ids).values()))

    def _find(self, wanted: StudyFilter, describe: Callable[[StudyLook], Document]) -> list[Document]:
        found: list[Document] = []
        while len(found) < wanted.limit:
            few = replace(wanted, limit=min(_FEW, wanted.limit - len(found)))
            looks = self._with_progress(self._store.find(few))
            found += map(describe, looks)
            if len(looks) < few.limit:
                break
            wanted = replace(wanted, before=looks[-1].study.id)
        return found

    def _with_progress(self, studies: Sequence[Study]) -> list[StudyLook]:
        ids = [study.id for study in studies if study.kind is Kind.EVALUATION]
        progress = self._store.progress(ids) if ids else {}
        return [StudyLook(study, progress.get(study.id, _NO_CLIPS)) for study in studies]


def _rules(asked: Written | Mapping[str, Any] | None) -> Rules:
    """Of any form; none are those that ship."""
    if asked is None:
        return default_rules()
    if not isinstance(asked, Written):
        return read_rules(asked, at="/rules")
    try:
        return rules_from_toml(asked.text)
    except RulesInvalid as invalid:
        # what stands in a file has a line; where even that is unknown, the pointer into the document helps
        errors = (FieldError("/rules/text", _in_file(error)) for error in invalid.errors)
        raise InvalidRequest(tuple(errors)) from None


def _in_file(error: FieldError) -> str:
    return error.detail if error.detail.startswith("line ") or not error.pointer else f"{error.pointer}: {error.detail}"
