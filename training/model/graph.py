"""The shared encoder as an ONNX graph.

The graph is written node by node and not traced: so its attention is the op of
``kernels/ck_flash_attention`` (windows and padding; memory linear in the tokens), its positions
are ONNX Runtime's RotaryEmbedding with cosines and sines computed for the tokens at hand, and
nothing is transposed. Traced, put through ``pointsman rewrite`` and quantised alike, the same
encoder takes 7 % longer at 512 tokens and 11 % longer at 4,096.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from training.model.encoder import (
    EPSILON,
    HEADS,
    LOCAL_BASE,
    WIDE_BASE,
    WIDE_LAYERS,
    WIDE_WINDOW,
    WIDTH,
    WINDOW,
    Encoder,
)

OPSET = 17
ENCODER = "encoder"
"""Name of the graph, and of the encoder's folder in the model repository."""

Floats = npt.NDArray[np.float32]


class _Graph:
    """Nodes and initialisers of one ONNX graph, as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, name: str, value: npt.ArrayLike) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(
        self,
        op: str,
        inputs: Sequence[str],
        output: str,
        domain: str = "",
        **attributes: Any,  # noqa: ANN401 - whatever the operator has
    ) -> str:
        name = f"{output}/{op}"
        self.nodes.append(
            helper.make_node(op, inputs, [output], name=name, domain=domain, **attributes)
        )
        return output

    def linear(self, weight: Floats, bias: Floats, value: str, output: str) -> str:
        """``value @ weight.T + bias``, as nn.Linear has them."""
        product = self.node(
            "MatMul", [value, self.constant(f"{output}.weight", weight.T)], f"{output}.product"
        )
        return self.node("Add", [product, self.constant(f"{output}.bias", bias)], output)

    def norm(self, layer: nn.Module, value: str, output: str) -> str:
        scale = self.constant(f"{output}.weight", _array(layer.weight))
        bias = self.constant(f"{output}.bias", _array(layer.bias))
        return self.node(
            "LayerNormalization", [value, scale, bias], output, axis=-1, epsilon=EPSILON
        )


def _array(parameter: Any) -> Floats:  # noqa: ANN401 - what nn.Module's attributes are typed as
    array: Floats = parameter.detach().cpu().numpy().astype(np.float32)
    return array


def encoder_graph(encoder: Encoder) -> onnx.ModelProto:
    """The encoder as ONNX, in fp32.

    Inputs ``input_ids`` and ``attention_mask`` int64 [B, S]; output ``hidden_states`` float32
    [B, S, WIDTH]. It needs the op library of ``kernels/ck_flash_attention`` and ONNX Runtime's
    own operators (``com.microsoft``).
    """
    graph = _Graph()
    value = graph.node(
        "Gather",
        [graph.constant("embedding", _array(encoder.embedding.weight)), "input_ids"],
        "words",
    )
    value = graph.norm(encoder.embedding_norm, value, "embedded")
    _positions(graph)
    _rotations(graph, "local", LOCAL_BASE)
    _rotations(graph, "wide", WIDE_BASE)
    graph.constant("first_position", np.zeros(1, np.int64))
    graph.constant("by_head", np.array([0, 0, HEADS, WIDTH // HEADS], np.int64))
    graph.constant("by_token", np.array([0, 0, WIDTH], np.int64))
    _bias(graph)
    for index, layer in enumerate(encoder.layers):
        last = index + 1 == len(encoder.layers)
        value = _layer(graph, layer, value, f"layer{index}", index in WIDE_LAYERS, last)
    proto = helper.make_graph(
        graph.nodes,
        ENCODER,
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [
            helper.make_tensor_value_info(
                "hidden_states", TensorProto.FLOAT, ["batch", "tokens", WIDTH]
            )
        ],
        graph.initializers,
    )
    opsets = [
        helper.make_opsetid(domain, version)
        for domain, version in (("", OPSET), ("com.microsoft", 1), ("com.ck", 1))
    ]
    # The format of that opset, which older ONNX Runtimes read too.
    return helper.make_model(proto, opset_imports=opsets, ir_version=8)


def _positions(graph: _Graph) -> None:
    """0, 1, 2 .. as a column float32 [S, 1]."""
    graph.node("Shape", ["input_ids"], "shape", start=1, end=2)
    graph.node("Squeeze", ["shape"], "tokens")
    graph.constant("zero", np.array(0, np.int64))
    graph.constant("one", np.array(1, np.int64))
    graph.node("Range", ["zero", "tokens", "one"], "indices")
    graph.node("Cast", ["indices"], "positions", to=TensorProto.FLOAT)
    graph.constant("last_axis", np.array([1], np.int64))
    graph.node("Unsqueeze", ["positions", "last_axis"], "column")


def _rotations(graph: _Graph, name: str, base: float) -> None:
    """Cosines and sines float32 [S, head width / 2] of each position."""
    half = WIDTH // HEADS // 2
    frequencies = np.float32(base) ** (-np.arange(half, dtype=np.float32) / half)
    graph.constant(f"{name}_frequencies", frequencies.astype(np.float32)[None])
    graph.node("Mul", ["column", f"{name}_frequencies"], f"{name}_angles")
    graph.node("Cos", [f"{name}_angles"], f"{name}_cosines")
    graph.node("Sin", [f"{name}_angles"], f"{name}_sines")


def _bias(graph: _Graph) -> None:
    """The op's bias [B, 1, 1, S]: 0 where there is a token, -inf where there is padding."""
    graph.node("Cast", ["attention_mask"], "is_token", to=TensorProto.BOOL)
    graph.constant("seen", np.float32(0))
    graph.constant("hidden", np.float32(-np.inf))
    graph.node("Where", ["is_token", "seen", "hidden"], "padding")
    graph.constant("head_and_query", np.array([1, 2], np.int64))
    graph.node("Unsqueeze", ["padding", "head_and_query"], "bias")


