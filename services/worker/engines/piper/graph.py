"""The graph of a voice, changed in memory so that its noise is an input and its durations are an output.

Piper's voices draw their noise inside the graph (ONNX operator RandomNormalLike). onnxruntime seeds it once per
session, so the same request would sound different every time; a session per utterance would cost more than the
utterance. Here each of these operators is replaced by an input of the graph: a list of numbers, read from its beginning
and again from there if it is too short. An output says how many were needed. All weights and all other operators stay
as published. Knows neither voices nor onnxruntime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.onnx_models.graph import model_of, require_nothing_drawn

DRAWN = "RandomNormalLike"


@dataclass(frozen=True, slots=True)
class Ports:
    """The inputs and outputs that a prepared graph has in addition to its own."""

    noises: tuple[str, ...]
    """Inputs, float (any,): independent standard normal numbers."""
    needed: tuple[str, ...]
    """Outputs, int64 scalar: how many of each noise were needed."""
    durations: str
    """Output, float (1, 1, n): the frames that each phoneme should last, before rounding up to whole ones."""


def prepared(raw: bytes) -> tuple[bytes, Ports]:
    """Return the model in ``raw`` (ONNX), changed so that it draws nothing itself.

    Raises `EngineError` if it is no ONNX model, or not one as Piper exports them.
    """
    from onnx import TensorProto, helper

    model = model_of(raw, "the voice")
    require_nothing_drawn(model, "the voice", but=(DRAWN,))
    nodes: list[Any] = []
    noises: list[str] = []
    for node in model.graph.node:
        if node.op_type != DRAWN:
            nodes.append(node)
            continue
        noise = f"ringtrue_noise_{len(noises)}"
        noises.append(noise)
        nodes += _reading(node, noise)
        model.graph.input.append(helper.make_tensor_value_info(noise, TensorProto.FLOAT, [noise]))
        model.graph.output.append(helper.make_tensor_value_info(_needed(noise), TensorProto.INT64, []))
    durations = _durations(model.graph)
    if durations not in (output.name for output in model.graph.output):
        model.graph.output.append(helper.make_tensor_value_info(durations, TensorProto.FLOAT, None))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model.SerializeToString(), Ports(tuple(noises), tuple(map(_needed, noises)), durations)


def _reading(drawn: Any, noise: str) -> Sequence[Any]:
    """Return the operators (of opset 12 and later) that replace ``drawn`` and read the numbers of the input
    ``noise``."""
    from onnx import helper

    said = {attribute.name: helper.get_attribute_value(attribute) for attribute in drawn.attribute}
    if (said.get("mean", 0.0), said.get("scale", 1.0), said.get("dtype", 1)) != (0.0, 1.0, 1):
        raise EngineError(f"the voice's {DRAWN} is not standard normal in float32")

    def step(operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> Any:
        return helper.make_node(operator, inputs, [output], name=output, **attributes)

    (like,), (output,) = drawn.input, drawn.output
    return (
        step("Constant", [], f"{noise}_zero", value_int=0),
        step("Constant", [], f"{noise}_one", value_int=1),
        step("Shape", [like], f"{noise}_shape"),
        step("Size", [like], _needed(noise)),
        step("Size", [noise], f"{noise}_given"),
        step("Range", [f"{noise}_zero", _needed(noise), f"{noise}_one"], f"{noise}_counted"),
        step("Mod", [f"{noise}_counted", f"{noise}_given"], f"{noise}_places"),
        step("Gather", [noise, f"{noise}_places"], f"{noise}_read"),
        step("Reshape", [f"{noise}_read", f"{noise}_shape"], output),
    )


def _needed(noise: str) -> str:
    return f"{noise}_needed"


def _durations(graph: Any) -> str:
    """Return the tensor that is rounded up. Piper's export uses Ceil only for it (Piper's own alignment tool relies on
    that)."""
    rounded = [node.input[0] for node in graph.node if node.op_type == "Ceil"]
    if len(rounded) != 1:
        raise EngineError(f"expected one Ceil in the voice, for the lengths of phonemes (found {len(rounded)})")
    return str(rounded[0])
