"""Finds ``softmax(scale * Q K^T + mask) V`` in a graph, however an exporter wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import onnx

from pointsman.errors import UnsupportedModelError
from pointsman.rewrite.graph import Graph, attribute, refusal
from pointsman.rewrite.masks import MASKED, MaskTerm
from pointsman.rewrite.runs import FLOATS, Trace

DOMAIN, OP = "com.ck", "CKFlashAttention"
HEAD_SIZES = (32, 64, 128)
BHSD, BSHD = "BHSD", "BSHD"
_ALREADY_FUSED = {
    "Attention",
    "DecoderMaskedMultiHeadAttention",
    "GroupQueryAttention",
    "MultiHeadAttention",
    "PackedAttention",
    "PackedMultiHeadAttention",
    "QAttention",
}


@dataclass(frozen=True)
class Operand:
    """Q, K or V.

    Attributes:
        value: a four-dimensional tensor.
        axes: what its dimensions are, a permutation of the letters of ``BHSD``.
        factor: what it was multiplied by before it met the other operand.
    """

    value: str
    axes: str
    factor: float = 1.0


@dataclass(frozen=True)
class Attention:
    """One attention of the graph.

    Attributes:
        softmax: its Softmax node (or the whole, where the graph has an Attention operator).
        query: Q [B, H, S, D], in any order of dimensions; so key and value.
        scale: what Q K^T is multiplied by before the mask is added.
        masks: what is added to the scores, or chooses among them.
        output: the value [B, H, S, D] that this computes.
        quantised: whether a product of two activations is computed in int8.
    """

    softmax: onnx.NodeProto
    query: Operand
    key: Operand
    value: Operand
    scale: float
    masks: tuple[MaskTerm, ...]
    output: str
    quantised: bool


@dataclass
class _Scores:
    """What lies between a Softmax and the product Q K^T, gathered on the way up."""

    factor: float = 1.0
    masks: list[MaskTerm] = field(default_factory=list)
    left: str = ""
    right: str = ""
    quantised: bool = False


def refuse_fused(graph: Graph) -> None:
    """Refuse models whose attention is not that of an exporter any more.

    Raises:
        UnsupportedModelError: naming the first such node.
    """
    for node in graph.nodes:
        if node.domain == DOMAIN:
            raise refusal(node, "this model has been rewritten already")
        if node.domain not in ("", "ai.onnx") and node.op_type in _ALREADY_FUSED:
            raise refusal(
                node, "this attention is fused already: rewrite the model as it was exported"
            )


def find(graph: Graph, trace: Trace) -> list[Attention]:
    """Return every attention of the graph, in order.

    Raises:
        UnsupportedModelError: there is none, or a node of one is not known; it is named.
    """
    found: list[Attention] = []
    for node in graph.nodes:
        if node.op_type == "Attention":
            found.append(_of_operator(graph, trace, node))
        elif node.op_type == "Softmax" and _is_over_tokens(trace, node):
            found.append(_around(graph, trace, node))
    if not found:
        raise UnsupportedModelError(
            "no attention found: no Softmax over scores [.., tokens, tokens] in this graph"
        )
    return found


def _is_over_tokens(trace: Trace, softmax: onnx.NodeProto) -> bool:
    shapes = trace.shapes[softmax.output[0]]
    return all(
        len(shape) >= 3 and shape[-2:] == (tokens, tokens)
        for (_, tokens), shape in zip(trace.sizes, shapes, strict=True)
    )


def _around(graph: Graph, trace: Trace, softmax: onnx.NodeProto) -> Attention:
    rank = len(trace.shapes[softmax.output[0]][0])
    if rank != 4:
        raise refusal(softmax, f"scores of {rank} dimensions, not [batch, heads, tokens, tokens]")
    if attribute(softmax, "axis", -1 if graph.opset >= 13 else 1) not in (-1, 3):
        raise refusal(softmax, "softmax over another axis than the keys")
    scores = _scores(graph, trace, softmax.input[0])
    product, value, quantised = _weighted_sum(graph, trace, softmax)
    query = _operand(graph, trace, scores.left, "BHSD", scale=True)
    key = _operand(graph, trace, scores.right, "BHDS", scale=True)
    result = Attention(
        softmax=softmax,
        query=query,
        key=key,
        value=_operand(graph, trace, value, "BHSD", scale=False),
        scale=scores.factor * query.factor * key.factor,
        masks=tuple(scores.masks),
        output=product,
        quantised=quantised or scores.quantised,
    )
    _check(trace, result)
    return result


def _of_operator(graph: Graph, trace: Trace, node: onnx.NodeProto) -> Attention:
    """ONNX's own Attention (opset 23), with Q, K and V [B, H, S, D]."""
    inputs = [*node.input, "", "", "", "", ""][:6]
    query, key, value, mask, *past = inputs
    if any(past) or any(node.output[1:]):
        raise refusal(node, "keys and values of earlier tokens (a cache), or scores as outputs")
    if attribute(node, "softcap", 0.0) or attribute(node, "is_causal", 0):
        raise refusal(node, "soft-capped or causal attention")
    shape = trace.shapes[query][0]
    if len(shape) != 4:
        raise refusal(node, f"Q has {len(shape)} dimensions, not [batch, heads, tokens, size]")
    masks: tuple[MaskTerm, ...] = ()
    if mask:
        boolean = trace.types[mask] == np.bool_
        masks = (MaskTerm(mask, "keep" if boolean else "add"),)
    result = Attention(
        softmax=node,
        query=_operand(graph, trace, query, "BHSD", scale=False),
        key=_operand(graph, trace, key, "BHSD", scale=False),
        value=_operand(graph, trace, value, "BHSD", scale=False),
        scale=attribute(node, "scale", shape[-1] ** -0.5),
        masks=masks,
        output=node.output[0],
        quantised=False,
    )
    _check(trace, result)
    return result


