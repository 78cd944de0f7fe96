"""Reads JSON files of a snapshot. Errors name the file that is not a JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError


def json_object(file: Path, name: str) -> Mapping[str, Any]:
    """Return the object in ``file``. Raises `EngineError`, which calls the file ``name``, if it is not a JSON object,
    and `OSError` if it cannot be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EngineError(f"{name} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise EngineError(f"{name} is not a JSON object")
    return found
