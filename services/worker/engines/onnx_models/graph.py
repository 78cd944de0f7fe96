"""A graph in memory, and the operators in it that draw random numbers.

Knows no engine and not onnxruntime.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from services.worker.engines.base import EngineError

_DRAWING = ("RandomNormalLike", "RandomNormal", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")


def model_of(raw: bytes, what: str) -> Any:
    """Return the model in ``raw`` (ONNX). Raises `EngineError`, which calls it ``what``, if it is none."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return onnx.load_model_from_string(raw)
    except DecodeError as error:
        raise EngineError(f"{what} is not an ONNX model: {error}") from error


def require_nothing_drawn(model: Any, what: str, but: Sequence[str] = ()) -> None:
    """Raise `EngineError` if an operator draws random numbers. Those ``but`` may, outside of other operators."""
    outer = [node.op_type for node in model.graph.node if node.op_type in _DRAWING and node.op_type not in but]
    hidden = [node.op_type for inner in _hidden(model) for node in inner if node.op_type in _DRAWING]
    if found := outer + hidden:
        raise EngineError(f"{what} draws random numbers by {found[0]}, which cannot be seeded")


def _hidden(model: Any) -> Iterator[Sequence[Any]]:
    """Yield the operators inside others (If, Loop, Scan) and inside the model's own functions."""
    waiting = [*(function.node for function in model.functions), model.graph.node]
    yield from waiting[:-1]
    while waiting:
        for node in waiting.pop():
            for attribute in node.attribute:
                for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                    yield inner.node
                    waiting.append(inner.node)
