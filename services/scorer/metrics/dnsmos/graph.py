"""Cuts a part out of an ONNX model, and reads a tensor of it.

Owns just enough of the format (onnx.proto3 in protobuf's wire encoding) to keep some nodes of a graph, to name new
inputs and outputs, and to read weights. Knows no operator. It saves the dependency on the onnx package, which the
scorer needs for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_OUTPUT = 1, 2
_TENSOR_DIMS, _TENSOR_FLOATS, _TENSOR_NAME, _TENSOR_RAW = 1, 4, 8, 9
_FLOAT = 1


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    raw: bytes
    """The complete field as it is in the message."""
    body: bytes
    """Its content if it has a length, else empty."""


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _fields(message: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(message):
        start = at
        key, at = _read_varint(message, at)
        kind, body = key & 7, b""
        if kind == _VARINT:
            _, at = _read_varint(message, at)
        elif kind == _BYTES:
            size, at = _read_varint(message, at)
            body = message[at : at + size]
            at += size
        else:
            at += _FIXED_SIZES[kind]
        yield _Field(key >> 3, message[start:at], body)


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(body)) + body


def _names(node: bytes, number: int) -> list[str]:
    return [field.body.decode() for field in _fields(node) if field.number == number]


def _float_tensor(name: str) -> bytes:
    """Return a ValueInfoProto: a tensor of float32 whose shape is open."""
    element_type = _varint(1 << 3 | _VARINT) + _varint(_FLOAT)
    return _field(1, name.encode()) + _field(2, _field(1, element_type))


def _needed(nodes: Sequence[bytes], inputs: Sequence[str], outputs: Sequence[str]) -> list[bytes]:
    """Return the nodes between ``inputs`` and ``outputs``. ``nodes`` are in topological order, as the format
    demands."""
    wanted = set(outputs) - set(inputs)
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(_names(node, _NODE_OUTPUT)):
            kept.append(node)
            wanted.update(set(_names(node, _NODE_INPUT)) - set(inputs))
    return kept[::-1]


def cut(model: bytes, *, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """Return a model that computes the tensors ``outputs`` from the tensors ``inputs``, cut out of ``model``.

    All of these tensors are float32. Their shapes are left open, so the part may run on other lengths than the whole.
    """
    fields = list(_fields(model))
    graph = next(field.body for field in fields if field.number == _MODEL_GRAPH)
    members = list(_fields(graph))
    nodes = _needed([m.body for m in members if m.number == _GRAPH_NODE], inputs, outputs)
    used = {name for node in nodes for name in _names(node, _NODE_INPUT)}
    replaced = {_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO}
    part = b"".join(
        [m.raw for m in members if m.number not in replaced]
        + [_field(_GRAPH_NODE, node) for node in nodes]
        + [m.raw for m in members if m.number == _GRAPH_INITIALIZER and used.intersection(_names(m.body, _TENSOR_NAME))]
        + [_field(_GRAPH_INPUT, _float_tensor(name)) for name in inputs]
        + [_field(_GRAPH_OUTPUT, _float_tensor(name)) for name in outputs]
    )
    return b"".join(f.raw for f in fields if f.number != _MODEL_GRAPH) + _field(_MODEL_GRAPH, part)


def tensor(model: bytes, name: str) -> npt.NDArray[np.float32]:
    """Return the float32 weights ``name`` of ``model``. Raises `LookupError` if it has none of that name."""
    graph = next(field.body for field in _fields(model) if field.number == _MODEL_GRAPH)
    for member in _fields(graph):
        if member.number == _GRAPH_INITIALIZER and name in _names(member.body, _TENSOR_NAME):
            written = [f.body for f in _fields(member.body) if f.number in (_TENSOR_FLOATS, _TENSOR_RAW)]
            return np.frombuffer(b"".join(written), "<f4").reshape(_dims(member.body))  # little-endian in both
    raise LookupError(f"the model has no weights {name!r}")


def _dims(tensor_body: bytes) -> list[int]:
    """Return the dimensions. They come one per field, or packed into one field."""
    dims: list[int] = []
    for field in _fields(tensor_body):
        if field.number == _TENSOR_DIMS:
            packed, at = field.body or field.raw[1:], 0
            while at < len(packed):
                value, at = _read_varint(packed, at)
                dims.append(value)
    return dims
