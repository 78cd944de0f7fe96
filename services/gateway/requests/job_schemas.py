"""The form of a submission: the shape of the whole body, with every wrong field reported at once.

Owns the form. `admission.py` decides what a pin can do with a well-formed submission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, TypeVar, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from services.gateway.requests.speech_members import (
    ONE_LINE,
    EmotionRequest,
    LexiconRequest,
    Name,
    PronunciationRequest,
    RequestShape,
    emotion_as_object,
    language_tag,
)
from services.gateway.requests.values import check_depth, clean, few_marks, members, named, options, to_speak, wrong
from shared import controls
from shared.controls import Control
from shared.errors import FieldError, InvalidRequest, RefusalCode
from shared.jobs import MAX_TEXT_CHARS
from shared.metric_families import families
from shared.values.faults import MOST_FAULTS
from shared.values.language_tags import MOST_CHARS, SPELLED
from shared.values.numbers import as_whole
from shared.values.spelling import did_you_mean
from shared.values.times import FIRST_S, LAST_S

MAX_BATCH_JOBS = 1000
MAX_TTL_S = 7 * 24 * 3600
MAX_TIMEOUT_S = 3600
MAX_METADATA = 16
"""Most pairs of metadata."""
_MAX_CONSENT_CHARS = 4000
JOB_ID = re.compile(r"job_[0-9A-HJKMNP-TV-Z]{26}")
_CODES = frozenset({RefusalCode.TEXT_EMPTY.value, RefusalCode.TEXT_TOO_LONG.value})


def asked_to_score(value: object) -> bool | tuple[str, ...]:
    """Return what `score` asks for: true, false, or the named metric families, each once."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        raise wrong("must be true, false or a list of metric families")
    there = tuple(families())  # not a mapping: what is looked up in it may be a list
    if unknown := [family for family in value if family not in there]:
        raise wrong(f"unknown metric family {named(unknown)}; known: {', '.join(there)}")
    return tuple(dict.fromkeys(value)) or False


def _consent(text: str) -> str:
    text = clean(text, _MAX_CONSENT_CHARS)
    if not text:
        raise wrong("the words of the consent are required")
    return text


def _representable(at: datetime) -> datetime:
    """Return a time that can be shown in UTC. In other zones, the last hours of the year 9999 are in the year 10000."""
    if not FIRST_S <= at.timestamp() <= LAST_S:
        raise wrong("must be a time of the years 1 to 9999 in UTC")
    return at


def _metadata(value: object) -> object:
    if isinstance(value, dict) and len(value) > MAX_METADATA:
        raise wrong(f"{len(value)} pairs; at most {MAX_METADATA} are allowed")
    return value


MetadataKey = Annotated[str, Field(min_length=1, max_length=64, pattern=ONE_LINE), AfterValidator(few_marks)]
MetadataValue = Annotated[str, Field(max_length=512, pattern=ONE_LINE), AfterValidator(few_marks)]
Priority = Annotated[
    int, Field(ge=-10, le=10, description="Among your own jobs; higher goes first."), BeforeValidator(as_whole)
]


