"""The table ``options`` of a catalog's pin of this family, checked.

    options = {languages = ["en"], max_piece_chars = 200, device = "cpu", speakers = {anna = 0}}
    options = {device = "cuda", threads = 4, max_batch = 32, compile = "inductor"}

Owns names, types and bounds. What ``speakers`` holds depends on the class of models, which checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.language_tags import tags_fault
from services.worker.engines.options import unknown

DEVICES = ("auto", "cpu", "cuda")
COMPILERS = ("none", "inductor")
PIECE_CHARS = (50, 2_000)
THREADS = (1, 64)
BATCH = (1, 64)


@dataclass(frozen=True, slots=True)
class PinOptions:
    """The catalog's options of one pin."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags, the default first. Empty: what the checkpoint says."""
    max_piece_chars: int | None = None
    device: str = "auto"
    """``auto``: a GPU if there is one."""
    threads: int = 1
    """CPU threads for one text. The default is one, because several hosts run at once. Another number changes single
    samples slightly."""
    max_batch: int | None = None
    """Texts in one call. The default depends on the device."""
    compile: str = "none"
    speakers: Mapping[str, Any] = field(default_factory=dict)


def pin_options(options: Mapping[str, Any]) -> PinOptions:
    """Return the checked options. Raises `EngineError` for the first one that is unknown or wrong."""
    known: Mapping[str, Callable[[object], Any]] = {
        "languages": _languages,
        "max_piece_chars": lambda value: _whole("max_piece_chars", value, PIECE_CHARS),
        "device": lambda value: _one_of("device", value, DEVICES),
        "threads": lambda value: _whole("threads", value, THREADS),
        "max_batch": lambda value: _whole("max_batch", value, BATCH),
        "compile": lambda value: _one_of("compile", value, COMPILERS),
        "speakers": _speakers,
    }
    for name in options:
        if name not in known:
            raise unknown(name, known)
    return PinOptions(**{name: known[name](value) for name, value in options.items()})


def _languages(value: Any) -> tuple[str, ...]:
    if (fault := tags_fault(value)) is not None:
        raise EngineError(f"options/languages: {fault}, not {value!r}")
    return tuple(tag.lower() for tag in value)


def _whole(name: str, value: object, bounds: tuple[int, int]) -> int:
    low, high = bounds
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise EngineError(f"options/{name}: must be a whole number from {low} to {high}, not {value!r}")
    return value


def _one_of(name: str, value: object, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise EngineError(f"options/{name}: must be one of {', '.join(allowed)}, not {value!r}")
    return str(value)


def _speakers(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value:
        raise EngineError("options/speakers: must be a table of names")
    return value
