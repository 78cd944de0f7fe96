"""Checks whether a pin can do what a submission asks, and makes the job.

Owns the comparison of a submission with a manifest, and the filling in of defaults. Knows neither HTTP nor store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from services.gateway.models.languages import PinLanguages
from services.gateway.models.option_schema import OptionSchema
from services.gateway.requests.job_schemas import JobRequest
from services.gateway.requests.speech_members import EmotionRequest, PronunciationRequest
from shared.catalog import Manifest, Support
from shared.controls import EMOTION_FORMS, REFERENCE, SAMPLE_RATE, STRENGTH, VALUES, Emotion
from shared.errors import FieldError, InvalidRequest, RefusalCode, Refused
from shared.jobs import MAX_TEXT_CHARS, NewJob, SpeechInput
from shared.readings.lexicons import Lexicon
from shared.readings.pronunciation import Pronunciation, faults
from shared.scheduling.fairness import estimated_audio_s
from shared.values.faults import pointer as pointer_to
from shared.values.text import TextFault, composed
from shared.voices import Recording, Voice


class Provenance(NamedTuple):
    """What a job gets from outside its submission.

    ``asked``: the body as it came. ``now``: epoch seconds. ``voices``: the user's uploaded voices that it names, by
    id. ``lexicon``: that of the evaluation it belongs to."""

    job_id: str
    user: str
    asked: Mapping[str, Any]
    now: float
    voices: Mapping[str, Voice] = MappingProxyType({})
    lexicon: Lexicon | None = None


Complaints = list[tuple[RefusalCode, FieldError]]


class Admission:
    """What one pin takes, prepared so that thousands of submissions can be checked against it."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._pin = manifest.pin
        self._honours = {
            name: support.value for name, support in manifest.controls.items() if support is not Support.UNSUPPORTED
        }
        self._changes_nothing = {one.name: one.neutral for one in VALUES} | {SAMPLE_RATE.name: manifest.sample_rate}
        self._languages = PinLanguages(manifest.languages)
        self._voices = frozenset(manifest.voices)
        self._voice_pattern = re.compile(manifest.voice_pattern) if manifest.voice_pattern else None
        self._options = OptionSchema(manifest.options_schema)

    def admit(self, request: JobRequest, provenance: Provenance) -> NewJob:
        """Return the job to add.

        Raises `InvalidRequest` with everything that this pin cannot do, and `Refused` if an uploaded voice is not
        found."""
        complaints: Complaints = []
        controls = self._controls(request, complaints)
        language = self._language(request.language, complaints)
        self._check_emotion(request.emotion, complaints)
        self._check_voice(request.voice, complaints)
        complaints.extend((RefusalCode.OPTION_INVALID, error) for error in self._options.faults(request.options))
        complaints.extend(_pronunciation_faults(request))
        lexicon = request.lexicon.meant if request.lexicon else provenance.lexicon
        text = _respelled(request.text, lexicon, language, complaints)
        if complaints:
            raise _refusal(complaints)
        spoken = self._as_used(request, language, _recordings(request, provenance.voices))
        if lexicon is not None:
            written = request.text if text != request.text else None
            spoken = replace(spoken, text=text, written=written, lexicon=lexicon.used)
        return NewJob(
            id=provenance.job_id,
            user=provenance.user,
            pin=self._pin,
            engine=self.manifest.engine,
            lock_sha256=self.manifest.lock_sha256,
            asked=provenance.asked,
            input=spoken,
            controls=controls,
            metadata=request.metadata,
            priority=request.priority,
            created_at=provenance.now,
            expires_at=provenance.now + request.ttl_s,
            timeout_s=request.timeout_s,
            estimated_s=estimated_audio_s(spoken),
        )

    def _as_used(self, request: JobRequest, language: str, recordings: Mapping[str, Recording]) -> SpeechInput:
        return SpeechInput(
            text=request.text,
            language=language,
            voice=request.voice or self.manifest.default_voice,
            reference=request.reference,
            emotion=_emotion_as_used(request.emotion) if request.emotion else None,
            sample_rate=request.sample_rate,
            options=self._options.as_used(request.options),
            score=request.score,
            pronunciation=_pronunciation(request.pronunciation) if request.pronunciation else None,
            recordings=recordings,
            **_values(request),
        )

    def _controls(self, request: JobRequest, complaints: Complaints) -> dict[str, str]:
        """Return how the pin honours each control that was asked for. Adds a complaint for each that it does not
        support."""
        honoured: dict[str, str] = {}
        for control, pointer, value in _asked_controls(request):
            if (how := self._honours.get(control)) is not None:
                honoured[control] = how
            elif value != self._changes_nothing.get(control):
                detail = f"{control} is unsupported by {self._pin}"
                complaints.append((RefusalCode.CONTROL_UNSUPPORTED, FieldError(pointer, detail)))
        return honoured

    def _language(self, tag: str | None, complaints: Complaints) -> str:
        """Return the pin's own tag for ``tag``: its longest prefix among them."""
        if tag is None:
            return self.manifest.default_language
        if (own := self._languages.find(tag)) is not None:
            return own
        meant = self._languages.meant(tag)
        error = FieldError("/language", f"{self._pin} does not speak {tag}" + (f"; is {meant} meant?" if meant else ""))
        complaints.append((RefusalCode.LANGUAGE_UNSUPPORTED, error))
        return tag

    def _check_emotion(self, felt: EmotionRequest | None, complaints: Complaints) -> None:
        if felt is None or felt.name is None or "emotion" not in self._honours:
            return
        if felt.name not in self.manifest.emotions:
            known = ", ".join(self.manifest.emotions)
            error = FieldError("/emotion", f"{self._pin} knows {known}, not {felt.name}")
            complaints.append((RefusalCode.EMOTION_UNSUPPORTED, error))

    def _check_voice(self, voice: str | None, complaints: Complaints) -> None:
        if voice is None or voice in self._voices:
            return
        if self._voice_pattern is None or self._voice_pattern.fullmatch(voice) is None:
            error = FieldError("/voice", f"{self._pin} has no voice {voice}; see GET /v1/pins")
            complaints.append((RefusalCode.INVALID_REQUEST, error))


