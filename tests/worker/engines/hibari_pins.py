"""Pins of Hibari, of the model that its package brings: small enough for every test to speak with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import onnx
from onnx import helper

Step = tuple[str, Sequence[str], str]


def files(**changes: Any) -> dict[str, bytes]:
    """Path -> content of a pin; ``changes`` replace ``model``, ``voices`` or ``vocab``."""
    voices = changes.get("voices", json.loads(_asset("voices.json")))
    return {
        "hibari.onnx": changes.get("model", _asset("hibari.onnx")),
        "vocab.json": json.dumps(changes.get("vocab", numbers()), ensure_ascii=False).encode(),
        "voices.json": json.dumps(voices).encode(),
    }


def two_accents() -> dict[str, bytes]:
    """A pin whose American model speaks as the British voice too: that of the British one is not in the package."""
    return {**files(), "voices/bf_emma.int8.onnx": _asset("hibari.onnx")}


def numbers() -> Mapping[str, int]:
    return dict(json.loads(_asset("vocab.json")))


def with_steps(*steps: Step, replaced: Sequence[str] = ()) -> bytes:
    """The model with more operators at its end (operator, inputs, output). ``replaced``: outputs that these give; what
    ``f0`` was before is ``f0 before``."""
    model = onnx.load_model_from_string(_asset("hibari.onnx"))
    for node in model.graph.node:
        node.input[:] = [f"{name} before" if name in replaced else name for name in node.input]
        node.output[:] = [f"{name} before" if name in replaced else name for name in node.output]
    model.graph.node.extend(helper.make_node(kind, list(inputs), [output]) for kind, inputs, output in steps)
    return bytes(model.SerializeToString())


def _asset(name: str) -> bytes:
    """A file of the installed package."""
    spec = find_spec("hibari")
    assert spec is not None
    assert spec.origin is not None
    return (Path(spec.origin).parent / "assets" / name).read_bytes()
