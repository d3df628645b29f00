"""Encoders of one attention, written by hand: every way to mask it, and ways to be unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

VOCABULARY = 50
Array = np.ndarray[Any, np.dtype[Any]]


class Builder:
    """Adds nodes one after the other; each call returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def __call__(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"constant_{len(self.initializers)}"
        array = np.array(value, dtype)
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def positions(self) -> tuple[str, str]:
        """Positions of queries [S, 1] and of keys [1, S]."""
        shape = self("Shape", "input_ids")
        tokens = self("Gather", shape, self.constant(1, np.int64), axis=0)
        positions = self("Range", self.constant(0, np.int64), tokens, self.constant(1, np.int64))
        query = self("Unsqueeze", positions, self.constant([1], np.int64))
        key = self("Unsqueeze", positions, self.constant([0], np.int64))
        return query, key

    def padding(self, lowest: float = float(np.finfo(np.float32).min)) -> str:
        """``(1 - attention_mask) * lowest``, [B, 1, 1, S]."""
        mask = self("Cast", "attention_mask", to=TensorProto.FLOAT)
        mask = self("Unsqueeze", mask, self.constant([1, 2], np.int64))
        return self("Mul", self("Sub", self.constant(1.0), mask), self.constant(lowest))

    def band(self, left: int, right: int) -> str:
        """Whether query i may see key j: bools [S, S]."""
        query, key = self.positions()
        distance = self("Sub", key, query)
        ahead = self("LessOrEqual", distance, self.constant(right, np.int64))
        back = self("GreaterOrEqual", distance, self.constant(-left, np.int64))
        return self("And", ahead, back)


Scores = Callable[[Builder, str], str]
"""Adds what lies between the scaled scores and the Softmax."""


def encoder(
    mask: Scores | None = None,
    *,
    after: Scores | None = None,
    heads: int = 2,
    head_size: int = 32,
    scale: float | None = None,
    axis: int = -1,
    outputs: tuple[str, ...] = ("logits",),
    pooled: bool = False,
) -> onnx.ModelProto:
    """Token ids and attention_mask [B, S] to logits [B, S, 3] (or [B, 3]).

    Args:
        mask: what comes between the scores and the Softmax.
        after: what comes between the Softmax and the product with V.
        heads: of the attention.
        head_size: of each head.
        scale: of the scores; 1 / sqrt(head_size).
        axis: of the Softmax.
        outputs: names of the outputs; "softmax" is the attention weights.
        pooled: whether the logits are those of the first token alone.
    """
    rng = np.random.default_rng(5)
    build = Builder()
    width = heads * head_size
    table = build.constant(rng.normal(size=(VOCABULARY, width)))
    embedded = build("Gather", table, "input_ids")
    shape = build.constant([0, 0, heads, head_size], np.int64)

    def project(perm: list[int]) -> str:
        weights = build.constant(rng.normal(size=(width, width)) * (2.0 / width**0.5))
        split = build("Reshape", build("MatMul", embedded, weights), shape)
        return build("Transpose", split, perm=perm)

    query, key, value = project([0, 2, 1, 3]), project([0, 2, 3, 1]), project([0, 2, 1, 3])
    factor = build.constant(head_size**-0.5 if scale is None else scale)
    scores = build("Mul", build("MatMul", query, key, name="scores"), factor)
    if mask is not None:
        scores = mask(build, scores)
    weights = build("Softmax", scores, name="softmax", axis=axis)
    if after is not None:
        weights = after(build, weights)
    attended = build("Transpose", build("MatMul", weights, value), perm=[0, 2, 1, 3])
    joined = build("Reshape", attended, build.constant([0, 0, width], np.int64))
    hidden = build("Add", joined, embedded)
    if pooled:
        hidden = build("Gather", hidden, build.constant(0, np.int64), axis=1)
    head = build.constant(rng.normal(size=(width, 3)))
    build("MatMul", hidden, head, name="logits")

    dimensions = ["batch", "tokens"]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, dimensions)
        for name in ("input_ids", "attention_mask")
    ]
    shapes: dict[str, list[int | str]] = {
        "logits": ["batch", 3] if pooled else ["batch", "tokens", 3],
        "softmax": ["batch", heads, "tokens", "tokens"],
    }
    results = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name]) for name in outputs
    ]
    graph = helper.make_graph(build.nodes, "encoder", inputs, results, build.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"author": "nobody"})
    return model


def hide_padding(build: Builder, scores: str) -> str:
    """The plain BERT mask."""
    return build("Add", scores, build.padding(), name="mask_add")


def add_band(left: int, right: int, lowest: float = -np.inf) -> Scores:
    """Window and padding, added one after the other."""

    def mask(build: Builder, scores: str) -> str:
        inside = build.band(left, right)
        added = build("Where", inside, build.constant(0.0), build.constant(lowest))
        return build("Add", hide_padding(build, scores), added)

    return mask


def choose_band(left: int, right: int) -> Scores:
    """Window and padding as one choice between the scores and -inf."""

    def mask(build: Builder, scores: str) -> str:
        real = build("Cast", "attention_mask", to=TensorProto.BOOL)
        real = build("Unsqueeze", real, build.constant([1, 2], np.int64))
        seen = build("And", build.band(left, right), real)
        return build("Where", seen, scores, build.constant(-np.inf))

    return mask
