"""The form of requests for evaluations, comparisons and gates, with every wrong field reported at once.

Owns the form. `evaluation_jobs.py` decides what a pin can do with the items of a suite, and the scorer what may be
compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from services.gateway.requests.job_schemas import (
    MAX_TIMEOUT_S,
    JobRequest,
    Priority,
    ScoreSchema,
    asked_to_score,
)
from services.gateway.requests.speech_members import LexiconRequest, Name, RequestShape
from services.gateway.requests.values import named, wrong
from shared.controls import MAX_SEED, SEED, VALUES
from shared.studies import MOST_SEEDS
from shared.suites.preprocessing import NONE, PreprocessingUnknown, preprocessing_called
from shared.values.numbers import as_whole

_VALUES = {one.name: one.neutral for one in VALUES if one is not SEED}
PARAMS = ("voice", "reference", *_VALUES, "sample_rate", "options")
"""Members of a job's submission that may be given for all items. An item that gives one itself keeps its own."""
ALLOWABLE = ("suite", "scorers", "preprocessing", "lexicon", "seeds", "params", "environment")
"""What two evaluations may differ in, if the user insists. The scorer knows what each of these means."""
_PARAM_DEFAULTS: dict[str, Any] = {**_VALUES, "options": {}}


class Written(NamedTuple):
    """The text of a file. Faults in it are reported by line."""

    notation: str
    text: str


Document = str | Written | dict[str, Any] | None


def _document(what: str, notations: Sequence[str], *, named: bool) -> Callable[[object], Document]:
    """Return a reader of ``{notation, text}`` or a document.

    ``named``: it also takes the name of a document that ships; otherwise it takes null."""

    def read(value: object) -> Document:
        if (named and isinstance(value, str)) or (not named and value is None):
            return value
        if not isinstance(value, dict):
            raise wrong(f"must be {'a name or ' if named else ''}{what} as an object")
        if "notation" not in value:
            return value
        if value.keys() != {"notation", "text"} or not isinstance(value["text"], str):
            raise wrong("notation needs text (the whole file) and no other member")
        if value["notation"] not in notations:
            raise wrong(f"notation must be {' or '.join(notations)}")
        return Written(value["notation"], value["text"])

    return read


def _document_schema(what: str, notations: Sequence[str], *, named: bool) -> dict[str, Any]:
    written = {
        "type": "object",
        "properties": {"notation": {"enum": list(notations)}, "text": {"type": "string"}},
        "required": ["notation", "text"],
        "additionalProperties": False,
    }
    whole = {"type": "object", "description": f"{what[0].upper()}{what[1:]} as JSON.", "additionalProperties": True}
    return {"anyOf": [*([{"type": "string"}] if named else []), written, whole]}


