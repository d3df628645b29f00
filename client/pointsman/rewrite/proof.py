"""Runs the original and the rewritten graph side by side, and says how far they are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from pointsman.errors import ProofError
from pointsman.rewrite.fusion import Fused
from pointsman.rewrite.graph import Array, describe
from pointsman.rewrite.masks import Ints
from pointsman.rewrite.runs import IDS, Inputs, one_line, session


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


# Well over what was measured (docs/rewriter.md): the larger a model's scores, the more the unfused
# graph itself rounds them. A wrong window or scale shows as 0.01 to 1 in a layer.
FLOAT32 = Bounds(layer=2e-4, outputs=1e-3)
FLOAT16 = Bounds(layer=2e-2, outputs=5e-2)
BFLOAT16 = Bounds(layer=0.1, outputs=0.1)
# Of dynamically quantised models: their 8-bit steps turn a last bit into a visible difference.
QUANTISED_LAYER = 0.1
QUANTISED_OUTPUTS = 0.1


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
        bounds = Bounds(bounds.layer, max(bounds.outputs, QUANTISED_OUTPUTS))
    return bounds


def prove(
    original: onnx.ModelProto,
    pairs: onnx.ModelProto,
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
        pairs: computes each attention's output twice, as `Fused.original` and as `Fused.op`.
        rewritten: the model with the ops.
        fused: the ops.
        inputs: what the models take.
        library: the op library.
        bounds: what is allowed.

    Raises:
        ProofError: the difference is beyond the bounds, or an output is not finite where the
            original's is.
    """
    # One session at a time: each holds the weights once more.
    reference = session(original)
    outputs = [value.name for value in reference.get_outputs()]
    rng = np.random.default_rng(11)
    masks: list[Ints] = []
    feeds: list[dict[str, Array]] = []
    wanted: list[list[Array]] = []
    for mask in cases(rng, inputs, fused):
        feed = inputs.feeds(rng, mask, list(inputs.dtypes))
        try:
            wanted.append(reference.run(outputs, feed))
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's own classes
            if not wanted:
                raise ProofError(f"the original does not run: {one_line(error)}") from None
            continue  # longer than the model's table of positions
        masks.append(mask)
        feeds.append(feed)
    del reference

    names = [name for item in fused for name in (item.original, item.op)]
    layers = np.zeros(len(fused))
    for mask, values in zip(masks, _run(pairs, names, feeds, library), strict=True):
        for index, item in enumerate(fused):
            unfused, op = values[2 * index], values[2 * index + 1]
            difference = layer_difference(mask, unfused, op, bshd=item.layout == "BSHD")
            layers[index] = np.maximum(layers[index], difference)  # NaN stays, and fails
    for item, difference in zip(fused, layers, strict=True):
        limit = max(bounds.layer, QUANTISED_LAYER) if item.quantised else bounds.layer
        if not difference <= limit:
            raise ProofError(
                f"{describe(item.softmax)}: the op's output differs by {difference:.2g} of its "
                f"magnitude, and {limit:g} is allowed; nothing was written"
            )
    found = list(_run(rewritten, outputs, feeds, library))
    results = list(zip(masks, wanted, found, strict=True))
    relative, absolute = output_difference(results)
    if not relative <= bounds.outputs:
        raise ProofError(
            f"the outputs differ by {absolute:.3g}, {relative:.2g} of their spread, and "
            f"{bounds.outputs:g} is allowed; nothing was written"
        )
    runs = [(len(mask), mask.shape[1]) for mask in masks]
    return Difference(layers.tolist(), relative, absolute, runs, bounds)


def _run(
    model: onnx.ModelProto, names: list[str], feeds: list[dict[str, Array]], library: Path
) -> Iterator[list[Array]]:
    run = session(model, library)
    known = [value.name for value in run.get_inputs()]
    for feed in feeds:
        try:
            yield run.run(names, {name: feed[name] for name in known})
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's own classes
            batch, tokens = feed[IDS].shape
            raise ProofError(
                f"the rewritten model does not run on {batch} sequences of {tokens} tokens: "
                f"{one_line(error)}"
            ) from None


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
            for row in range(batch):
                kind = (number if batch == 1 else row) % 4
                if kind == 1:
                    mask[row, rng.integers(1, tokens + 1) :] = 0
                elif kind == 2:
                    mask[row] = rng.integers(0, 2, tokens)
                elif kind == 3:
                    mask[row, rng.integers(1, 5) :] = 0
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
