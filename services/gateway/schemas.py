"""What a submission may look like: the whole shape of the body, and every wrong field of it named at once.

Owns the form. What a pin can do with a well-formed submission is `admission.py`'s question.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError, to_json

from shared.errors import FieldError, InvalidRequest, RefusalCode
from shared.jobs import MAX_TEXT_CHARS

METRIC_FAMILIES = (
    "signal",
    "prosody",
    "dnsmos",
    "nisqa",
    "nisqa_tts",
    "speaker",
    "speaker_wavlm",
    "asr",
    "semantic",
    "utmos",
    "whisper",
    "semantic_multilingual",
    "emotion",
    "funasr",
    "cost",
)
"""What `score` may name."""
MAX_BATCH_JOBS = 1000
MAX_TTL_S = 7 * 24 * 3600
MAX_TIMEOUT_S = 3600
MAX_SEED = 2**32 - 1
"""The widest range that every engine's random generators take."""
JOB_ID = re.compile(r"job_[0-9A-HJKMNP-TV-Z]{26}")
_MAX_OPTIONS_DEPTH = 8
_EMOTION_FORMS = ("name", "vector", "audio", "text")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
_CODES = frozenset({RefusalCode.TEXT_EMPTY.value, RefusalCode.TEXT_TOO_LONG.value})


def wrong(detail: str, code: RefusalCode = RefusalCode.INVALID_REQUEST) -> PydanticCustomError:
    """What a validator raises."""
    return PydanticCustomError(code.value, "{detail}", {"detail": detail})


def _clean(text: str) -> str:
    """NFC, and no control characters but newline and tab."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if (found := _CONTROLS.search(text)) is not None:
        raise wrong(f"control character U+{ord(found.group()):04X} at {found.start()}")
    return text


def _text(text: str) -> str:
    text = _clean(text)
    if not text.strip():
        raise wrong("there is nothing to speak", RefusalCode.TEXT_EMPTY)
    if len(text) > MAX_TEXT_CHARS:
        raise wrong(f"{len(text)} characters, at most {MAX_TEXT_CHARS} are taken", RefusalCode.TEXT_TOO_LONG)
    return text


def _emotion(value: object) -> object:
    """A bare name is short for an object with that name."""
    return {"name": value} if isinstance(value, str) else value


def families(value: object) -> bool | tuple[str, ...]:
    """What `score` names."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, list):
        raise wrong("true, false or a list of metric families")
    unknown = [str(family) for family in value if family not in METRIC_FAMILIES]
    if unknown:
        raise wrong(f"no such metric family: {', '.join(unknown)[:200]}; there are {', '.join(METRIC_FAMILIES)}")
    return tuple(dict.fromkeys(value)) or False


def _options(value: dict[str, Any]) -> dict[str, Any]:
    _check_depth(value, _MAX_OPTIONS_DEPTH)
    return value


def _check_depth(value: object, left: int) -> None:
    if left < 0:
        raise wrong(f"nested deeper than {_MAX_OPTIONS_DEPTH}")
    if isinstance(value, str):
        _clean(value)
    elif isinstance(value, dict):
        for key, member in value.items():
            _check_depth(key, left)
            _check_depth(member, left - 1)
    elif isinstance(value, list):
        for member in value:
            _check_depth(member, left - 1)


Name = Annotated[str, Field(min_length=1, max_length=200, pattern=_ONE_LINE)]
MetadataKey = Annotated[str, Field(min_length=1, max_length=64, pattern=_ONE_LINE)]
MetadataValue = Annotated[str, Field(max_length=512, pattern=_ONE_LINE)]
FAMILIES_SCHEMA = {"type": "array", "items": {"type": "string", "enum": list(METRIC_FAMILIES)}}
_SCORE_SCHEMA = {"anyOf": [{"type": "boolean"}, FAMILIES_SCHEMA]}


