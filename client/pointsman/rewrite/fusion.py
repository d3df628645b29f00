"""Puts the attention op in the place of the attention that was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from pointsman.rewrite.attention import BHSD, BSHD, DOMAIN, OP, Attention, Operand, transposed
from pointsman.rewrite.graph import Graph, attribute, refusal
from pointsman.rewrite.masks import Meaning
from pointsman.rewrite.runs import FLOATS, MASK, Trace

_ELEMENTWISE = {"Add", "Sub", "Mul", "Div", "Neg", "Cast", "Identity"}


@dataclass(frozen=True)
class Fused:
    """One op that was added, and the value it stands for.

    Attributes:
        softmax: the node it replaces, and all around it.
        op: the op's output, in the layout below.
        layout: BSHD or BHSD.
        original: what the unfused graph computes, [B, H, S, D].
        meaning: which keys a token sees.
        quantised: whether the original computes a product of activations in int8.
    """

    softmax: onnx.NodeProto
    op: str
    layout: str
    original: str
    meaning: Meaning
    quantised: bool


class Fusion:
    """Adds ops beside the attentions they will replace.

    Until `connect` is called the graph computes what it did, so that both can be compared on the
    very same Q, K and V.
    """

    def __init__(self, graph: Graph, trace: Trace) -> None:
        self._graph = graph
        self._trace = trace
        self._reordered: dict[tuple[str, str, str], str] = {}
        self._biases: dict[np.dtype[np.generic], str] = {}
        self._constants: dict[str, str] = {}

    def add(self, attentions: Sequence[Attention], meanings: Sequence[Meaning]) -> list[Fused]:
        """Add one op for each attention."""
        opsets = self._graph.model.opset_import
        opsets.append(helper.make_opsetid(DOMAIN, 1))
        return [
            self._add(index, attention, meaning)
            for index, (attention, meaning) in enumerate(zip(attentions, meanings, strict=True))
        ]

    def _add(self, index: int, attention: Attention, meaning: Meaning) -> Fused:
        operands = (attention.query, attention.key, attention.value)
        _, transposes = self._chain(attention.output)
        in_place = bool(transposes) and all(self._can_reorder(item, BSHD) for item in operands)
        layout = BSHD if in_place else BHSD
        dtypes = {self._trace.types[item.value] for item in operands}
        dtype = dtypes.pop() if len(dtypes) == 1 else np.dtype(np.float32)
        inputs = [self._operand(item, layout, dtype) for item in operands]
        if meaning.padding:
            inputs.append(self._bias(dtype))
        op = self._graph.add(
            OP,
            inputs,
            f"flash_attention_{index}",
            DOMAIN,
            scale=float(attention.scale),
            window_size_left=meaning.left,
            window_size_right=meaning.right,
            layout=layout,
            compute_type="float32",
        )
        self._trace.types[op] = dtype
        return Fused(attention.softmax, op, layout, attention.output, meaning, attention.quantised)

    def connect(self, fused: Sequence[Fused]) -> None:
        """Let the graph use the ops, and remove what nothing needs any more.

        Raises:
            UnsupportedModelError: something still needs what an op replaced.
        """
        for item in fused:
            self._connect(item)
        self._graph.finish()
        left = {name for node in self._graph.nodes for name in node.output}
        for item in fused:
            if item.softmax.output[0] in left:
                raise refusal(item.softmax, "a subgraph still reads what it gives")

    def _connect(self, item: Fused) -> None:
        chain, transposes = self._chain(item.original)
        end = chain[-1]
        value = self._cast(item.op, self._trace.types[end])
        for link in chain:
            for node in self._graph.consumers(link):
                if node.op_type == "Shape":
                    self._graph.redirect(node.output[0], self._shape(node, value, item.layout))
        if item.layout == BSHD:
            for node in transposes:
                self._graph.redirect(node.output[0], value)
        others = [
            node
            for node in self._graph.consumers(end)
            if node.op_type != "Shape" and not _among(node, transposes)
        ]
        if item.layout == BSHD and (others or end in self._graph.outputs):
            value = self._graph.add("Transpose", [value], f"{item.op}_bhsd", perm=[0, 2, 1, 3])
            self._graph.redirect(end, value)
        elif item.layout == BHSD:
            self._graph.redirect(end, value)

    def _shape(self, node: onnx.NodeProto, value: str, layout: str) -> str:
        """What a Shape node of [B, H, S, D] gives, from a value in `layout`."""
        graph = self._graph
        shape = graph.add("Shape", [value], f"{node.output[0]}_fused")
        order = np.array([layout.index(axis) for axis in BHSD], np.int64)
        wanted = order[attribute(node, "start", 0) : attribute(node, "end", len(order))]
        index = graph.add_constant(wanted, f"{node.output[0]}_order")
        return graph.add("Gather", [shape, index], f"{node.output[0]}_ordered", axis=0)

    def _chain(self, value: str) -> tuple[list[str], list[onnx.NodeProto]]:
        """Follow the product past Casts and reshapes to the same shape.

        Returns:
            The values passed, and the Transposes to [B, S, H, D] that read the last one.
        """
        chain = [value]
        while True:
            readers = self._graph.consumers(chain[-1])
            readers = [node for node in readers if node.op_type != "Shape"]
            transposes = [
                node
                for node in readers
                if node.op_type == "Transpose" and attribute(node, "perm") == [0, 2, 1, 3]
            ]
            if transposes or len(readers) != 1 or chain[-1] in self._graph.outputs:
                return chain, transposes
            (reader,) = readers
            if (
                reader.op_type not in ("Identity", "Cast", "Reshape", "Expand")
                or reader.input[0] != chain[-1]
                or not self._trace.same_shape(chain[-1], reader.output[0])
                or self._trace.types[reader.output[0]] not in FLOATS
            ):
                return chain, []
            chain.append(reader.output[0])

    def _operand(self, operand: Operand, layout: str, dtype: np.dtype[np.generic]) -> str:
        return self._cast(self._reorder(operand.value, operand.axes, layout), dtype)

    def _cast(self, value: str, dtype: np.dtype[np.generic]) -> str:
        if self._trace.types[value] == dtype:
            return value
        cast = self._graph.add("Cast", [value], f"{value}_cast", to=FLOATS[dtype])
        self._trace.types[cast] = dtype
        return cast

    # ---- Dimensions in another order ------------------------------------------------------------

    def _can_reorder(self, operand: Operand, layout: str) -> bool:
        """Whether no Transpose of a whole activation has to be added."""
        return self._plan(operand.value, operand.axes, layout)

    def _plan(self, value: str, axes: str, layout: str) -> bool:
        if axes == layout or self._is_small(value):
            return True
        parents = self._parents(value, axes)
        return parents is not None and all(
            self._plan(name, names_axes, layout) for name, names_axes in parents
        )

    def _is_small(self, value: str) -> bool:
        """Whether a value is the same for every head (the angles of rotary positions)."""
        return all(len(shape) < 4 or 1 in shape[1:3] for shape in self._trace.shapes[value])

    def _parents(self, value: str, axes: str) -> list[tuple[str, str]] | None:
        """The inputs that have dimensions to reorder, where a node works in any order of them."""
        node = self._graph.producer(value)
        if node is None or node.domain:
            return None
        if node.op_type == "Transpose":
            return [(node.input[0], transposed(axes, attribute(node, "perm")))]
        if node.op_type in _ELEMENTWISE:
            ranks = [len(self._trace.shapes[name][0]) for name in node.input]
            if any(
                rank not in (0, 4) and self._size(name) != 1
                for name, rank in zip(node.input, ranks, strict=True)
            ):
                return None
            return [
                (name, axes)
                for name, rank in zip(node.input, ranks, strict=True)
                if rank == 4 and self._size(name) != 1
            ]
        if node.op_type in ("Concat", "Split"):
            count = len(node.input) if node.op_type == "Concat" else 1
            return [(name, axes) for name in node.input[:count]]
        bounds = [self._trace.constant(name) for name in node.input[1:] if name]
        if (
            node.op_type == "Slice"
            and len(node.input) >= 4
            and all(bound is not None for bound in bounds)
        ):
            return [(node.input[0], axes)]
        return None

    def _size(self, value: str) -> int:
        return max(int(np.prod(shape)) for shape in self._trace.shapes[value])

    def _reorder(self, value: str, axes: str, layout: str) -> str:
        """The value with its dimensions in the order of `layout`."""
        if axes == layout:
            return value
        key = (value, axes, layout)
        if key not in self._reordered:
            self._reordered[key] = self._made(value, axes, layout)
        return self._reordered[key]

    def _made(self, value: str, axes: str, layout: str) -> str:
        parents = self._parents(value, axes)
        if self._is_small(value) or parents is None:
            perm = [axes.index(axis) for axis in layout]
            made = self._graph.add("Transpose", [value], f"{value}_{layout.lower()}", perm=perm)
        else:
            node = self._graph.producer(value)
            assert node is not None  # noqa: S101 - it has parents
            if node.op_type == "Transpose":
                ((source, source_axes),) = parents
                return self._reorder(source, source_axes, layout)
            made = self._copy(node, value, dict(parents), axes, layout)
        self._trace.types[made] = self._trace.types[value]
        return made

    def _copy(
        self, node: onnx.NodeProto, value: str, parents: dict[str, str], axes: str, layout: str
    ) -> str:
        """A node over again, on inputs whose dimensions are in the order of `layout`."""
        inputs = [
            self._reorder(name, parents[name], layout) if name in parents else name
            for name in node.input
        ]
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        if "axis" in attributes:
            attributes["axis"] = layout.index(axes[attributes["axis"]])
        if node.op_type == "Slice":
            # Bounds that were computed from the shape of the very Transpose that goes.
            inputs[1:] = [self._constant(name) if name else name for name in inputs[1:]]
            moved = [layout.index(axes[int(axis)]) for axis in self._constant_of(node.input[3])]
            inputs[3] = self._graph.add_constant(np.array(moved, np.int64), f"{value}_axes")
        names = [f"{name}_{layout.lower()}" for name in node.output]
        made = self._graph.add_many(node.op_type, inputs, names, **attributes)
        for name, copy in zip(node.output, made, strict=True):
            self._reordered[name, axes, layout] = copy
            self._trace.types[copy] = self._trace.types[name]
        return made[list(node.output).index(value)]

    def _constant_of(self, value: str) -> list[int]:
        array = self._trace.constant(value)
        assert array is not None  # noqa: S101 - asked for constants alone
        return [int(item) for item in array.reshape(-1)]

    def _constant(self, value: str) -> str:
        if self._graph.constant(value) is not None:
            return value
        if value not in self._constants:
            array = np.array(self._constant_of(value), np.int64)
            self._constants[value] = self._graph.add_constant(array, f"{value}_constant")
        return self._constants[value]

    # ---- Padding --------------------------------------------------------------------------------

    def _bias(self, dtype: np.dtype[np.generic]) -> str:
        """A bias [B, 1, 1, S]: 0 where attention_mask is not, -inf where it is 0."""
        if dtype not in self._biases:
            graph, kind = self._graph, np.dtype(dtype).name
            real = graph.add("Cast", [MASK], f"key_is_real_{kind}", to=onnx.TensorProto.BOOL)
            zero = graph.add_constant(np.zeros((), dtype), f"key_bias_real_{kind}")
            hidden = graph.add_constant(np.full((), -np.inf, dtype), f"key_bias_padding_{kind}")
            row = graph.add("Where", [real, zero, hidden], f"key_bias_row_{kind}")
            axes = np.array([1, 2], np.int64)
            if graph.opset >= 13:
                name = graph.add_constant(axes, f"key_bias_axes_{kind}")
                bias = graph.add("Unsqueeze", [row, name], f"key_bias_{kind}")
            else:
                bias = graph.add("Unsqueeze", [row], f"key_bias_{kind}", axes=axes.tolist())
            self._biases[dtype] = bias
        return self._biases[dtype]


def set_compute_type(model: onnx.ModelProto, compute_type: str) -> None:
    """Set that attribute of every op of the model."""
    for node in model.graph.node:
        if node.domain == DOMAIN:
            for item in node.attribute:
                if item.name == "compute_type":
                    item.s = compute_type.encode()


def _among(node: onnx.NodeProto, nodes: Sequence[onnx.NodeProto]) -> bool:
    return any(node is other for other in nodes)