def _asked_controls(request: JobRequest) -> Iterator[tuple[str, str, object]]:
    """Yield every control that was asked for: its name, a JSON pointer to it, and its value."""
    if (felt := request.emotion) is not None:
        yield EMOTION_FORMS[felt.form].name, "/emotion", felt
        if felt.strength is not None:
            yield STRENGTH.name, "/emotion/strength", felt.strength
    for control in (*VALUES, SAMPLE_RATE, REFERENCE):
        if (value := getattr(request, control.name)) is not None:
            yield control.name, f"/{control.name}", value


def _respelled(text: str, lexicon: Lexicon | None, language: str, complaints: Complaints) -> str:
    """Return the text as it is to be spoken. Adds a complaint if its lexicon makes it too long."""
    if lexicon is None or not lexicon.covers(language):
        return text
    try:
        return composed(lexicon.respelled(text), MAX_TEXT_CHARS)
    except TextFault as fault:
        error = FieldError("/lexicon", f"with its readings, the text has {fault}")
        complaints.append((RefusalCode.TEXT_TOO_LONG, error))
        return text


def _values(request: JobRequest) -> dict[str, Any]:
    """Return the values that were given. The others have the defaults of `SpeechControls`."""
    given = ((one.name, getattr(request, one.name)) for one in VALUES)
    return {name: value for name, value in given if value is not None}


def _recordings(request: JobRequest, voices: Mapping[str, Voice]) -> dict[str, Recording]:
    """Return the recording of every uploaded voice that was asked for. Raises `Refused` if a voice is not found."""
    recordings = {}
    for asked in (request.reference, request.emotion.audio if request.emotion else None):
        if asked is not None:
            if asked not in voices:
                raise Refused(RefusalCode.VOICE_NOT_FOUND, f"there is no uploaded voice {asked}")
            recordings[asked] = voices[asked].recording
    return recordings


def _pronunciation(asked: PronunciationRequest) -> Pronunciation:
    return Pronunciation(asked.target, tuple(asked.right), tuple(asked.wrong))


def _pronunciation_faults(request: JobRequest) -> Complaints:
    if request.pronunciation is None:
        return []
    found = faults(request.text, _pronunciation(request.pronunciation))
    return [(RefusalCode.INVALID_REQUEST, FieldError(pointer_to(("pronunciation", *loc)), what)) for loc, what in found]


def _emotion_as_used(asked: EmotionRequest) -> Emotion:
    return Emotion(
        name=asked.name,
        vector=tuple(asked.vector) if asked.vector is not None else None,
        audio=asked.audio,
        text=asked.text,
        strength=1.0 if asked.strength is None else asked.strength,
    )


def _refusal(complaints: Complaints) -> InvalidRequest:
    """Return one refusal for all complaints. Its code is theirs if all have the same code."""
    codes = {code for code, _ in complaints}
    code = codes.pop() if len(codes) == 1 else RefusalCode.INVALID_REQUEST
    return InvalidRequest(tuple(error for _, error in complaints), code)
