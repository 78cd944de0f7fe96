"""A tiny Kokoro: a graph with the inputs, the output and the rounding of the published one, its phonemes, and voices.

It hums: as long as phonemes and speed say, as high as the voice, and a little brighter or duller by which phonemes they
are and in which order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from services.worker.engines.kokoro.files import STYLE
from services.worker.engines.kokoro.model import MOST_PHONEMES, SAMPLE_RATE
from tests.worker.engines.onnx_constants import constants

FRAME = 600
"""Samples."""
PITCHES_HZ = {
    "af_heart": 165.0,
    "am_adam": 110.0,
    "bf_emma": 180.0,
    "zf_xiaoxiao": 190.0,
    "zm_yunxi": 120.0,
    "jf_alpha": 200.0,
    "jm_kumo": 115.0,
    "ef_dora": 210.0,
    "ff_siwis": 205.0,
    "hf_alpha": 195.0,
    "im_nicola": 112.0,
    "pf_dora": 185.0,
    "xf_nobody": 170.0,
}
"""By voice."""
PHONEMES = (
    ';:,.!?—…"()“” ʣʥʦʨᵝꭧAIOQSTWYᵊabcdefhijklmnopqrstuvwxyzɑɐɒæβɔɕçɖðʤəɚɛɜɟɡɥɨɪʝɯɰŋɳɲɴøɸθœɹɾɻʁɽʂʃʈʧʊʋʌɣɤχʎʒʔˈˌːʰʲ↓→↗↘ᵻ'
)
PHONEMES += "\N{COMBINING TILDE}"
Step = tuple[str, Sequence[str], str]


def files(voices: Sequence[str] = tuple(PITCHES_HZ), **changes: bytes) -> dict[str, bytes]:
    """Path -> content of a pin; ``changes`` replace ``model`` or ``vocab``."""
    return {
        "model.onnx": changes.get("model", model().SerializeToString()),
        "vocab.json": changes.get("vocab", json.dumps({"vocab": numbers()}, ensure_ascii=False).encode()),
        **{f"voices/{name}.bin": voice(PITCHES_HZ[name]) for name in voices},
    }


def numbers() -> Mapping[str, int]:
    return {phoneme: number for number, phoneme in enumerate(PHONEMES, 1)}


def voice(pitch_hz: float) -> bytes:
    styles = np.zeros((MOST_PHONEMES, STYLE), "<f4")
    styles[:, 0] = pitch_hz / SAMPLE_RATE
    return styles.tobytes()


def model(steps: Sequence[Step] | None = None, tokens: str = "tokens") -> onnx.ModelProto:
    """The graph, of ``steps`` (operator, inputs, output) where those are given."""
    values = [
        (tokens, TensorProto.INT64, [1, "sequence_length"]),
        ("style", TensorProto.FLOAT, [1, STYLE]),
        ("speed", TensorProto.FLOAT, [1]),
    ]
    graph = helper.make_graph(
        [
            helper.make_node(kind, [tokens if name == "tokens" else name for name in inputs], [output])
            for kind, inputs, output in steps or STEPS
        ],
        "kokoro",
        [helper.make_tensor_value_info(*value) for value in values],
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["audio_length"])],
        constants(_CONSTANTS),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


_CONSTANTS: Mapping[str, Any] = {
    "zero": 0,
    "one": 1,
    "first": [0],
    "line": [-1],
    "most": 6,
    "kinds": 997,
    "many": 997.0,
    "shortest": 1.2,
    "half": 0.5,
    "least": 1.0,
    "frame": FRAME,
    "turn": 6.2831855,
    "octave": 2.0,
    "quiet": 0.2,
}
STEPS: Sequence[Step] = (
    # lengths: some frames by phoneme, divided by the speed, rounded, at least one
    ("Reshape", ["tokens", "line"], "row"),
    ("Mod", ["row", "most"], "kind"),
    ("CastLike", ["kind", "half"], "kind_float"),
    ("Mul", ["kind_float", "half"], "more"),
    ("Add", ["more", "shortest"], "lengths"),
    ("Div", ["lengths", "speed"], "wanted"),
    ("Round", ["wanted"], "rounded"),
    ("Clip", ["rounded", "least"], "whole"),
    ("ReduceSum", ["whole", "first"], "frames_float"),
    ("CastLike", ["frames_float", "one"], "frames"),
    ("Mul", ["frames", "frame"], "samples"),
    ("Squeeze", ["samples"], "count"),
    # brightness: by phonemes and their places
    ("Size", ["row"], "length"),
    ("Range", ["zero", "length", "one"], "places"),
    ("Mul", ["places", "row"], "weighed"),
    ("ReduceSum", ["weighed", "first"], "sum"),
    ("Mod", ["sum", "kinds"], "shade"),
    ("CastLike", ["shade", "half"], "shade_float"),
    ("Div", ["shade_float", "many"], "brightness"),
    # sound: three partials of the voice's pitch
    ("Range", ["zero", "count", "one"], "steps"),
    ("CastLike", ["steps", "half"], "time"),
    ("Reshape", ["style", "line"], "style_row"),
    ("Gather", ["style_row", "first"], "pitch"),
    ("Mul", ["time", "pitch"], "turns"),
    ("Mul", ["turns", "turn"], "angle"),
    ("Sin", ["angle"], "fundamental"),
    ("Mul", ["angle", "octave"], "angle_2"),
    ("Sin", ["angle_2"], "overtone"),
    ("Mul", ["angle_2", "octave"], "angle_4"),
    ("Sin", ["angle_4"], "edge"),
    ("Mul", ["edge", "brightness"], "edge_shaded"),
    ("Sum", ["fundamental", "overtone", "edge_shaded"], "hum"),
    ("Mul", ["hum", "quiet"], "audio"),
)