def _seeds(value: object) -> tuple[int, ...]:
    value = as_whole(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MOST_SEEDS:
            raise wrong(f"must be 1 to {MOST_SEEDS} seeds (found {value})")
        return tuple(range(value))
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_SEEDS:
        raise wrong(f"must be a number of seeds, or a list of 1 to {MOST_SEEDS} seeds")
    seeds = [seed for seed in map(as_whole, value) if type(seed) is int and 0 <= seed <= MAX_SEED]
    if len(seeds) < len(value):
        raise wrong(f"a seed must be a whole number from 0 to {MAX_SEED}")
    if len(set(seeds)) < len(seeds):
        raise wrong("a seed appears twice; it would give the same audio twice")
    return tuple(sorted(seeds))


def _measured(value: object) -> bool | tuple[str, ...]:
    named = asked_to_score(value)
    if named is False:
        raise wrong("must be true or a list of metric families, because an evaluation is always scored")
    return tuple(sorted(named)) if isinstance(named, tuple) else named


def _params(value: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(value.keys() - set(PARAMS)):
        raise wrong(f"unknown member {named(unknown)}; known members: {', '.join(PARAMS)}")
    # Values that change nothing are left out, because evaluations are compared by what is stored here.
    said = {name: value[name] for name in sorted(value) if not _says_nothing(name, value[name])}
    return said | ({"sample_rate": as_whole(said["sample_rate"])} if "sample_rate" in said else {})


def _says_nothing(name: str, value: object) -> bool:
    return value is None or (value == _PARAM_DEFAULTS.get(name) and not isinstance(value, bool))


def _preprocessing(value: str) -> str:
    try:
        return preprocessing_called(value)
    except PreprocessingUnknown as error:
        raise wrong(str(error)) from None


def _allowed(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or any(one not in ALLOWABLE for one in value):
        raise wrong(f"must be a list of some of {', '.join(ALLOWABLE)}")
    return tuple(sorted(set(value)))


_SUITE = ("a suite", ("yaml", "jsonl"))
_RULES = ("the rules of a gate", ("toml",))
_SEEDS_SCHEMA = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MOST_SEEDS},
        {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": MOST_SEEDS, "uniqueItems": True},
    ]
}
_PARAMS_SCHEMA = {
    "type": "object",
    "properties": {name: JobRequest.model_json_schema()["properties"][name] for name in PARAMS},
    "additionalProperties": False,
}
_ALLOW_SCHEMA = {"type": "array", "items": {"type": "string", "enum": list(ALLOWABLE)}}


class EvaluationRequest(RequestShape):
    """A suite to speak with a pin, once per seed, and to score. Only `suite` and `pin` have no default."""

    suite: Annotated[
        Any,
        BeforeValidator(_document(*_SUITE, named=True)),
        WithJsonSchema(_document_schema(*_SUITE, named=True)),
        Field(description="Name of a built-in one, or your own: the text of its file, or JSON."),
    ]
    pin: Annotated[Name, Field(description="Name of the model version, or an alias of it.")]
    seeds: Annotated[
        tuple[int, ...],
        BeforeValidator(_seeds),
        WithJsonSchema(_SEEDS_SCHEMA),
        Field(description="Number of seeds (0, 1, … are used), or a list of seeds. Default: one."),
    ] = (0,)
    score: Annotated[
        bool | tuple[str, ...],
        BeforeValidator(_measured),
        ScoreSchema({"const": True}, {"minItems": 1}),
        Field(description="true: the default metric families; or a list of them."),
    ] = True
    params: Annotated[
        dict[str, Any],
        AfterValidator(_params),
        WithJsonSchema(_PARAMS_SCHEMA),
        Field(default_factory=dict, description="Members of a job that apply to every item that does not set them."),
    ]
    preprocessing: Annotated[
        str,
        AfterValidator(_preprocessing),
        Field(
            max_length=64,
            description="Preprocessing of the texts before they are spoken: `none`, or a normaliser (`plain@1`).",
        ),
    ] = NONE
    lexicon: Annotated[
        LexiconRequest | None, Field(description="How words of the texts are to be read, after the preprocessing.")
    ] = None
    fresh: Annotated[bool, Field(description="Speak every clip again, even if the same clip exists already.")] = False
    priority: Priority = 0
    timeout_s: Annotated[float, Field(ge=1, le=MAX_TIMEOUT_S, description="How long a clip may take, in seconds.")] = (
        300.0
    )


class ComparisonRequest(RequestShape):
    """Two evaluations to compare."""

    baseline: Annotated[Name, Field(description="Id of the evaluation to compare with.")]
    candidate: Annotated[Name, Field(description="Id of the evaluation that is meant to be better.")]
    allow: Annotated[
        tuple[str, ...],
        BeforeValidator(_allowed),
        WithJsonSchema(_ALLOW_SCHEMA),
        Field(description="Allowed differences that can change the result; they are named in everything made from it."),
    ] = ()


class GateRequest(RequestShape):
    """Rules to check against a comparison."""

    comparison: Annotated[Name, Field(description="Id of a comparison.")]
    rules: Annotated[
        Any,
        BeforeValidator(_document(*_RULES, named=False)),
        WithJsonSchema(_document_schema(*_RULES, named=False)),
        Field(description="The text of a `gate.toml`, or the same as JSON. Default: the built-in rules."),
    ] = None