def _check(trace: Trace, attention: Attention) -> None:
    node = attention.softmax
    shapes = []
    for operand in (attention.query, attention.key, attention.value):
        sizes = trace.shapes[operand.value]
        shapes.append([tuple(size[operand.axes.index(axis)] for axis in BHSD) for size in sizes])
        if trace.types[operand.value] not in FLOATS:
            raise refusal(
                node,
                f"elements of type {trace.types[operand.value]}: the attention op takes float32 "
                "and float16",
            )
    if any(len({*sizes}) > 1 for sizes in zip(*shapes, strict=True)):
        raise refusal(node, f"Q, K and V have different shapes {[size[0] for size in shapes]}")
    head_size = shapes[0][0][3]
    if head_size not in HEAD_SIZES:
        raise refusal(node, f"heads of size {head_size}: the attention op has 32, 64 and 128")
    if not 0 < attention.scale < np.inf:
        raise refusal(node, f"the scores are scaled by {attention.scale}")


def _scores(graph: Graph, trace: Trace, value: str, outer: float = 1.0) -> _Scores:
    """Walk up from a Softmax's input, through scale and mask, to Q K^T."""
    node = graph.producer(value)
    if node is None:
        raise UnsupportedModelError(f"{value!r}: scores that no node computes")
    product = matrix_product(graph, value)
    if product is not None:
        return _Scores(1.0, [], *product)
    if node.op_type in ("Cast", "Identity"):
        return _scores(graph, trace, node.input[0], outer)
    if node.op_type in ("Mul", "Div"):
        scaled = _scaled(trace, node)
        if scaled is None:
            raise refusal(node, "scores are scaled by something that is not one constant number")
        inner, factor = scaled
        result = _scores(graph, trace, inner, outer * factor)
        result.factor *= factor
        return result
    if node.op_type == "Add":
        failures: list[UnsupportedModelError] = []
        # The scores have all their dimensions; a mask often has not.
        candidates = [0, 1]
        candidates.sort(key=lambda index: not trace.same_shape(node.input[index], value))
        for index in candidates:
            try:
                result = _scores(graph, trace, node.input[index], outer)
            except UnsupportedModelError as error:
                failures.append(error)
            else:
                result.masks.append(MaskTerm(node.input[1 - index], "add", outer))
                return result
        raise failures[0]
    if node.op_type == "Where":
        condition, if_true, if_false = node.input
        for fill, kept, kind in ((if_true, if_false, "drop"), (if_false, if_true, "keep")):
            number = trace.scalar(fill)
            if number is not None and number * outer <= MASKED:
                result = _scores(graph, trace, kept, outer)
                result.masks.append(MaskTerm(condition, kind))
                return result
        raise refusal(node, f"chooses among scores without a fill of {MASKED:g} or less")
    hint = ", where an optimiser put it: rewrite the model as it was exported"
    why = "not known between Q K^T and its Softmax"
    raise refusal(node, why + (hint if node.domain not in ("", "ai.onnx") else ""))


def matrix_product(graph: Graph, value: str) -> tuple[str, str, bool] | None:
    """The operands of the MatMul that made `value`, and whether it was computed in int8.

    The int8 form is that of ONNX Runtime's dynamic quantisation:
    ``Mul(Cast(MatMulInteger(q(a), q(b), ..)), Mul(scale(a), scale(b)))`` with
    ``q, scale, .. = DynamicQuantizeLinear``.
    """
    node = graph.producer(value)
    if node is None:
        return None
    if node.op_type == "MatMul":
        return node.input[0], node.input[1], False
    if node.op_type != "Mul":
        return None
    for index in (0, 1):
        cast = graph.producer(node.input[index])
        integer = graph.producer(cast.input[0]) if cast and cast.op_type == "Cast" else None
        if integer is None or integer.op_type != "MatMulInteger":
            continue
        scales = graph.producer(node.input[1 - index])
        if scales is None or scales.op_type != "Mul":
            return None
        sources = [graph.producer(name) for name in integer.input[:2]]
        if any(source is None or source.op_type != "DynamicQuantizeLinear" for source in sources):
            return None
        left, right = (source for source in sources if source is not None)
        if {*scales.input} != {left.output[1], right.output[1]}:
            return None
        if list(integer.input[2:]) != [left.output[2], right.output[2]]:
            return None
        return left.input[0], right.input[0], True
    return None


