"""Lengths of phonemes, of models that divide them by the speed and round them to whole frames, at least one.

So fast speech comes out slower than asked. The graph is changed in memory to give the lengths too, which tell by how
much. All weights and operators stay as published.
"""

from __future__ import annotations

from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.onnx_models.graph import model_of, require_nothing_drawn

WHAT = "the model"
SLOWEST, FASTEST = 0.5, 2.0
"""The speeds that are left to such a model; beyond these, lengths of phonemes are mostly rounding."""


def with_lengths(raw: bytes) -> tuple[bytes, str]:
    """Return the model in ``raw`` (ONNX) and the name of the added output: float, the frames that each phoneme should
    last at speed 1, before rounding. Raises `EngineError` if it is no such model, or draws
    random numbers."""
    from onnx import TensorProto, helper

    model = model_of(raw, WHAT)
    require_nothing_drawn(model, WHAT)
    makers = {output: node for node in model.graph.node for output in node.output}
    rounded = [node.input[0] for node in model.graph.node if node.op_type == "Round"]
    divisions = [makers[name] for name in rounded if name in makers and makers[name].op_type == "Div"]
    if len(divisions) != 1:
        raise EngineError(
            f"expected one division that is rounded, for the lengths of phonemes (found {len(divisions)})"
        )
    lengths = str(divisions[0].input[0])
    if lengths not in (output.name for output in model.graph.output):
        model.graph.output.append(helper.make_tensor_value_info(lengths, TensorProto.FLOAT, None))
    return model.SerializeToString(), lengths


def own_speed(speed: float) -> float:
    """Return what of ``speed`` is left to the model."""
    return min(max(speed, SLOWEST), FASTEST)


def whole_frames(lengths: Any) -> int:
    """Return the frames that the model makes of ``lengths``, numbers of any shape."""
    import numpy as np

    return int(np.maximum(np.rint(lengths), 1).sum())
