"""The jobs of an evaluation: every item of a suite with every seed.

Owns how an item becomes a job, and that everything in a suite that a pin cannot do is reported at once. Knows neither
HTTP nor store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from services.gateway.models.admission import Admission, Provenance
from services.gateway.requests.job_schemas import MAX_TTL_S, read_job
from services.gateway.requests.study_schemas import EvaluationRequest
from shared.catalog import Support
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.jobs import NewJob
from shared.readings.lexicons import Lexicon
from shared.studies import MOST_CLIPS
from shared.suites.preprocessing import preprocessed
from shared.suites.suite import Item, Suite
from shared.values.faults import MOST_FAULTS
from shared.voices import Voice


class ClipJob(NamedTuple):
    """An item at one seed, and the job that speaks it."""

    item: str
    seed: int
    job: NewJob


class Production(NamedTuple):
    """What the jobs get besides the request.

    ``now``: epoch seconds. ``voices``: the user's uploaded voices that the items name, by id."""

    evaluation: str
    user: str
    now: float
    voices: Mapping[str, Voice]
    next_id: Callable[[], str]


def script_of(request: EvaluationRequest, suite: Suite, admission: Admission, production: Production) -> list[ClipJob]:
    """Return the jobs item by item, each with all seeds. Raises `InvalidRequest` with all that the pin cannot do."""
    seeds = _seeds(request, suite, admission)
    lexicon = request.lexicon.meant if request.lexicon else None
    lines: list[ClipJob] = []
    faults = _Faults(request.params)
    faults.add_params(request.pin)
    for index, item in enumerate(suite.items):
        if faults.enough:
            break
        asked = request.params | _submission(item, request, production)
        try:
            for seed in seeds:
                body = asked if seed is None else {**asked, "seed": seed}
                lines.append(ClipJob(item.id, seed or 0, _admitted(body, admission, production, lexicon)))
        except Refused as refusal:
            faults.add(refusal, index, item)
    faults.check()
    return lines


def _seeds(request: EvaluationRequest, suite: Suite, admission: Admission) -> tuple[int | None, ...]:
    """Return the seeds. ``None``: the jobs name no seed, because the pin takes none.

    Raises `InvalidRequest` for too many clips, and for seeds that the pin does not support."""
    items, times = len(suite.items), len(request.seeds)
    if items * times > MOST_CLIPS:
        detail = f"{items} items with {times} seeds are {items * times} clips; at most {MOST_CLIPS} are allowed"
        raise InvalidRequest((FieldError("/seeds", detail),))
    if admission.manifest.support("seed") is not Support.UNSUPPORTED:
        return request.seeds
    if request.seeds != (0,):
        error = FieldError("/seeds", f"{admission.manifest.pin} does not support seed")
        raise InvalidRequest((error,), RefusalCode.CONTROL_UNSUPPORTED)
    return (None,)


def _submission(item: Item, request: EvaluationRequest, production: Production) -> dict[str, Any]:
    said = item.submission()
    if (judged := item.pronunciation) is not None:  # its target must be found in the text as it is spoken
        said["pronunciation"] = judged.to_json() | {"target": preprocessed(judged.target, request.preprocessing)}
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


def _admitted(body: dict[str, Any], admission: Admission, production: Production, lexicon: Lexicon | None) -> NewJob:
    # The lexicon is none of the body: with every clip it would be checked, and stored, once more.
    provenance = Provenance(production.next_id(), production.user, body, production.now, production.voices, lexicon)
    return admission.admit(read_job(body), provenance)


class _Faults:
    """Everything that a pin cannot do with the items. A fault of what holds for all items is reported once."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self._codes: set[RefusalCode] = set()
        self._errors: dict[FieldError, None] = {}

    @property
    def enough(self) -> bool:
        """Whether there are more faults than are reported."""
        return len(self._errors) > MOST_FAULTS

    def add_params(self, pin: str) -> None:
        """Add the faults of the parameters for all items, even if every item has values of its own: the parameters are
        stored."""
        try:
            read_job({**self._params, "text": "-", "pin": pin})
        except InvalidRequest as refusal:
            self._codes.add(refusal.code)
            for error in refusal.errors:
                self._errors[FieldError(f"/params{error.pointer}", error.detail)] = None

    def add(self, refusal: Refused, index: int, item: Item) -> None:
        self._codes.add(refusal.code)
        for error in refusal.errors if isinstance(refusal, InvalidRequest) else _of_voice(refusal):
            self._errors[self._placed(error, index, item)] = None

    def check(self) -> None:
        """Raise `InvalidRequest` if there are faults. Its code is theirs if all have the same code."""
        if self._errors:
            code = self._codes.pop() if len(self._codes) == 1 else RefusalCode.INVALID_REQUEST
            raise InvalidRequest(list(self._errors), code)

    def _placed(self, error: FieldError, index: int, item: Item) -> FieldError:
        """Return the same error with its pointer starting at the root of the evaluation."""
        member = error.pointer[1:].partition("/")[0]
        if member in item.submission():
            return FieldError(f"/suite/items/{index}{error.pointer}", f"item {item.id}: {error.detail}")
        return FieldError(f"/params{error.pointer}", error.detail) if member in self._params else error


def _of_voice(refusal: Refused) -> tuple[FieldError, ...]:
    return (FieldError("/reference", refusal.detail),)