class Shape(BaseModel):
    """Of a body: every member is known, and of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


AnyShape = TypeVar("AnyShape", bound=Shape)


class EmotionRequest(Shape):
    """How to feel: exactly one of `name`, `vector`, `audio` or `text`."""

    name: Annotated[Name | None, Field(description="A canonical emotion, or one of the engine's own.")] = None
    vector: Annotated[
        list[Annotated[float, Field(ge=0, le=1.5)]] | None,
        Field(
            min_length=8,
            max_length=8,
            description="Weights of happy, angry, sad, afraid, disgusted, melancholic, surprised, calm.",
        ),
    ] = None
    audio: Annotated[Name | None, Field(description="An uploaded voice whose feeling is taken.")] = None
    text: Annotated[
        str | None, Field(min_length=1, max_length=1000, pattern=_ONE_LINE, description="The feeling in words.")
    ] = None
    strength: Annotated[float | None, Field(ge=0, le=1, description="0: not at all; 1 (default): full.")] = None

    @property
    def form(self) -> str:
        """Which of the four it is."""
        return "name" if self.name is not None else next(f for f in _EMOTION_FORMS if getattr(self, f) is not None)

    @model_validator(mode="after")
    def _exactly_one_form(self) -> Self:
        given = 4 - (self.name, self.vector, self.audio, self.text).count(None)
        if given != 1:
            raise wrong(f"exactly one of name, vector, audio and text is needed, not {given}")
        return self


class JobRequest(Shape):
    """What to speak, with which pin, and how. Everything but `text` and `pin` has a default."""

    text: Annotated[
        str,
        AfterValidator(_text),
        Field(
            description=f"1 to {MAX_TEXT_CHARS} characters after NFC; no control characters but newline and tab.",
            json_schema_extra={"minLength": 1, "maxLength": MAX_TEXT_CHARS},
        ),
    ]
    pin: Annotated[
        Name,
        Field(description="Name of the model version, or an alias of it (`indextts2@production`): see GET /v1/pins."),
    ]
    language: Annotated[
        str | None,
        Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", max_length=35, description="BCP 47. Default: the pin's."),
    ] = None
    voice: Annotated[Name | None, Field(description="One of the engine's own voices.")] = None
    reference: Annotated[Name | None, Field(description="Id of an uploaded voice to speak with.")] = None
    emotion: Annotated[
        EmotionRequest | None,
        BeforeValidator(_emotion, json_schema_input_type=str | EmotionRequest | None),
        Field(description="A name, or an object."),
    ] = None
    speed: Annotated[float | None, Field(ge=0.25, le=4, description="1 (default): the voice's own.")] = None
    pitch_scale: Annotated[float | None, Field(ge=0.5, le=2, description="1 (default): the voice's own.")] = None
    seed: Annotated[int | None, Field(ge=0, le=MAX_SEED, description="Default 0.")] = None
    sample_rate: Annotated[int | None, Field(ge=8000, le=48000, description="Hz. Default: the pin's own.")] = None
    options: Annotated[
        dict[str, Any],
        AfterValidator(_options),
        Field(default_factory=dict, description="The engine's own, by its published schema."),
    ]
    score: Annotated[
        bool | tuple[str, ...],
        BeforeValidator(families),
        WithJsonSchema(_SCORE_SCHEMA),
        Field(description="true: the default metric families; false: none; or a list of them."),
    ] = True
    priority: Annotated[int, Field(ge=-10, le=10, description="Among your own jobs; higher goes first.")] = 0
    ttl_s: Annotated[float, Field(ge=1, le=MAX_TTL_S, description="How long the job may wait, seconds.")] = 86400.0
    timeout_s: Annotated[float, Field(ge=1, le=MAX_TIMEOUT_S, description="How long it may run, seconds.")] = 300.0
    metadata: Annotated[
        dict[MetadataKey, MetadataValue],
        Field(default_factory=dict, max_length=16, description="Yours; filters of GET /v1/jobs."),
    ]


class ConsentRequest(Shape):
    """The statement of whose voice it is that it may be used. Kept as long as the voice."""

    by: Annotated[Name, Field(description="Who allowed it.")]
    at: Annotated[AwareDatetime, Field(description="When; with an offset from UTC.")]
    text: Annotated[str, AfterValidator(_clean), Field(min_length=1, max_length=4000, description="In which words.")]


class VoiceRequest(Shape):
    """What comes with a recording."""

    name: Annotated[Name | None, Field(description="For people; voices are told apart by their ids.")] = None
    consent: ConsentRequest


def read_voice(fields: dict[str, object]) -> VoiceRequest:
    """What came with a recording, or `InvalidRequest`. ``fields``: JSON values."""
    try:
        return VoiceRequest.model_validate_json(to_json(fields))
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False, include_input=False), "") from None


def read_job(body: object, at: str = "") -> JobRequest:
    """The submission in ``body``, or `InvalidRequest`. ``at``: JSON pointer of ``body`` within the whole request."""
    return read_shape(JobRequest, body, at)


def read_shape(shape: type[AnyShape], body: object, at: str = "") -> AnyShape:
    """``body`` as a request of this shape, or `InvalidRequest`."""
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False, include_input=False), at) from None


def read_batch(body: object) -> list[object]:
    """The submissions of a batch, not looked at one by one yet."""
    jobs = body.get("jobs") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(jobs, list):
        raise InvalidRequest((FieldError("/jobs", "a list of jobs is needed"),))
    unknown = tuple(FieldError(_pointer((name,)), "no such field") for name in body if name != "jobs")
    if unknown:
        raise InvalidRequest(unknown)
    if not 1 <= len(jobs) <= MAX_BATCH_JOBS:
        raise InvalidRequest((FieldError("/jobs", f"{len(jobs)} jobs, 1 to {MAX_BATCH_JOBS} are taken"),))
    return jobs


def _refusal(details: list[ErrorDetails], at: str) -> InvalidRequest:
    codes = {detail["type"] if detail["type"] in _CODES else RefusalCode.INVALID_REQUEST.value for detail in details}
    code = RefusalCode(codes.pop()) if len(codes) == 1 else RefusalCode.INVALID_REQUEST
    return InvalidRequest(tuple(FieldError(at + _pointer(d["loc"]), _detail(d)) for d in details), code)


def _detail(detail: ErrorDetails) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return "no such field"
        case "model_type" | "model_attributes_type":
            return "an object is needed"
        case "string_pattern_mismatch" if detail["ctx"]["pattern"] == _ONE_LINE:
            return "control characters are not taken here"
        case _:
            return detail["msg"]


def _pointer(place: tuple[int | str, ...]) -> str:
    # pydantic marks a wrong key of a mapping by a last step of its own
    steps = place[:-1] if place and place[-1] == "[key]" else place
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
