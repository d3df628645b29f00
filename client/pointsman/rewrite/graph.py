"""An ONNX graph with look-ups by value: who makes it, who reads it, whether it is a constant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from pointsman.errors import UnsupportedModelError

Array = npt.NDArray[Any]
AttributeValue = int | float | str | Sequence[int]


def describe(node: onnx.NodeProto) -> str:
    """A node as messages name it: operator, then the node's name or its first output."""
    kind = f"{node.domain}::{node.op_type}" if node.domain else node.op_type
    return f"{kind} node {(node.name or node.output[0])!r}"


def refusal(node: onnx.NodeProto, why: str) -> UnsupportedModelError:
    """The error of a rewrite that a node stopped."""
    return UnsupportedModelError(f"{describe(node)}: {why}")


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:  # noqa: ANN401
    """The value of a node's attribute, or `default` where it is absent."""
    for item in node.attribute:
        if item.name == name:
            return helper.get_attribute_value(item)
    return default


class Graph:
    """The main graph of a model. Changes go through its methods, which keep the look-ups true."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.opset = next(
            (entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0
        )
        graph = model.graph
        self._initializers = {tensor.name: tensor for tensor in graph.initializer}
        self.inputs = [value for value in graph.input if value.name not in self._initializers]
        self.outputs = {value.name for value in graph.output}
        self._producers: dict[str, onnx.NodeProto] = {}
        self._consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        self._names = {value.name for value in graph.input} | set(self._initializers)
        self._names |= {node.name for node in graph.node}
        for node in graph.node:
            self._index(node)

    @property
    def nodes(self) -> Sequence[onnx.NodeProto]:
        """The nodes, producers before consumers up to what was added since `finish`."""
        return self.model.graph.node

    def _index(self, node: onnx.NodeProto) -> None:
        for name in node.output:
            self._producers[name] = node
            self._names.add(name)
        for name in read_by(node):
            self._consumers[name].append(node)

    def producer(self, value: str) -> onnx.NodeProto | None:
        """The node that makes a value; None for inputs and initializers."""
        return self._producers.get(value)

    def consumers(self, value: str) -> list[onnx.NodeProto]:
        """The nodes that read a value, each once."""
        unique: list[onnx.NodeProto] = []
        for node in self._consumers[value]:
            if not any(node is other for other in unique):
                unique.append(node)
        return unique

    def constant(self, value: str) -> Array | None:
        """The value of an initializer or a Constant node, else None."""
        if value in self._initializers:
            return np.asarray(numpy_helper.to_array(self._initializers[value]))
        node = self._producers.get(value)
        if node is None or node.op_type != "Constant" or node.domain:
            return None
        for item in node.attribute:
            content = helper.get_attribute_value(item)
            if item.name == "value":
                return np.asarray(numpy_helper.to_array(content))
            if item.name in ("value_int", "value_ints"):
                return np.asarray(content, np.int64)
            if item.name in ("value_float", "value_floats"):
                return np.asarray(content, np.float32)
        return None

    def size(self, value: str) -> tuple[tuple[int, ...], np.dtype[Any]] | None:
        """Shape and type of an initializer or a Constant node, else None."""
        tensor = self._initializers.get(value)
        if tensor is not None:  # not read: it may be large
            dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
            return tuple(tensor.dims), dtype
        array = self.constant(value)
        return None if array is None else (array.shape, array.dtype)

    def add(
        self,
        op_type: str,
        inputs: Sequence[str],
        name: str,
        domain: str = "",
        **attributes: AttributeValue,
    ) -> str:
        """Add a node with one output; the name of both is derived from `name`. Return it."""
        return self.add_many(op_type, inputs, [name], domain, **attributes)[0]

    def add_many(
        self,
        op_type: str,
        inputs: Sequence[str],
        names: Sequence[str],
        domain: str = "",
        **attributes: AttributeValue,
    ) -> list[str]:
        """Add a node; its outputs' names are derived from `names`. Return them."""
        unique = [self._unique(name) for name in names]
        node = helper.make_node(op_type, inputs, unique, name=unique[0], domain=domain)
        node.attribute.extend(helper.make_attribute(*item) for item in attributes.items())
        self.model.graph.node.append(node)
        self._index(self.model.graph.node[-1])
        return unique

    def add_constant(self, array: Array, name: str) -> str:
        """Add an initializer; return its name."""
        unique = self._unique(name)
        tensor = numpy_helper.from_array(array, unique)
        self.model.graph.initializer.append(tensor)
        self._initializers[unique] = tensor
        self._names.add(unique)
        return unique

    def _unique(self, name: str) -> str:
        candidate, number = name, 1
        while candidate in self._names:
            number += 1
            candidate = f"{name}_{number}"
        self._names.add(candidate)
        return candidate

    def redirect(self, old: str, new: str) -> None:
        """Let every node that reads `old` read `new`, and graph outputs keep their name."""
        for node in self.consumers(old):
            for index, name in enumerate(node.input):
                if name == old:
                    node.input[index] = new
            self._consumers[new].append(node)
        self._consumers[old] = []
        if old in self.outputs:
            self.add_alias(new, old)

    def add_alias(self, value: str, output: str) -> None:
        """Make a graph output, whose producer is no longer wanted, a copy of `value`."""
        producer = self._producers[output]
        for index, name in enumerate(producer.output):
            if name == output:
                producer.output[index] = self._unique(f"{output}_before")
                self._producers[producer.output[index]] = producer
        node = helper.make_node("Identity", [value], [output], name=self._unique(f"{output}_copy"))
        self.model.graph.node.append(node)
        self._index(self.model.graph.node[-1])

    def finish(self) -> None:
        """Remove what no output needs, and put the nodes in topological order."""
        graph = self.model.graph
        order = list(ordered(graph.node, self.outputs))
        kept = {name for node in order for name in (*node.output, *read_by(node))} | self.outputs
        for field in (graph.value_info, graph.initializer):
            for index in reversed(range(len(field))):
                if field[index].name not in kept:
                    del field[index]
        gone = self._initializers.keys() - {tensor.name for tensor in graph.initializer}
        for index in reversed(range(len(graph.input))):
            if graph.input[index].name in gone:
                del graph.input[index]
        nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in order]
        del graph.node[:]
        graph.node.extend(nodes)


