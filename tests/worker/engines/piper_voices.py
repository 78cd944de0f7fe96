"""Tiny voices of Piper: graphs with the inputs, the output and the operators that matter of what Piper exports.

They hum: as long as phonemes, length scale and noise say, as high as the speaker is, and with breath, which is noise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

from services.worker.engines.piper.graph import DRAWN
from tests.worker.engines.onnx_constants import constants

SAMPLE_RATE = 22_050
FRAME = 256
"""Samples."""
PITCHES_HZ = (110.0, 165.0)
"""Of the speakers ``low`` and ``high``."""
IPA = " !',-.:;?abcdefhijklmnopqrstuvwxyzæçðøŋœɐɑɒɔəɚɛɜɡɪɬɹɾʃʊʌʒʔθᵻʲˈˌː̩0123456789"

Step = tuple[str, Sequence[str], str]


def files(speakers: int = 1, path: str = "voice.onnx", **changes: Any) -> dict[str, bytes]:
    """Path -> content of a voice; ``changes`` are members of its JSON."""
    return {path: model(speakers).SerializeToString(), f"{path}.json": json.dumps(said(speakers, **changes)).encode()}


def said(speakers: int = 1, **changes: Any) -> Mapping[str, Any]:
    """The JSON beside the model."""
    return {
        "audio": {"sample_rate": SAMPLE_RATE, "quality": "low"},
        "espeak": {"voice": "en-us"},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": {sign: [number] for number, sign in enumerate(["_", "^", "$", *IPA])},
        "num_symbols": 256,
        "num_speakers": speakers,
        "speaker_id_map": {"high": 1, "low": 0} if speakers == 2 else {},
        "language": {"code": "en_US", "family": "en"},
        **changes,
    }


def model(speakers: int = 1, steps: Sequence[Step] | None = None) -> onnx.ModelProto:
    """The graph, of ``steps`` (operator, inputs, output) where those are given."""
    values = [
        ("input", TensorProto.INT64, ["batch_size", "phonemes"]),
        ("input_lengths", TensorProto.INT64, ["batch_size"]),
        ("scales", TensorProto.FLOAT, [3]),
        *([("sid", TensorProto.INT64, [1])] if speakers > 1 else []),
    ]
    graph = helper.make_graph(
        [helper.make_node(operator, inputs, [output]) for operator, inputs, output in steps or STEPS],
        "voice",
        [helper.make_tensor_value_info(*value) for value in values],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch_size", 1, 1, "time"])],
        constants(_CONSTANTS),
    )
    if speakers == 1:
        graph.initializer.extend(constants({"sid": [0]}))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


_CONSTANTS: Mapping[str, Any] = {
    "zero": 0,
    "one": 1,
    "first": [0],
    "second": [1],
    "third": [2],
    "most": 6,
    "half": 0.5,
    "pitches": [pitch / SAMPLE_RATE for pitch in PITCHES_HZ],
    "turn": 6.2831855,
    "octave": 2.0,
    "frame_shape": [FRAME],
    "line": [1, 1, -1],
    "wave": [1, 1, 1, -1],
    "quiet": 0.3,
    "breath": 0.02,
    "all": [-1],
}
STEPS: Sequence[Step] = (
    ("Gather", ["scales", "first"], "noise_scale"),
    ("Gather", ["scales", "second"], "length_scale"),
    ("Gather", ["scales", "third"], "noise_w"),
    # lengths: some frames by phoneme, more or less of them by noise, at the pace asked for, whole
    ("Mod", ["input", "most"], "kind"),
    ("CastLike", ["kind", "half"], "kind_float"),
    ("Mul", ["kind_float", "half"], "more"),
    ("Add", ["more", "half"], "usual"),
    ("Reshape", ["usual", "line"], "usual_line"),
    ("Shape", ["usual_line"], "line_shape"),
    ("ConstantOfShape", ["line_shape"], "line_like"),
    (DRAWN, ["line_like"], "rhythm"),
    ("Mul", ["rhythm", "noise_w"], "rhythm_scaled"),
    ("Mul", ["rhythm_scaled", "half"], "swing"),
    ("Exp", ["swing"], "stretch"),
    ("Mul", ["usual_line", "stretch"], "wanted"),
    ("Mul", ["wanted", "length_scale"], "durations"),
    ("Ceil", ["durations"], "whole"),
    ("ReduceSum", ["whole", "all"], "frames_float"),
    ("CastLike", ["frames_float", "one"], "frames_int"),
    # sound: three partials of the speaker's pitch, and breath
    ("Reshape", ["frames_int", "second"], "frames"),
    ("Mul", ["frames", "frame_shape"], "samples"),
    ("Squeeze", ["samples"], "count"),
    ("Range", ["zero", "count", "one"], "steps"),
    ("CastLike", ["steps", "half"], "time"),
    ("Gather", ["pitches", "sid"], "pitch"),
    ("Mul", ["time", "pitch"], "turns"),
    ("Mul", ["turns", "turn"], "angle"),
    ("Sin", ["angle"], "fundamental"),
    ("Mul", ["angle", "octave"], "angle_2"),
    ("Sin", ["angle_2"], "overtone"),
    ("Mul", ["angle_2", "octave"], "angle_4"),
    ("Sin", ["angle_4"], "brightness"),
    ("Sum", ["fundamental", "overtone", "brightness"], "hum"),
    ("Mul", ["hum", "quiet"], "hum_quiet"),
    ("ConstantOfShape", ["samples"], "air_like"),
    (DRAWN, ["air_like"], "air"),
    ("Mul", ["air", "noise_scale"], "air_scaled"),
    ("Mul", ["air_scaled", "breath"], "breathing"),
    ("Add", ["hum_quiet", "breathing"], "sound"),
    ("Reshape", ["sound", "wave"], "output"),
)
