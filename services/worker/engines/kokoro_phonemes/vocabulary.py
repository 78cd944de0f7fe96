"""The numbers of the phonemes, as a table of a pin has them. Needs no package."""

from __future__ import annotations

from collections.abc import Mapping

from services.worker.engines.base import EngineError


def checked_numbers(said: object, what: str) -> Mapping[str, int]:
    """Return ``said`` (phoneme -> number). Raises `EngineError`, which calls it ``what``, if it is no such table."""
    if not isinstance(said, dict) or not said or not all(_is_entry(*entry) for entry in said.items()):
        raise EngineError(f"{what} must be a table of phonemes with their numbers")
    return said


def _is_entry(phoneme: str, number: object) -> bool:
    return len(phoneme) == 1 and isinstance(number, int) and not isinstance(number, bool) and number >= 0