@dataclass(frozen=True)
class ScoreSchema:
    """The JSON schema of `score`. It is made with the document, because families are looked up by a running process.

    ``whole``: what may be said instead of a list. ``listed``: more about the list.
    """

    whole: Mapping[str, Any]
    listed: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_json_schema__(self, _core: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        names = {"type": "string", "enum": list(families())}
        return {"anyOf": [self.whole, {"type": "array", "items": names, **self.listed}]}


AnyRequest = TypeVar("AnyRequest", bound=RequestShape)


def control_field(control: Control) -> Any:
    """Return a field with the bounds and the description of a control."""
    return Field(ge=control.minimum, le=control.maximum, description=control.description)


class JobRequest(RequestShape):
    """What to speak, with which pin, and how. All members but `text` and `pin` have a default."""

    text: Annotated[
        str,
        AfterValidator(to_speak),
        Field(
            description=f"1 to {MAX_TEXT_CHARS} characters after NFC; controls only as line ends and tabs; no SSML.",
            json_schema_extra={"minLength": 1, "maxLength": MAX_TEXT_CHARS},
        ),
    ]
    pin: Annotated[
        Name,
        Field(description="Name of the model version, or an alias of it (`indextts2@production`): see GET /v1/pins."),
    ]
    language: Annotated[
        str | None,
        AfterValidator(language_tag),
        Field(
            description="BCP 47 (`zh-CN`), or as a locale is written (`zh_CN.UTF-8`). Default: the pin's.",
            json_schema_extra={"pattern": f"^{SPELLED}$", "maxLength": MOST_CHARS},
        ),
    ] = None
    voice: Annotated[Name | None, Field(description="One of the engine's own voices.")] = None
    reference: Annotated[Name | None, control_field(controls.REFERENCE)] = None
    emotion: Annotated[
        EmotionRequest | None,
        BeforeValidator(emotion_as_object, json_schema_input_type=str | EmotionRequest | None),
        Field(description="A name, or an object."),
    ] = None
    speed: Annotated[float | None, control_field(controls.SPEED)] = None
    pitch_scale: Annotated[float | None, control_field(controls.PITCH_SCALE)] = None
    seed: Annotated[int | None, control_field(controls.SEED), BeforeValidator(as_whole)] = None
    sample_rate: Annotated[int | None, control_field(controls.SAMPLE_RATE), BeforeValidator(as_whole)] = None
    lexicon: Annotated[LexiconRequest | None, Field(description="How words of the text are to be read.")] = None
    options: Annotated[
        dict[str, Any],
        AfterValidator(options),
        Field(default_factory=dict, description="Options of the engine, by its published schema."),
    ]
    score: Annotated[
        bool | tuple[str, ...],
        BeforeValidator(asked_to_score),
        ScoreSchema({"type": "boolean"}),
        Field(description="true: the default metric families; false: none; or a list of them."),
    ] = True
    pronunciation: Annotated[
        PronunciationRequest | None,
        Field(description="How a part of the text may be said, for the scores; not spoken."),
    ] = None
    priority: Priority = 0
    ttl_s: Annotated[float, Field(ge=1, le=MAX_TTL_S, description="How long the job may wait, in seconds.")] = 86400.0
    timeout_s: Annotated[float, Field(ge=1, le=MAX_TIMEOUT_S, description="How long the job may run, in seconds.")] = (
        300.0
    )
    metadata: Annotated[
        dict[MetadataKey, MetadataValue],
        BeforeValidator(_metadata),
        Field(
            default_factory=dict, max_length=MAX_METADATA, description="Your own metadata; a filter of GET /v1/jobs."
        ),
    ]


class ConsentRequest(RequestShape):
    """The consent of the person whose voice it is. It is kept as long as the voice."""

    by: Annotated[Name, Field(description="Who gave consent.")]
    at: Annotated[
        AwareDatetime,
        AfterValidator(_representable),
        Field(strict=False, description="When consent was given, with an offset from UTC."),
    ]
    text: Annotated[
        str,
        AfterValidator(_consent),
        Field(
            description="The words of the consent, in NFC.",
            json_schema_extra={"minLength": 1, "maxLength": _MAX_CONSENT_CHARS},
        ),
    ]


class VoiceRequest(RequestShape):
    """The fields that come with a recording."""

    name: Annotated[Name | None, Field(description="For people; voices are identified by their ids.")] = None
    consent: Annotated[ConsentRequest, BeforeValidator(lambda said: members(said, 3))]


def read_voice(fields: dict[str, object]) -> VoiceRequest:
    """Return the fields that came with a recording. ``fields``: JSON values. Raises `InvalidRequest`."""
    return read_shape(VoiceRequest, fields)


def read_job(body: object, at: str = "") -> JobRequest:
    """Return the submission in ``body``. Raises `InvalidRequest`.

    ``at``: JSON pointer of ``body`` within the whole request."""
    try:
        return JobRequest.model_validate(members(body, len(JobRequest.model_fields)))
    except PydanticCustomError as many:
        raise InvalidRequest((FieldError(at, many.message()),)) from None
    except ValidationError as error:
        raise _refusal(JobRequest, error.errors(include_url=False, include_input=False), at) from None


def read_shape(shape: type[AnyRequest], body: object, at: str = "") -> AnyRequest:
    """Return ``body`` as a request of this shape. Raises `InvalidRequest`."""
    try:
        check_depth(body)
        return shape.model_validate(members(body, len(shape.model_fields)))
    except PydanticCustomError as deep:
        raise InvalidRequest((FieldError(at, deep.message()),)) from None
    except ValidationError as error:
        raise _refusal(shape, error.errors(include_url=False, include_input=False), at) from None


def read_batch(body: object) -> list[object]:
    """Return the submissions of a batch; they are not checked yet. Raises `InvalidRequest` if it is not a batch."""
    jobs = body.get("jobs") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(jobs, list):
        raise InvalidRequest((FieldError("/jobs", "must be a list of jobs"),))
    known = {"jobs"}
    unknown = (FieldError(_pointer((name,)), _no_such_field(name, known)) for name in body if name not in known)
    if told := [*islice(unknown, MOST_FAULTS + 1)]:
        raise InvalidRequest(told)
    if not 1 <= len(jobs) <= MAX_BATCH_JOBS:
        raise InvalidRequest((FieldError("/jobs", f"must have 1 to {MAX_BATCH_JOBS} jobs (found {len(jobs)})"),))
    return jobs


def _refusal(shape: type[BaseModel], details: list[ErrorDetails], at: str) -> InvalidRequest:
    codes = {detail["type"] if detail["type"] in _CODES else RefusalCode.INVALID_REQUEST.value for detail in details}
    code = RefusalCode(codes.pop()) if len(codes) == 1 else RefusalCode.INVALID_REQUEST
    return InvalidRequest(tuple(FieldError(at + _pointer(d["loc"]), _detail(shape, d)) for d in details), code)


def _no_such_field(name: str, known: Iterable[str]) -> str:
    return f"no such field{did_you_mean(name, known)}"


def _shape_at(shape: type[BaseModel], path: Sequence[int | str]) -> type[BaseModel]:
    """Return the shape of the object at a path into a body of ``shape``."""
    for name in path:
        annotation = shape.model_fields[str(name)].annotation
        shape = next(one for one in (annotation, *get_args(annotation)) if isinstance(one, type(BaseModel)))
    return shape


def _detail(shape: type[BaseModel], detail: ErrorDetails) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return _no_such_field(str(detail["loc"][-1]), _shape_at(shape, detail["loc"][:-1]).model_fields)
        case "model_type" | "model_attributes_type":
            return "must be an object"
        case "string_pattern_mismatch" if detail["ctx"]["pattern"] == ONE_LINE:
            return "control characters are not allowed"
        case _:
            return detail["msg"]


def _pointer(place: tuple[int | str, ...]) -> str:
    # pydantic adds a last step of its own for a wrong key of a mapping
    steps = place[:-1] if place and place[-1] == "[key]" else place
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
