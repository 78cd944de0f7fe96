"""What a catalog may say of a pin of this family: its table ``options``, checked.

options = {languages = ["en-gb"], max_piece_chars = 200, device = "cuda", threads = 4}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.language_tags import tags_fault
from services.worker.engines.options import Number

DEVICES = ("cpu", "cuda")
NUMBERS = (
    Number("max_piece_chars", 400, 50, 2_000, "longer texts are split", whole=True),
    Number("threads", 1, 1, 64, "how many threads one model may use", whole=True),
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """The catalog's options of one pin."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags, the default first; empty: what the voice says."""
    max_piece_chars: int = 400
    device: str = "cpu"
    threads: int = 1
    """Hosts stand side by side: more threads than one make a voice faster where cores are idle, never different."""


def wishes(options: Mapping[str, Any]) -> Wishes:
    """Raises `EngineError` for the first option that is not one."""
    checks = {"languages": tags_fault, "device": _device_fault, **{one.name: one.fault for one in NUMBERS}}
    for name, value in options.items():
        if name not in checks:
            raise EngineError(f"options/{name}: no such option; there are: {', '.join(checks)}")
        if (fault := checks[name](value)) is not None:
            raise EngineError(f"options/{name}: {fault}, not {value!r}")
    languages = tuple(tag.lower() for tag in options.get("languages", ()))
    return Wishes(**{**options, "languages": languages})


def _device_fault(value: object) -> str | None:
    return None if value in DEVICES else f"must be one of {', '.join(DEVICES)}"