def _layer(
    graph: _Graph, layer: nn.Module, value: str, name: str, is_wide: bool, last: bool
) -> str:
    kind, window = ("wide", WIDE_WINDOW) if is_wide else ("local", WINDOW)
    operands = []
    # Three products and not one with a Split behind it: that would be a copy of all three.
    weights, biases = (np.split(_array(part), 3) for part in (layer.qkv.weight, layer.qkv.bias))
    for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
        operand = graph.linear(weight, bias, value, f"{name}.{part}")
        if part != "value":
            operand = graph.node(
                "RotaryEmbedding",
                [operand, "first_position", f"{kind}_cosines", f"{kind}_sines"],
                f"{operand}.rotated",
                "com.microsoft",
                interleaved=0,
            )
        operands.append(graph.node("Reshape", [operand, "by_head"], f"{name}.{part}.heads"))
    mixed = graph.node(
        "CKFlashAttention",
        [*operands, "bias"],
        f"{name}.attention",
        "com.ck",
        scale=(WIDTH // HEADS) ** -0.5,
        window_size_left=window,
        window_size_right=window,
        layout="BSHD",
        compute_type="float32",
    )
    mixed = graph.node("Reshape", [mixed, "by_token"], f"{name}.mixed")
    mixed = _linear(graph, layer.out, mixed, f"{name}.out")
    value = _residual(graph, layer.attention_norm, value, mixed, f"{name}.attended")
    inner = _linear(graph, layer.up, value, f"{name}.up")
    inner = graph.node("Gelu", [inner], f"{name}.gelu", "com.microsoft")
    inner = _linear(graph, layer.down, inner, f"{name}.down")
    output = "hidden_states" if last else f"{name}.states"
    return _residual(graph, layer.norm, value, inner, output)


def _residual(graph: _Graph, norm: nn.Module, value: str, change: str, output: str) -> str:
    # Sum and not Add, which ONNX Runtime fuses with the norm into SkipLayerNormalization, whose
    # CPU kernel takes three times as long as both.
    return graph.norm(norm, graph.node("Sum", [value, change], f"{output}.sum"), output)


def _linear(graph: _Graph, linear: nn.Module, value: str, output: str) -> str:
    return graph.linear(_array(linear.weight), _array(linear.bias), value, output)
