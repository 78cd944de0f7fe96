"""The graph of the model, changed in memory so that the lengths of phonemes are an output.

The model divides them by the speed and rounds them to whole frames, at least one. So fast speech comes out slower than
asked, and the lengths tell by how much. All weights and operators stay as published.
"""

from __future__ import annotations

from services.worker.engines.base import EngineError
from services.worker.engines.onnx_models.graph import model_of, require_nothing_drawn

WHAT = "the model"


def prepared(raw: bytes) -> tuple[bytes, str]:
    """Return the model in ``raw`` (ONNX) and the name of the added output: float, the frames that each phoneme should
    last at speed 1, before rounding. Raises `EngineError` if it is not one as Kokoro is exported."""
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