def read_by(node: onnx.NodeProto) -> Iterator[str]:
    """Names of the values a node reads, those that its subgraphs take from outside included."""
    for name in node.input:
        if name:
            yield name
    for item in node.attribute:
        graphs = [item.g] if item.type == onnx.AttributeProto.GRAPH else list(item.graphs)
        for graph in graphs:
            own = {value.name for value in graph.input}
            own |= {tensor.name for tensor in graph.initializer}
            own |= {name for inner in graph.node for name in inner.output}
            for inner in graph.node:
                yield from (name for name in read_by(inner) if name not in own)
            yield from (value.name for value in graph.output if value.name not in own)


def ordered(nodes: Iterable[onnx.NodeProto], wanted: Iterable[str]) -> Iterator[onnx.NodeProto]:
    """The nodes that `wanted` values need, producers first, otherwise in the given order."""
    listed = list(nodes)
    position = {name: index for index, node in enumerate(listed) for name in node.output if name}
    needed: set[int] = set()
    stack = [position[name] for name in wanted if name in position]
    while stack:
        index = stack.pop()
        if index not in needed:
            needed.add(index)
            stack += [position[name] for name in read_by(listed[index]) if name in position]
    done: set[int] = set()
    for root in sorted(needed):
        stack = [root]
        while stack:
            index = stack[-1]
            missing = [
                position[name]
                for name in read_by(listed[index])
                if name in position and position[name] not in done
            ]
            if index in done or not missing:
                stack.pop()
                if index not in done:
                    done.add(index)
                    yield listed[index]
            else:
                stack += missing


def subgraph(model: onnx.ModelProto, outputs: Sequence[str]) -> onnx.ModelProto:
    """The part of a model that computes `outputs`, as a model of its own."""
    graph = model.graph
    nodes = list(ordered(graph.node, outputs))
    read = {name for node in nodes for name in read_by(node)} | set(outputs)
    part = onnx.GraphProto(name="part")
    part.node.extend(nodes)
    part.initializer.extend(tensor for tensor in graph.initializer if tensor.name in read)
    part.input.extend(value for value in graph.input if value.name in read)
    part.output.extend(onnx.ValueInfoProto(name=name) for name in outputs)
    result = onnx.ModelProto(ir_version=model.ir_version, graph=part)
    result.opset_import.extend(model.opset_import)
    return result
