"""From one model file to another: read, find, explain, replace, prove, write."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import inliner

from pointsman.errors import RewriteError, UnsupportedModelError
from pointsman.rewrite import attention, masks, proof
from pointsman.rewrite.fusion import Fusion, set_compute_type
from pointsman.rewrite.graph import Graph, describe, subgraph
from pointsman.rewrite.runs import inputs_of, one_line, trace

COMPUTE_TYPES = ("float32", "bfloat16")
LARGEST_MODEL = 2**31 - 1
"""Bytes that fit a file without external data."""


@dataclass(frozen=True)
class Layer:
    """One attention that was replaced.

    Attributes:
        softmax: the node it stood around, as messages name it.
        window_left: tokens seen back, -1 for all.
        window_right: tokens seen ahead, -1 for all.
        padding: whether keys that are padding are hidden, by a bias [B, 1, 1, S].
        layout: of the op's tensors, BSHD or BHSD.
        difference: of its output, relative to the largest magnitude in it.
    """

    softmax: str
    window_left: int
    window_right: int
    padding: bool
    layout: str
    difference: float


@dataclass(frozen=True)
class Summary:
    """What a rewrite did.

    Attributes:
        layers: the attentions, in order.
        difference: what was measured, and the bounds.
        nodes: before and after.
        sizes: of the files, in bytes.
    """

    layers: list[Layer]
    difference: proof.Difference
    nodes: tuple[int, int]
    sizes: tuple[int, int]


def rewrite(source: Path, target: Path, *, library: Path, compute_type: str = "float32") -> Summary:
    """Write `source` with its attention replaced by the op, having compared both.

    Args:
        source: an ONNX encoder: inputs input_ids and, if any, attention_mask, [B, S].
        target: file to write; it may be `source`, and is replaced in one step.
        library: the op library, to run the rewritten model.
        compute_type: "float32" or "bfloat16": of the op's matrix products.

    Raises:
        UnsupportedModelError: the model cannot be read, or its graph is not known.
        ProofError: the rewritten graph does not compute what the original does.
        RewriteError: the file cannot be written.
    """
    if compute_type not in COMPUTE_TYPES:
        raise RewriteError(f"compute type {compute_type!r} is none of {', '.join(COMPUTE_TYPES)}")
    if not target.parent.is_dir():
        raise RewriteError(f"cannot write {target}: there is no directory {target.parent}")
    original = load(source)
    model = onnx.ModelProto()
    model.CopyFrom(original)
    if model.functions:
        model = inliner.inline_local_functions(model)
    graph = Graph(model)
    attention.refuse_fused(graph)
    inputs = inputs_of(graph)
    seen = trace(graph, inputs)
    found = attention.find(graph, seen)
    meanings = masks.meanings(graph, inputs, [item.masks for item in found])
    fusion = Fusion(graph, seen)
    fused = fusion.add(found, meanings)
    pairs = subgraph(model, [name for item in fused for name in (item.original, item.op)])
    fusion.connect(fused)
    fault = _fault(model)
    if fault and not _fault(original):
        raise RewriteError(f"the rewritten graph is not valid: {fault}")
    dtype = min((seen.types[item.query.value] for item in found), key=lambda item: item.itemsize)
    for kind in dict.fromkeys(("float32", compute_type)):
        # First in float32, whatever is asked for: its bounds are the narrow ones.
        for part in (model, pairs):
            set_compute_type(part, kind)
        bounds = proof.bounds_for(original, np.dtype(dtype), kind)
        difference = proof.prove(original, pairs, model, fused, inputs, library, bounds)
    size = source.stat().st_size
    save(model, target)
    layers = [
        Layer(
            describe(item.softmax),
            item.meaning.left,
            item.meaning.right,
            item.meaning.padding,
            item.layout,
            apart,
        )
        for item, apart in zip(fused, difference.layers, strict=True)
    ]
    return Summary(
        layers,
        difference,
        (len(original.graph.node), len(model.graph.node)),
        (size, target.stat().st_size),
    )


def _fault(model: onnx.ModelProto) -> str | None:
    """What ONNX's checker has against a model, if anything."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        return one_line(error)
    return None


def load(path: Path) -> onnx.ModelProto:
    """Read a model.

    Raises:
        UnsupportedModelError: it cannot be read, or is too large to be one file.
    """
    try:
        if path.stat().st_size > LARGEST_MODEL:
            raise UnsupportedModelError(f"{path}: more than 2 GiB, which no ONNX file can have")
        model = onnx.load(str(path), load_external_data=False)
        outside = _external_bytes(model.graph.initializer)
        if outside + path.stat().st_size > LARGEST_MODEL:
            raise UnsupportedModelError(
                f"{path}: {outside / 2**30:.1f} GiB of external data; models of more than 2 GiB "
                "are not supported"
            )
        if outside:
            onnx.load_external_data_for_model(model, str(path.parent))
    except OSError as error:
        raise UnsupportedModelError(f"cannot read {path}: {error.strerror or error}") from None
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise UnsupportedModelError(f"{path} is not an ONNX model: {one_line(error)}") from None
    if not model.graph.node:
        raise UnsupportedModelError(f"{path} is not an ONNX model, or an empty one")
    return model


def _external_bytes(tensors: Sequence[onnx.TensorProto]) -> int:
    total = 0
    for tensor in tensors:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            elements = int(np.prod(tensor.dims, dtype=np.int64))
            width = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).itemsize
            total += max(1, elements * width)
    return total


def save(model: onnx.ModelProto, path: Path) -> None:
    """Write a model in one step: a reader sees the old file or the new one, whole.

    Raises:
        RewriteError: it cannot be written; what was there is still there.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with partial.open("xb") as file:
            file.write(model.SerializeToString())
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise RewriteError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)
