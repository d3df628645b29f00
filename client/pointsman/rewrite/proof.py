"""Runs the original and the rewritten graph side by side, and says how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from pointsman.errors import ProofError
from pointsman.rewrite.fusion import Fused
from pointsman.rewrite.graph import Array
from pointsman.rewrite.masks import Ints
from pointsman.rewrite.runs import Inputs, one_line, session


@dataclass(frozen=True)
class Bounds:
    """What a rewrite may change.

    Attributes:
        layer: largest difference of one attention's output on the same Q, K and V, relative to
            the largest magnitude in that output.
        outputs: largest difference of the model's outputs, relative to their spread (largest
            minus smallest).
    """

    layer: float
    outputs: float


# At least twenty times what was measured (docs/rewriter.md): the unfused graph's own rounding of
# large scores, not the op's, sets what models of other weights may need. A wrong window or scale
# shows as 0.01 to 1.
FLOAT32 = Bounds(layer=2e-4, outputs=1e-3)
FLOAT16 = Bounds(layer=2e-2, outputs=5e-2)
BFLOAT16 = Bounds(layer=5e-2, outputs=1e-1)
QUANTISED_OUTPUTS = 0.1
QUANTISED_LAYER = 0.1


@dataclass(frozen=True)
class Difference:
    """What was measured.

    Attributes:
        layers: of each attention, relative as in Bounds.
        outputs: of the model's outputs, relative as in Bounds.
        absolute: the same, not relative to anything.
        runs: (batch, tokens) of each run.
        bounds: what was allowed.
    """

    layers: list[float]
    outputs: float
    absolute: float
    runs: list[tuple[int, int]]
    bounds: Bounds


def bounds_for(model: onnx.ModelProto, dtype: np.dtype[np.generic], compute_type: str) -> Bounds:
    """The bounds for a model.

    Args:
        model: the original; dynamically quantised or not.
        dtype: of the attention's tensors.
        compute_type: of the op.
    """
    bounds = FLOAT16 if dtype == np.float16 else FLOAT32
    if compute_type == "bfloat16":
        bounds = Bounds(max(bounds.layer, BFLOAT16.layer), max(bounds.outputs, BFLOAT16.outputs))
    if any(node.op_type == "DynamicQuantizeLinear" for node in model.graph.node):
        # A difference in the last bit moves activations across the steps of their 8 bits.
        bounds = Bounds(bounds.layer, max(bounds.outputs, QUANTISED_OUTPUTS))
    return bounds


def prove(
    original: onnx.ModelProto,
    beside: onnx.ModelProto,
    rewritten: onnx.ModelProto,
    fused: Sequence[Fused],
    inputs: Inputs,
    library: Path,
    bounds: Bounds,
) -> Difference:
    """Compare outputs, and each attention, on random tokens of several lengths and paddings.

    Only tokens that are not padding are compared, and sequences that have such a token.

    Args:
        original: the model as it was.
        beside: the original with the ops beside its own attention.
        rewritten: the model with the ops.
        fused: the ops.
        inputs: what the models take.
        library: the op library.
        bounds: what is allowed.

    Raises:
        ProofError: the difference is beyond the bounds, or an output is not finite where the
            original's is.
    """
    reference, candidate = session(original), session(rewritten, library)
    pairs = onnx.ModelProto()
    pairs.CopyFrom(beside)
    del pairs.graph.output[:]
    names = [name for item in fused for name in (item.original, item.op)]
    pairs.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    layers_run = session(pairs, library)
    outputs = [value.name for value in reference.get_outputs()]

    rng = np.random.default_rng(11)
    layers = np.zeros(len(fused))
    results: list[tuple[Ints, list[Array], list[Array]]] = []
    for mask in cases(rng, inputs, fused):
        feeds = inputs.feeds(rng, mask, list(inputs.dtypes))
        try:
            wanted = reference.run(outputs, feeds)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's own classes
            if not results:
                raise ProofError(f"the original does not run: {one_line(error)}") from None
            continue  # longer than the model's table of positions
        try:
            found = candidate.run(outputs, feeds)
            values = layers_run.run(names, feeds)
        except Exception as error:  # noqa: BLE001 - as above
            raise ProofError(
                f"the rewritten model does not run on {mask.shape[0]} sequences of "
                f"{mask.shape[1]} tokens: {one_line(error)}"
            ) from None
        results.append((mask, wanted, found))
        for index, item in enumerate(fused):
            unfused, op = values[2 * index], values[2 * index + 1]
            difference = layer_difference(mask, unfused, op, bshd=item.layout == "BSHD")
            layers[index] = max(layers[index], difference)
    for item, difference in zip(fused, layers, strict=True):
        limit = max(bounds.layer, QUANTISED_LAYER) if item.quantised else bounds.layer
        if not difference <= limit:
            raise ProofError(
                f"{item.name}: the op's output differs by {difference:.2g} of its magnitude, and "
                f"{limit:g} is allowed; nothing was written"
            )
    relative, absolute = output_difference(results)
    if not relative <= bounds.outputs:
        raise ProofError(
            f"the outputs differ by {absolute:.3g}, {relative:.2g} of their spread, and "
            f"{bounds.outputs:g} is allowed; nothing was written"
        )
    runs = [(len(mask), mask.shape[1]) for mask, _, _ in results]
    return Difference(layers.tolist(), relative, absolute, runs, bounds)


def cases(rng: np.random.Generator, inputs: Inputs, fused: Sequence[Fused]) -> Iterator[Ints]:
    """attention_masks [B, S] to run: batch sizes, lengths (past every window) and paddings.

    The first token is always real, because models read their verdict from it.
    """
    widths = {max(item.meaning.left, item.meaning.right) for item in fused}
    lengths = [1, 2, 17, 64, *(2 * width + 33 for width in widths if 0 < width < 2048), 512, 700]
    for number, tokens in enumerate(lengths if inputs.tokens is None else [inputs.tokens] * 4):
        batch = inputs.batch or (1, 3, 8, 4, 4, 2)[min(number, 5)]
        mask = np.ones((batch, tokens), np.int64)
        if inputs.has_mask:
            for row in range(1 if batch > 1 else 0, batch):
                if number == 0 and batch == 1:
                    continue
                if row % 3 == 1:
                    mask[row, rng.integers(1, tokens + 1) :] = 0
                elif row % 3 == 2:
                    mask[row, rng.integers(0, 2, tokens) == 0] = 0
                else:
                    mask[row, rng.integers(1, min(tokens, 4) + 1) :] = 0
                mask[row, 0] = 1
        yield mask


def layer_difference(mask: Ints, unfused: Array, op: Array, *, bshd: bool) -> float:
    """Largest difference of one attention's outputs, relative to the largest magnitude.

    Args:
        mask: attention_mask [B, S].
        unfused: what the original computes, [B, H, S, D].
        op: what the op computes, [B, S, H, D] or [B, H, S, D].
        bshd: whether it is the former.
    """
    real = mask.astype(bool)
    wanted = unfused.transpose(0, 2, 1, 3)[real].astype(np.float64)
    found = (op if bshd else op.transpose(0, 2, 1, 3))[real].astype(np.float64)
    magnitude = np.abs(wanted).max()
    return (
        float(np.abs(wanted - found).max() / magnitude)
        if magnitude > 0
        else float(np.abs(found).max())
    )


def output_difference(
    results: Sequence[tuple[Ints, Sequence[Array], Sequence[Array]]],
) -> tuple[float, float]:
    """(relative to the spread, absolute) largest difference of the outputs of all runs.

    Args:
        results: (attention_mask [B, S], outputs wanted, outputs found) of each run. Outputs that
            are [B, S, ..] in every run are compared where the mask is 1, others everywhere.

    Raises:
        ProofError: an output has another shape, or is not finite where it should be.
    """
    worst = (0.0, 0.0)
    for index in range(len(results[0][1])):
        by_token = all(wanted[index].shape[:2] == mask.shape for mask, wanted, _ in results)
        least, most, absolute = np.inf, -np.inf, 0.0
        for mask, wanted, found in results:
            one, other = wanted[index], found[index]
            if one.shape != other.shape:
                raise ProofError(f"an output has shape {other.shape} instead of {one.shape}")
            if by_token:
                one, other = one[mask.astype(bool)], other[mask.astype(bool)]
            one, other = one.astype(np.float64), other.astype(np.float64)
            if not np.isfinite(one).all():
                raise ProofError("the original's outputs are not finite on random tokens")
            if not np.isfinite(other).all():
                raise ProofError("the rewritten model's outputs are not finite")
            least, most = min(least, one.min()), max(most, one.max())
            absolute = max(absolute, float(np.abs(one - other).max()))
        spread = most - least
        relative = absolute / spread if spread > 0 else absolute
        worst = max(worst, (float(relative), absolute))
    return worst
