"""What an evaluation lets be spoken: every item of a suite with every seed, as jobs.

Owns what becomes of an item on its way to a job, and that all that a pin cannot do with a suite is told at once. Knows
neither HTTP nor store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from services.gateway.admission import Admission, Provenance
from services.gateway.schemas import MAX_TTL_S, read_job
from services.gateway.study_schemas import EvaluationRequest
from shared.catalog import Support
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.jobs import NewJob
from shared.studies import MOST_CLIPS
from shared.suites.preprocessing import preprocessed
from shared.suites.suite import Item, Suite
from shared.voices import Voice

MOST_TOLD = 100
"""Of all that is wrong with a suite for a pin."""


class Line(NamedTuple):
    """An item at one seed, and the job that speaks it."""

    item: str
    seed: int
    job: NewJob


class Production(NamedTuple):
    """What the jobs get besides the request. ``voices``: the user's uploaded ones that the items name, by id."""

    evaluation: str
    user: str
    now: float
    voices: Mapping[str, Voice]
    next_id: Callable[[], str]


def script_of(request: EvaluationRequest, suite: Suite, admission: Admission, production: Production) -> list[Line]:
    """Item by item, each with all seeds. `InvalidRequest` where the pin cannot speak it so."""
    seeds = _seeds(request, suite, admission)
    lines: list[Line] = []
    faults = _Faults(request.params)
    for index, item in enumerate(suite.items):
        asked = request.params | _submission(item, request, production)
        try:
            for seed in seeds:
                body = asked if seed is None else {**asked, "seed": seed}
                lines.append(Line(item.id, seed or 0, _admitted(body, admission, production)))
        except Refused as refusal:
            faults.add(refusal, index, item)
    faults.check()
    return lines


def _seeds(request: EvaluationRequest, suite: Suite, admission: Admission) -> tuple[int | None, ...]:
    """``None``: not asked for, because the pin takes none."""
    items, times = len(suite.items), len(request.seeds)
    if items * times > MOST_CLIPS:
        detail = f"{items} items with {times} seeds are {items * times} clips, at most {MOST_CLIPS} are taken"
        raise InvalidRequest((FieldError("/seeds", detail),))
    if admission.manifest.support("seed") is not Support.UNSUPPORTED:
        return request.seeds
    if request.seeds != (0,):
        error = FieldError("/seeds", f"seed is unsupported by {admission.manifest.pin}")
        raise InvalidRequest((error,), RefusalCode.CONTROL_UNSUPPORTED)
    return (None,)


def _submission(item: Item, request: EvaluationRequest, production: Production) -> dict[str, Any]:
    said = item.submission()
    return {
        **said,
        "text": preprocessed(said["text"], request.preprocessing),
        "pin": request.pin,
        "score": list(request.score) if isinstance(request.score, tuple) else request.score,
        "priority": request.priority,
        "ttl_s": MAX_TTL_S,
        "timeout_s": request.timeout_s,
        "metadata": {"evaluation": production.evaluation, "item": item.id},
    }


def _admitted(body: dict[str, Any], admission: Admission, production: Production) -> NewJob:
    provenance = Provenance(production.next_id(), production.user, body, production.now, production.voices)
    return admission.admit(read_job(body), provenance)


class _Faults:
    """All that a pin cannot do with the items. What is said for all of them is told once."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._codes: set[RefusalCode] = set()
        self._errors: dict[FieldError, None] = {}

    def add(self, refusal: Refused, index: int, item: Item) -> None:
        self._codes.add(refusal.code)
        for error in refusal.errors if isinstance(refusal, InvalidRequest) else _of_voice(refusal):
            self._errors[self._placed(error, index, item)] = None

    def check(self) -> None:
        """`InvalidRequest` where there are any; its code is theirs where they agree."""
        if self._errors:
            told = list(self._errors)[:MOST_TOLD]
            if more := len(self._errors) - len(told):
                told.append(FieldError("/suite/items", f"and {more} more"))
            code = self._codes.pop() if len(self._codes) == 1 else RefusalCode.INVALID_REQUEST
            raise InvalidRequest(tuple(told), code)

    def _placed(self, error: FieldError, index: int, item: Item) -> FieldError:
        """The same, pointed at from the root of the evaluation."""
        member = error.pointer.split("/")[1]
        if member in item.submission():
            return FieldError(f"/suite/items/{index}{error.pointer}", f"item {item.id}: {error.detail}")
        return FieldError(f"/params{error.pointer}", error.detail) if member in self._params else error


def _of_voice(refusal: Refused) -> tuple[FieldError, ...]:
    return (FieldError("/reference", refusal.detail),)