def _scaled(trace: Trace, node: onnx.NodeProto) -> tuple[str, float] | None:
    """(the other operand, the factor) of a Mul or Div by one constant number."""
    left, right = node.input
    number = trace.scalar(right)
    if number is not None and number != 0:
        return left, (number if node.op_type == "Mul" else 1 / number)
    number = trace.scalar(left)
    if number is not None and node.op_type == "Mul":
        return right, number
    return None


def _passes(trace: Trace, node: onnx.NodeProto) -> bool:
    """Whether a node hands its first input on as it is, up to its floating-point type."""
    if node.op_type in ("Identity", "Dropout"):
        return True
    if node.op_type == "Cast":
        return {trace.types[node.input[0]], trace.types[node.output[0]]} <= FLOATS.keys()
    return node.op_type in ("Reshape", "Expand") and trace.same_shape(node.input[0], node.output[0])


def _operand(graph: Graph, trace: Trace, value: str, axes: str, *, scale: bool) -> Operand:
    """Walk up from an operand of a product, through what only scales or transposes it."""
    factor = 1.0
    while (node := graph.producer(value)) is not None:
        narrows = node.op_type == "Cast" and trace.types[value] != np.float32
        if node.op_type == "Transpose":
            axes = transposed(axes, attribute(node, "perm"))
        elif node.op_type in ("Mul", "Div") and scale:
            scaled = _scaled(trace, node)
            if scaled is None:
                break
            value, number = scaled
            factor *= number
            continue
        elif source := _transposed_flat(graph, trace, node):
            axes = axes[:2] + axes[3] + axes[2]
            value = source
            continue
        elif narrows or not _passes(trace, node):
            break
        value = node.input[0]
    return Operand(value, axes, factor)


def transposed(axes: str, perm: list[int] | None) -> str:
    """The axes of a Transpose's input, given those of its output."""
    if perm is None:
        return axes[::-1]
    before = [""] * len(perm)
    for axis, source in zip(axes, perm, strict=True):
        before[source] = axis
    return "".join(before)


def _transposed_flat(graph: Graph, trace: Trace, node: onnx.NodeProto) -> str | None:
    """X where a node is the end of Reshape(Transpose(Reshape(X))), last two dimensions swapped."""
    chain = [node]
    for kind in ("Transpose", "Reshape"):
        above = graph.producer(chain[-1].input[0])
        if above is None or above.op_type != kind:
            return None
        chain.append(above)
    unflatten, swap, flatten = chain
    if unflatten.op_type != "Reshape" or attribute(swap, "perm") != [0, 2, 1]:
        return None
    source = flatten.input[0]
    for before, flat, after in zip(
        trace.shapes[source],
        trace.shapes[flatten.output[0]],
        trace.shapes[unflatten.output[0]],
        strict=True,
    ):
        if len(before) != 4 or flat != (before[0] * before[1], *before[2:]):
            return None
        if after != (*before[:2], before[3], before[2]):
            return None
    return source


def _readers(graph: Graph, value: str, softmax: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    if value in graph.outputs:
        raise refusal(softmax, "the attention weights are an output of the model")
    yield from graph.consumers(value)


def _weighted_sum(graph: Graph, trace: Trace, softmax: onnx.NodeProto) -> tuple[str, str, bool]:
    """(product, V, in int8) of ``weights @ V``, walking down from a Softmax."""
    weights = softmax.output[0]
    while True:
        readers = list(_readers(graph, weights, softmax))
        guard = _nan_guard(graph, trace, weights, readers)
        if guard is not None:
            weights = guard
            continue
        if len(readers) != 1:
            kinds = ", ".join(sorted(reader.op_type for reader in readers)) or "nothing"
            raise refusal(softmax, f"the attention weights are read by {kinds}, not by one MatMul")
        (reader,) = readers
        if _passes(trace, reader) and reader.input[0] == weights:
            weights = reader.output[0]
            continue
        end = reader.output[0]
        if reader.op_type == "DynamicQuantizeLinear":
            end = _end_of_integer_product(graph, reader) or end
        product = matrix_product(graph, end)
        if product is None or product[0] != weights or product[1] == weights:
            raise refusal(reader, "reads the attention weights, and is not the MatMul with V")
        return end, product[1], product[2]


def _nan_guard(
    graph: Graph, trace: Trace, weights: str, readers: list[onnx.NodeProto]
) -> str | None:
    """The output of ``Where(IsNaN(weights), 0, weights)`` where that is all that reads them."""
    where = next((node for node in readers if node.op_type == "Where"), None)
    test = next((node for node in readers if node.op_type == "IsNaN"), None)
    if where is None or test is None or len(readers) != 2:
        return None
    condition, fill, kept = where.input
    if condition != test.output[0] or kept != weights or trace.scalar(fill) != 0:
        return None
    return where.output[0] if graph.consumers(condition) == [where] else None


def _end_of_integer_product(graph: Graph, quantise: onnx.NodeProto) -> str | None:
    for integer in graph.consumers(quantise.output[0]):
        for cast in graph.consumers(integer.output[0]):
            for product in graph.consumers(cast.output[0]):
                return product.output[0]
    return None
