"""The shapes of a submission's members that have members of their own, and what all shapes share.

Owns the form of an emotion, a pronunciation and a lexicon, of names and of languages. job_schemas.py has the
submissions.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from services.gateway.requests.values import clean, few_marks, members, to_speak, wrong
from shared.readings.lexicons import LONGEST_READING, LONGEST_WORD, MAX_CHARS, MAX_ENTRIES, Lexicon
from shared.readings.pronunciation import MAX_READING_CHARS, MAX_READINGS, MAX_TARGET_CHARS
from shared.values.language_tags import MEANT, tag_in
from shared.values.text import shown

ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
_EMOTION_FORMS = ("name", "vector", "audio", "text")

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=ONE_LINE), AfterValidator(few_marks)]


class RequestShape(BaseModel):
    """Base of all request bodies: every member must be known and of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


def emotion_as_object(value: object) -> object:
    """Return an emotion as an object: a bare name is short for an object with that name."""
    return {"name": value} if isinstance(value, str) else members(value, len(_EMOTION_FORMS) + 1)


def language_tag(said: str | None) -> str | None:
    """Return the language tag that is meant."""
    if said is None:
        return None
    if (tag := tag_in(said)) is None:
        raise wrong(f"{shown(said)} is not {MEANT}")
    return tag


class EmotionRequest(RequestShape):
    """An emotion: exactly one of `name`, `vector`, `audio` or `text`."""

    name: Annotated[Name | None, Field(description="A canonical emotion, or one of the engine's own.")] = None
    vector: Annotated[
        list[Annotated[float, Field(ge=0, le=1.5)]] | None,
        Field(
            min_length=8,
            max_length=8,
            description="Weights of happy, angry, sad, afraid, disgusted, melancholic, surprised, calm.",
        ),
    ] = None
    audio: Annotated[Name | None, Field(description="Id of an uploaded voice whose emotion is used.")] = None
    text: Annotated[
        str | None,
        Field(min_length=1, max_length=1000, pattern=ONE_LINE, description="The emotion in words."),
        AfterValidator(lambda text: text and few_marks(text)),
    ] = None
    strength: Annotated[float | None, Field(ge=0, le=1, description="0: not at all; 1 (default): full.")] = None

    @property
    def form(self) -> str:
        """Which of the four forms was given."""
        return "name" if self.name is not None else next(f for f in _EMOTION_FORMS if getattr(self, f) is not None)

    @model_validator(mode="after")
    def _exactly_one_form(self) -> Self:
        given = 4 - (self.name, self.vector, self.audio, self.text).count(None)
        if given != 1:
            raise wrong(f"exactly one of name, vector, audio and text is required (found {given})")
        return self


def _written(text: str) -> str:
    text = clean(text)
    if not text.strip():
        raise wrong("must not be blank")
    return text


_Reading = Annotated[str, Field(min_length=1, max_length=MAX_READING_CHARS, pattern=ONE_LINE), AfterValidator(_written)]
_Readings = Annotated[list[_Reading], Field(min_length=1, max_length=MAX_READINGS)]


class PronunciationRequest(RequestShape):
    """What is judged of the pronunciation: a part of the text that occurs once, with right and wrong readings. They are
    spelled in ordinary writing that is read in one way."""

    target: Annotated[str, Field(min_length=1, max_length=MAX_TARGET_CHARS, pattern=ONE_LINE), AfterValidator(_written)]
    right: _Readings
    wrong: _Readings


def _word(text: str) -> str:
    """Return a word or reading of a lexicon, in NFC."""
    text = to_speak(text)
    if text != text.strip() or "\n" in text:
        raise wrong("must be one line of text that neither begins nor ends with white space")
    return text


def _entries(value: object, read: ValidatorFunctionWrapHandler) -> dict[str, str]:
    """Return the entries of a lexicon, in NFC."""
    if isinstance(value, dict) and len(value) > MAX_ENTRIES:
        raise wrong(f"{len(value)} entries; at most {MAX_ENTRIES} are allowed")
    entries: dict[str, str] = read(value)
    if isinstance(value, dict) and len(entries) < len(value):
        raise wrong("two words are the same once they are composed (NFC)")
    if (total := sum(len(word) + len(reading) for word, reading in entries.items())) > MAX_CHARS:
        raise wrong(f"{total} characters in all entries; at most {MAX_CHARS} are allowed")
    return entries


class LexiconRequest(RequestShape):
    """How words are to be read. Every word of the text that is an entry is spoken as its reading says."""

    name: Annotated[Name, Field(description="Your own name for it.")]
    version: Annotated[Name, Field(description="Your own word; another one whenever an entry changes.")]
    language: Annotated[
        str | None, AfterValidator(language_tag), Field(description="Only texts of this language are changed.")
    ] = None
    entries: Annotated[
        dict[
            Annotated[str, Field(min_length=1, max_length=LONGEST_WORD), AfterValidator(_word)],
            Annotated[str, Field(min_length=1, max_length=LONGEST_READING), AfterValidator(_word)],
        ],
        WrapValidator(_entries),
        Field(min_length=1, description="Word -> reading, in ordinary writing."),
    ]

    @cached_property
    def meant(self) -> Lexicon:
        return Lexicon(self.name, self.version, self.entries, self.language)
