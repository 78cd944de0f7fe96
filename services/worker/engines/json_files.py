"""JSON files of a snapshot: an object, or an error that says which file is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError


def json_object(file: Path, name: str) -> Mapping[str, Any]:
    """What ``file`` holds, which complaints call ``name``. Raises `EngineError` where it is no JSON object, and
    `OSError` where it cannot be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EngineError(f"{name} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise EngineError(f"{name} is no JSON object")
    return found
