"""The table ``options`` of a catalog's pin whose model is in ONNX, checked.

options = {languages = ["en-gb"], max_piece_chars = 200, device = "cuda", threads = 4}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.language_tags import tags_fault
from services.worker.engines.onnx_models.session import device_fault
from services.worker.engines.options import Number, unknown

_PIECE = Number("max_piece_chars", 400, 50, 2_000, "longer texts are split", whole=True)
_THREADS = Number("threads", 1, 1, 64, "how many threads one model may use", whole=True)


@dataclass(frozen=True, slots=True)
class OnnxPinOptions:
    """The catalog's options of one pin."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags, the default first. Empty: what the model says."""
    max_piece_chars: int = 400
    device: str = "cpu"
    threads: int = 1
    """More than one thread makes a model faster if cores are idle, and changes the samples by rounding at most. The
    default is one, because several hosts run at once."""


def pin_options(options: Mapping[str, Any], default: OnnxPinOptions | None = None) -> OnnxPinOptions:
    """Return the checked options; ``default`` has those that are not given. Raises `EngineError` for the first one that
    is unknown or wrong."""
    checks = {"languages": tags_fault, "device": device_fault, **{one.name: one.fault for one in (_PIECE, _THREADS)}}
    for name, value in options.items():
        if name not in checks:
            raise unknown(name, checks)
        if (fault := checks[name](value)) is not None:
            raise EngineError(f"options/{name}: {fault}, not {value!r}")
    languages = tuple(tag.lower() for tag in options.get("languages", ()))
    return replace(default or OnnxPinOptions(), **{**options, "languages": languages})
