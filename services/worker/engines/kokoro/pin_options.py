"""The table ``options`` of a catalog's pin of this family, checked.

options = {languages = ["en-us", "en"], max_piece_chars = 200, device = "cuda", threads = 4}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.language_tags import tags_fault
from services.worker.engines.onnx_models.session import device_fault
from services.worker.engines.options import Number, unknown

NUMBERS = (
    Number("max_piece_chars", 300, 50, 2_000, "longer texts are split", whole=True),
    Number("threads", 1, 1, 64, "how many threads the model may use", whole=True),
)


@dataclass(frozen=True, slots=True)
class KokoroPinOptions:
    """The catalog's options of one pin."""

    languages: tuple[str, ...] = ()
    """Of the languages that the voices speak, those that are served. Empty: all."""
    max_piece_chars: int = 300
    device: str = "cpu"
    threads: int = 1
    """The default is one, because several hosts run at once."""


def pin_options(options: Mapping[str, Any]) -> KokoroPinOptions:
    """Return the checked options. Raises `EngineError` for the first one that is unknown or wrong."""
    checks = {"languages": tags_fault, "device": device_fault, **{one.name: one.fault for one in NUMBERS}}
    for name, value in options.items():
        if name not in checks:
            raise unknown(name, checks)
        if (fault := checks[name](value)) is not None:
            raise EngineError(f"options/{name}: {fault}, not {value!r}")
    languages = tuple(tag.lower() for tag in options.get("languages", ()))
    return KokoroPinOptions(**{**options, "languages": languages})
