"""One form for equal graphs: tf2onnx numbers its tensors, and orders its nodes, differently each time that it runs.

Nodes stand in the order in which the outputs need them, and tensors are numbered in that order. What they compute stays
as it is. Names of the model's inputs and outputs stay too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any


def canonical(model: Any) -> bytes:
    """Return an ONNX model as bytes in that form. The model is changed."""
    sys.setrecursionlimit(100_000)  # as deep as the graph is long
    kept = {value.name for value in (*model.graph.input, *model.graph.output)}
    _in_order(model.graph)
    _renamed(model.graph, {name: name for name in ("", *kept)})
    model.ClearField("doc_string")
    return bytes(model.SerializeToString(deterministic=True))


def _in_order(graph: Any) -> None:
    """Sort the nodes and the constants of a graph, and of those inside it, by when an output needs them. What none
    needs is left out."""
    makers = {output: node for node in graph.node for output in node.output}
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes: dict[int, Any] = {}
    used: dict[str, Any] = {}
    begun: set[int] = set()

    def need(name: str) -> None:
        if name in weights:
            used.setdefault(name, weights[name])
        node = makers.get(name)
        if node is None or id(node) in begun:
            return
        begun.add(id(node))
        for inner in _inner(node):
            _in_order(inner)
        for needed in _needed(node):
            need(needed)
        nodes[id(node)] = node

    for output in graph.output:
        need(output.name)
    _replace(graph.node, nodes.values())
    _replace(graph.initializer, used.values())
    del graph.value_info[:]


def _needed(node: Any) -> Iterator[str]:
    """Yield the names that a node takes, those that the graphs inside it take from outside included."""
    yield from node.input
    for inner in _inner(node):
        own = {value.name for value in (*inner.input, *inner.initializer)}
        own |= {output for one in inner.node for output in one.output}
        taken = [name for one in inner.node for name in _needed(one)] + [output.name for output in inner.output]
        yield from (name for name in taken if name not in own)


def _renamed(graph: Any, names: dict[str, str]) -> None:
    """Number all tensors; ``names`` has what was numbered before."""

    def numbered(name: str) -> str:
        return names.setdefault(name, f"t{len(names)}")

    graph.name, graph.doc_string = "graph", ""
    for value in (*graph.input, *graph.initializer):
        value.name = numbered(value.name)
    for node in graph.node:
        node.name = node.doc_string = ""
        node.input[:] = map(numbered, node.input)
        for inner in _inner(node):
            _renamed(inner, names)
        node.output[:] = map(numbered, node.output)
        _replace(node.attribute, sorted(node.attribute, key=lambda attribute: attribute.name))
        for attribute in node.attribute:
            if attribute.HasField("t"):
                attribute.t.name = ""
    for value in graph.output:
        value.name = numbered(value.name)
    for value in (*graph.input, *graph.output):
        for size in value.type.tensor_type.shape.dim:
            size.ClearField("dim_param")


def _inner(node: Any) -> Iterator[Any]:
    return (attribute.g for attribute in node.attribute if attribute.HasField("g"))


def _replace(field: Any, messages: Any) -> None:
    copies = [type(message).FromString(message.SerializeToString()) for message in messages]
    del field[:]
    field.extend(copies)
