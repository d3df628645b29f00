"""What an attention mask means: which keys each token sees.

The part of a graph that computes a mask is run, for growing lengths and several paddings, and what
it gives is compared with the only two things the attention op knows besides a full bias: a band
around the diagonal, and keys that are padding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx

from pointsman.errors import UnsupportedModelError
from pointsman.rewrite.graph import Array, Graph, describe, subgraph
from pointsman.rewrite.runs import Inputs, one_line, session

MASKED = -1e4
"""Scores that a mask lowers by this much or more get no weight: exp(-1e4) is 0 in float32."""

_SMALL_LENGTHS = (1, 5, 16, 72, 260)
_LARGE_LENGTHS = (1100, 4500)
UNLIMITED = -1

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MaskTerm:
    """One value that masks scores.

    Attributes:
        value: its name; it broadcasts to [B, H, S, S].
        kind: "add" (added to the scores: 0 or very negative), "keep" (true where a key is seen)
            or "drop" (true where it is not).
        factor: what the sum is multiplied by afterwards; of "add" only.
    """

    value: str
    kind: str
    factor: float = 1.0


@dataclass(frozen=True)
class Meaning:
    """Which keys a token that is not padding sees.

    Attributes:
        left: how far back, in tokens; -1 is unlimited.
        right: how far ahead.
        padding: whether keys that are padding are hidden.
    """

    left: int
    right: int
    padding: bool


class UnexplainedMaskError(Exception):
    """A mask is not a band and key padding; the text says what it is."""


def visible(term: MaskTerm, array: Array, batch: int, tokens: int) -> Bools:
    """Which keys one mask term lets each token see.

    Args:
        term: how `array` is used.
        array: its content, broadcastable to [batch, any, tokens, tokens].
        batch: sequences.
        tokens: their length.

    Returns:
        Bools [batch, tokens, tokens]: query, key.

    Raises:
        UnexplainedMaskError: heads differ, or an added number neither keeps nor hides a key.
    """
    if array.ndim > 4:
        raise UnexplainedMaskError(f"a mask of {array.ndim} dimensions")
    array = array.reshape((1,) * (4 - array.ndim) + array.shape)
    if term.kind == "add":
        with np.errstate(invalid="ignore"):
            added = array if term.factor == 1 else array.astype(np.float64) * term.factor
        seen = added == 0
        odd = ~(seen | (added <= MASKED))
        if odd.any():
            raise UnexplainedMaskError(
                f"it adds {added[odd][0]:g} to a score, which neither keeps nor hides a key"
            )
    else:
        seen = array.astype(np.bool_)
        if term.kind == "drop":
            seen = ~seen
    if seen.shape[1] > 1 and (seen != seen[:, :1]).any():
        raise UnexplainedMaskError("it is not the same for every head")
    return np.asarray(np.broadcast_to(seen[:, 0], (batch, tokens, tokens)))


def paddings(rng: np.random.Generator, batch: int, tokens: int) -> Ints:
    """Masks [batch, tokens]: nothing padded, padded right, padded left, then with holes."""
    mask = np.ones((batch, tokens), np.int64)
    for row in range(1, batch):
        if row == 1:
            mask[row, rng.integers(1, tokens + 1) :] = 0
        elif row == 2:
            mask[row, : rng.integers(0, tokens)] = 0
        else:
            mask[row] = rng.integers(0, 2, tokens)
            mask[row, rng.integers(tokens)] = 1
    return mask


def explain(observations: Iterable[tuple[Ints, Bools]]) -> Meaning:
    """Find the band and the padding that explain, exactly, what tokens see.

    Args:
        observations: (attention_mask [B, S], visible [B, S, S]) of growing S; the first sequence
            of each has no padding. Looked at until a band much narrower than S is found.

    Raises:
        UnexplainedMaskError: nothing explains it. Rows of tokens that are padding are ignored.
    """
    padding: bool | None = None
    band, longest = (0, 0), 1
    for mask, seen in observations:
        tokens = mask.shape[1]
        before, band = band, _band(seen[0])
        for side, width, previous in zip(("back", "ahead"), band, before, strict=True):
            narrow = previous < longest - 1
            if (width != previous) if narrow else (width < previous):
                raise UnexplainedMaskError(
                    f"a token sees {previous} tokens {side} of {longest} tokens, and {width} of "
                    f"{tokens}"
                )
        longest = tokens
        padding = _hides_padding(mask, seen, band, padding)
        if tokens > max(2 * sum(band) + 8, 32):
            break
    left, right = (UNLIMITED if width == longest - 1 else width for width in band)
    return Meaning(left, right, bool(padding))


def _band(seen: Bools) -> tuple[int, int]:
    """How far back and ahead the tokens of a sequence without padding, bools [S, S], see."""
    tokens = len(seen)
    if not seen.diagonal().all():
        raise UnexplainedMaskError("a token does not see itself")
    query = np.arange(tokens)
    first = seen.argmax(axis=1)
    last = tokens - 1 - seen[:, ::-1].argmax(axis=1)
    left, right = int((query - first).max()), int((last - query).max())
    odd = first != np.maximum(0, query - left)
    odd |= last != np.minimum(tokens - 1, query + right)
    odd |= seen.sum(axis=1) != last - first + 1
    if odd.any():
        row = int(odd.argmax())
        raise UnexplainedMaskError(
            f"of {tokens} tokens, token {row} sees {seen[row].sum()} between {first[row]} and "
            f"{last[row]}, where others see {left} back and {right} ahead: not a band"
        )
    return left, right


def _hides_padding(
    mask: Ints, seen: Bools, band: tuple[int, int], known: bool | None
) -> bool | None:
    """Whether keys that are padding are hidden; `known`, where no token could tell."""
    real = mask.astype(bool)
    if real.all():
        if (seen[1:] != seen[:1]).any():
            raise UnexplainedMaskError("sequences of one length, none padded, see different tokens")
        return known
    position = np.arange(mask.shape[1])
    distance = position[None, :] - position[:, None]
    inside = (distance >= -band[0]) & (distance <= band[1])
    for hides in (True, False) if known is None else (known,):
        wrong = (seen != (inside & (real[:, None, :] | (not hides)))) & real[:, :, None]
        if not wrong.any():
            told = inside & real[:, :, None] & ~real[:, None, :]
            return hides if told.any() else known
    row, query, key = np.argwhere(wrong)[0]
    raise UnexplainedMaskError(
        f"of {len(position)} tokens with attention_mask {mask[row].tolist()[:80]}, token {query} "
        f"{'sees' if seen[row, query, key] else 'misses'} token {key}"
    )


def meanings(graph: Graph, inputs: Inputs, masks: Sequence[tuple[MaskTerm, ...]]) -> list[Meaning]:
    """Run what computes each layer's mask, and say what it means.

    Args:
        graph: the whole graph.
        inputs: what it takes.
        masks: the mask terms of each attention.

    Raises:
        UnsupportedModelError: a mask is more than a band and key padding; its node is named.
    """
    keys = _structural_keys(graph, [term.value for terms in masks for term in terms])
    known: dict[tuple[tuple[str, str, float], ...], Meaning] = {}
    result = []
    for terms in masks:
        key = tuple((str(keys[term.value]), term.kind, term.factor) for term in terms)
        if key not in known:
            known[key] = _meaning(graph, inputs, terms)
        result.append(known[key])
    return result


def _meaning(graph: Graph, inputs: Inputs, terms: tuple[MaskTerm, ...]) -> Meaning:
    if not terms:
        return Meaning(UNLIMITED, UNLIMITED, False)
    node = graph.producer(terms[0].value)
    name = describe(node) if node is not None else f"value {terms[0].value!r}"
    values = list(dict.fromkeys(term.value for term in terms))
    part = subgraph(graph.model, values)
    run = session(part)
    names = [item.name for item in part.graph.input if item.name in inputs.dtypes]

    def look(mask: Ints) -> Bools:
        feeds = inputs.feeds(np.random.default_rng(1), mask, names)
        arrays = dict(zip(values, run.run(None, feeds), strict=True))
        seen = [visible(term, arrays[term.value], *mask.shape) for term in terms]
        return np.asarray(np.logical_and.reduce(seen))

    def look_by_batch(mask: Ints) -> Bools:
        step = inputs.batch or len(mask)
        return np.concatenate([look(mask[row : row + step]) for row in range(0, len(mask), step)])

    try:
        return explain(_observations(look_by_batch, inputs, name))
    except UnexplainedMaskError as error:
        raise UnsupportedModelError(
            f"{name}: this mask is not a window and key padding: {error}"
        ) from None


def _observations(
    look: Callable[[Ints], Bools], inputs: Inputs, name: str
) -> Iterable[tuple[Ints, Bools]]:
    """Masks and what they let see, at lengths that grow until the graph takes no longer ones."""
    rng = np.random.default_rng(2)
    lengths = (*_SMALL_LENGTHS, *_LARGE_LENGTHS) if inputs.tokens is None else (inputs.tokens,)
    for tokens in lengths:
        rows = (inputs.batch or 1) * (6 if tokens <= _SMALL_LENGTHS[-1] else 1)
        mask = paddings(rng, rows, tokens) if inputs.has_mask else np.ones((rows, tokens), int)
        try:
            seen = look(mask)
        except UnexplainedMaskError:
            raise
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's own classes
            if tokens in _SMALL_LENGTHS[:3]:
                raise UnsupportedModelError(
                    f"{name}: this mask cannot be computed for {tokens} tokens: {one_line(error)}"
                ) from None
            return
        yield mask, seen


def _structural_keys(graph: Graph, values: Sequence[str]) -> dict[str, int]:
    """A number for each value, equal where two values are computed alike from the same inputs."""
    numbers: dict[object, int] = {}
    keys: dict[str, int] = {}
    part = subgraph(graph.model, values)

    def number(key: object) -> int:
        return numbers.setdefault(key, len(numbers))

    def look_up(name: str) -> int:
        if name not in keys:
            array = graph.constant(name)
            keys[name] = number(
                name if array is None else (array.dtype.str, array.shape, array.tobytes())
            )
        return keys[name]

    for node in part.graph.node:
        bare = onnx.NodeProto()
        bare.CopyFrom(node)
        for item in ("name", "input", "output", "doc_string", "metadata_props"):
            bare.ClearField(item)
        parents = tuple(look_up(name) if name else -1 for name in node.input)
        kind = bare.SerializeToString(deterministic=True)
        if node.op_type == "Constant" and not node.domain:
            look_up(node.output[0])
            continue
        for index, name in enumerate(node.output):
            keys[name] = number((kind, parents, index))
    for name in values:
        look_up(name)
    return keys
