"""What is spoken for a certificate: items of a suite, as jobs of one pin.

Owns the built-in selection and how an item becomes the job that it would be, with every default from the pin's
manifest. Knows no host and no gateway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from shared.catalog import Manifest, Support
from shared.controls import Emotion, SpeechControls
from shared.errors import RingtrueError
from shared.jobs import Job, NewJob, SpeechInput
from shared.suites.reading import golden_suite
from shared.suites.suite import Item, Suite

BUILT_IN = ("golden-en-emotion", "golden-zh-emotion")
"""Suites for the built-in selection: the first one whose language the pin speaks is used."""
USED = ("text", "language", *(one.name for one in fields(SpeechControls)))
"""Members of a job's input that decide its sound."""
TAKE_S = 300.0
"""Seconds that an item may take: the default time limit of a job."""


class NothingToSpeak(RingtrueError):
    """The pin speaks no item of the suite."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The items to speak, and their suite."""

    suite: Suite
    items: tuple[Item, ...]
    unspeakable: Mapping[str, str]
    """Items that the pin cannot be asked for, by id, and why."""


def selected(suite: Suite, manifest: Manifest) -> Selection:
    """Return the items of ``suite`` that the pin can be asked for. Raises `NothingToSpeak` if there are none."""
    why = {item.id: reason for item in suite.items if (reason := _unspeakable(item, manifest)) is not None}
    items = tuple(item for item in suite.items if item.id not in why)
    if not items:
        raise NothingToSpeak(f"{manifest.pin} cannot speak any item of {suite.name}: {next(iter(why.values()))}")
    return Selection(suite, items, why)


def built_in(manifest: Manifest) -> Selection:
    """Return five items, short to long, each in another emotion if the pin has emotions. Raises `NothingToSpeak`."""
    suites = [golden_suite(name) for name in BUILT_IN]
    suite = next((one for one in suites if language_of(one.items[0], manifest) is not None), None)
    if suite is None:
        raise NothingToSpeak(
            f"{manifest.pin} speaks neither English nor Chinese; use --suite to name a suite in its language"
        )
    items = suite.items[::6][:5]
    felt = (item if item.emotion in manifest.emotions else replace(item, emotion=None, strength=None) for item in items)
    return Selection(suite, tuple(felt), {})


def language_of(item: Item, manifest: Manifest) -> str | None:
    """Return the pin's own tag that is the longest prefix of the item's language, or ``None``."""
    prefix = item.language
    while prefix and prefix not in manifest.languages:
        prefix = prefix.rpartition("-")[0]
    return prefix or None


def asked(item: Item, seed: int) -> dict[str, Any]:
    """Return the members of a job's submission. Two clips can be compared if these are equal."""
    return {**item.submission(), "seed": seed}


def job_of(item: Item, manifest: Manifest, seed: int) -> Job:
    """Return the job that a gateway would accept for the item."""
    return Job.accepted(
        NewJob(
            id=item.id,
            user="",
            pin=manifest.pin,
            engine=manifest.engine,
            lock_sha256=manifest.lock_sha256,
            asked=asked(item, seed),
            input=_as_used(item, manifest, seed),
            controls={},
            metadata={},
            priority=0,
            created_at=0.0,
            expires_at=0.0,
            timeout_s=TAKE_S,
            estimated_s=0.0,
        )
    )


def used(jobs_input: SpeechInput) -> dict[str, Any]:
    """Return what decides the sound in a job's input, as JSON."""
    return {name: value for name, value in jobs_input.to_json().items() if name in USED and value is not None}


def _as_used(item: Item, manifest: Manifest, seed: int) -> SpeechInput:
    felt = None if item.emotion is None else Emotion(item.emotion, strength=_strength(item))
    language = language_of(item, manifest)
    assert language is not None, "it was selected"
    voice = item.voice or manifest.default_voice
    return SpeechInput(
        item.text, language, voice=voice, emotion=felt, seed=seed, options=_defaults(manifest), score=False
    )


def _strength(item: Item) -> float:
    return 1.0 if item.strength is None else item.strength


def _defaults(manifest: Manifest) -> dict[str, Any]:
    members: Sequence[tuple[str, Mapping[str, Any]]] = list(manifest.options_schema.get("properties", {}).items())
    return {name: member["default"] for name, member in members if "default" in member}


def _unspeakable(item: Item, manifest: Manifest) -> str | None:
    if language_of(item, manifest) is None:
        return f"{manifest.pin} does not speak {item.language}"
    if item.reference is not None:
        return "an uploaded voice can only be used through its gateway"
    if item.emotion is not None and item.emotion not in manifest.emotions:
        return f"{manifest.pin} has no emotion {item.emotion}"
    if item.strength is not None and manifest.support("strength") is Support.UNSUPPORTED:
        return f"{manifest.pin} does not support strength"
    return None
