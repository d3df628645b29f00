"""Running an encoder, or parts of it, on made-up token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from pointsman.errors import SetupError, UnsupportedModelError
from pointsman.rewrite.graph import Array, Graph

IDS, MASK = "input_ids", "attention_mask"
_OTHERS = ("token_type_ids", "position_ids")
# What may lie between the token ids and the embedding they index.
_TRANSPARENT = {"Cast", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Flatten", "Clip", "Where"}


@dataclass(frozen=True)
class Inputs:
    """What the encoder takes.

    Attributes:
        dtypes: of each input, by name, in the graph's order.
        vocabulary: rows of the embedding that token ids index.
        batch: the batch size where the graph fixes it, else None.
        tokens: the length where the graph fixes it, else None.
    """

    dtypes: dict[str, np.dtype[Any]]
    vocabulary: int
    batch: int | None
    tokens: int | None

    @property
    def has_mask(self) -> bool:
        """Whether there is an attention_mask."""
        return MASK in self.dtypes

    def feeds(
        self, rng: np.random.Generator, mask: npt.NDArray[np.int64], names: Sequence[str]
    ) -> dict[str, Array]:
        """Random values for the inputs `names`, for a mask int64 [B, S] of ones and zeros."""
        batch, tokens = mask.shape
        made: dict[str, Array] = {
            IDS: rng.integers(0, self.vocabulary, mask.shape),
            MASK: mask,
            "token_type_ids": np.zeros_like(mask),
            "position_ids": np.broadcast_to(np.arange(tokens), (batch, tokens)),
        }
        return {name: np.ascontiguousarray(made[name].astype(self.dtypes[name])) for name in names}


def inputs_of(graph: Graph) -> Inputs:
    """Read what the model takes.

    Raises:
        UnsupportedModelError: an input is not one that encoders have.
    """
    dtypes: dict[str, np.dtype[Any]] = {}
    sizes: list[set[int]] = [set(), set()]
    for value in graph.inputs:
        if value.name not in (IDS, MASK, *_OTHERS):
            raise UnsupportedModelError(
                f"graph input {value.name!r}: only {IDS}, {MASK}, {' and '.join(_OTHERS)} are known"
            )
        dimensions = value.type.tensor_type.shape.dim
        if len(dimensions) != 2:
            raise UnsupportedModelError(
                f"graph input {value.name!r} has {len(dimensions)} dimensions, not [batch, tokens]"
            )
        dtypes[value.name] = np.dtype(
            helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        )
        for size, dimension in zip(sizes, dimensions, strict=True):
            if dimension.HasField("dim_value"):
                size.add(dimension.dim_value)
    if IDS not in dtypes:
        raise UnsupportedModelError(f"no graph input {IDS!r}: this is not an encoder of token ids")
    if any(len(size) > 1 for size in sizes):
        raise UnsupportedModelError("the graph inputs have different fixed shapes")
    batch, tokens = (next(iter(size), None) for size in sizes)
    return Inputs(dtypes, _vocabulary(graph), batch, tokens)


def _vocabulary(graph: Graph) -> int:
    pending, seen, rows = [IDS], {IDS}, []
    while pending:
        value = pending.pop()
        for node in graph.consumers(value):
            if node.op_type == "Gather" and len(node.input) > 1 and node.input[1] == value:
                table = graph.size(node.input[0])
                if table is not None and len(table[0]) == 2:
                    rows.append(table[0][0])
            elif node.op_type in _TRANSPARENT and node.output[0] not in seen:
                seen.add(node.output[0])
                pending.append(node.output[0])
    if not rows:
        raise UnsupportedModelError(f"no Gather looks {IDS} up in an embedding table")
    return min(rows)


def session(model: onnx.ModelProto, library: Path | None = None) -> ort.InferenceSession:
    """An ONNX Runtime session on the CPU.

    Raises:
        UnsupportedModelError: ONNX Runtime refuses the model.
        SetupError: it refuses the op library.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if library is not None:
        try:
            options.register_custom_ops_library(str(library))
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's classes share no other base
            raise SetupError(f"{library} is not an op library: {one_line(error)}") from None
    try:
        return ort.InferenceSession(
            model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001 - as above
        raise UnsupportedModelError(f"ONNX Runtime refuses it: {one_line(error)}") from None


def one_line(error: Exception) -> str:
    """The first line of an exception's text."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


@dataclass(frozen=True)
class Trace:
    """Every value of the graph in a few small runs.

    Attributes:
        sizes: (batch, tokens) of each run; all different where the graph leaves them open.
        shapes: of each value, one for each run.
        types: of each value.
        small: content, for each run, of values with at most 64 elements.
    """

    sizes: list[tuple[int, int]]
    shapes: dict[str, list[tuple[int, ...]]]
    types: dict[str, np.dtype[Any]]
    small: dict[str, list[Array]]

    def constant(self, value: str) -> Array | None:
        """What a small value is, where it was the same in every run; else None."""
        seen = self.small.get(value, [])
        same = all(
            other.shape == seen[0].shape and np.array_equal(other, seen[0]) for other in seen
        )
        return seen[0] if same and len(seen) == len(self.sizes) else None

    def same_shape(self, one: str, other: str) -> bool:
        """Whether two values have one shape in every run."""
        return one in self.shapes and self.shapes[one] == self.shapes.get(other)

    def scalar(self, value: str) -> float | None:
        """The one element of a value that was the same in every run; else None."""
        array = self.constant(value)
        if array is None or array.size != 1 or array.dtype.kind not in "iuf":
            return None
        return float(array.reshape(()))


def trace(graph: Graph, inputs: Inputs) -> Trace:
    """Run the model three times, with different sizes and paddings, and look at every value.

    Raises:
        UnsupportedModelError: the model does not load or does not run.
    """
    sizes = [
        (inputs.batch or batch, inputs.tokens or tokens)
        for batch, tokens in ((3, 13), (2, 11), (5, 7))
    ]
    names = [
        name for node in graph.nodes if node.op_type != "Constant" for name in node.output if name
    ]
    result = Trace(sizes, {}, {}, {})
    for name in {name for node in graph.nodes for name in node.input if name}:
        known = graph.size(name)
        if known is not None:
            shape, result.types[name] = known
            result.shapes[name] = [shape] * len(sizes)
            array = graph.constant(name) if np.prod(shape) <= 64 else None
            if array is not None:
                result.small[name] = [array] * len(sizes)
    outputs = graph.model.graph.output
    kept = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in outputs]
    try:
        del outputs[:]
        outputs.extend(onnx.ValueInfoProto(name=name) for name in names)
        everything = session(graph.model)
    finally:
        del outputs[:]
        outputs.extend(kept)
    rng = np.random.default_rng(0)
    for run, (batch, tokens) in enumerate(sizes):
        mask = np.ones((batch, tokens), np.int64)
        mask[batch // 2 :, max(1, tokens - 1 - run) :] = 0
        feeds = inputs.feeds(rng, mask, list(inputs.dtypes))
        try:
            values = everything.run(None, feeds)
        except Exception as error:  # noqa: BLE001 - as above
            raise UnsupportedModelError(
                f"it does not run on {batch} sequences of {tokens} tokens: {one_line(error)}"
            ) from None
        for name, value in {**feeds, **dict(zip(names, values, strict=True))}.items():
            if not isinstance(value, np.ndarray):  # a sequence, or an optional that is empty
                continue
            result.shapes.setdefault(name, []).append(value.shape)
            result.types[name] = value.dtype
            if value.size <= 64:
                result.small.setdefault(name, []).append(value)
    return result


FLOATS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.float16): TensorProto.FLOAT16}
"""The element types that the op takes on a CPU."""
