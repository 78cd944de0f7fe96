"""What a catalog may say of a pin of this family: its table ``options``, checked.

    options = {languages = ["en"], max_piece_chars = 200, device = "cpu", speakers = {anna = 0}}

Owns names, kinds and bounds. What ``speakers`` holds depends on the class of models, which checks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.worker.engines.base import EngineError

DEVICES = ("auto", "cpu", "cuda")
PIECE_CHARS = (50, 2_000)
_TAG = re.compile(r"[a-z]{2,8}(-[a-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Wishes:
    """The catalog's options of one pin."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags, the default first; empty: what the checkpoint says."""
    max_piece_chars: int | None = None
    device: str = "auto"
    """A GPU where there is one, by default."""
    speakers: Mapping[str, Any] = field(default_factory=dict)


def wishes(options: Mapping[str, Any]) -> Wishes:
    """Raises `EngineError` for the first option that is not one."""
    known: Mapping[str, Callable[[object], Any]] = {
        "languages": _languages,
        "max_piece_chars": _piece_chars,
        "device": _device,
        "speakers": _speakers,
    }
    for name in options:
        if name not in known:
            raise EngineError(f"options/{name}: no such option; there are: {', '.join(known)}")
    return Wishes(**{name: known[name](value) for name, value in options.items()})


def _languages(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(tag, str) for tag in value):
        raise EngineError("options/languages: must be a list of language tags")
    for tag in value:
        if not _TAG.fullmatch(tag.lower()):
            raise EngineError(f"options/languages: {tag!r} is no language tag")
    return tuple(tag.lower() for tag in value)


def _piece_chars(value: object) -> int:
    low, high = PIECE_CHARS
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise EngineError(f"options/max_piece_chars: must be a whole number from {low} to {high}, not {value!r}")
    return value


def _device(value: object) -> str:
    if value not in DEVICES:
        raise EngineError(f"options/device: must be one of {', '.join(DEVICES)}, not {value!r}")
    return str(value)


def _speakers(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value:
        raise EngineError("options/speakers: must be a table of names")
    return value
