"""Token logits to PII spans: BIO decoding over whole words, and the merge with pattern findings.

Everything here is a pure function over arrays. Offsets are Unicode code points into the judged
text, half-open, as the compressor emits them in ``TOKEN_OFFSETS``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Source = Literal["pattern", "model"]
Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

# A model span cut by a pattern finding leaves a rest; one shorter than this is punctuation.
_SHORTEST_REST = 3
# A little over, so that rounding in a word's mean cannot matter.
_HALF = 0.501


class Span(NamedTuple):
    """One piece of personal data: code points ``[start, end)`` of the text."""

    type: str
    start: int
    end: int
    score: float
    source: Source


def softmax(logits: Floats) -> NDArray[np.float32]:
    """Softmax over the last axis.

    Args:
        logits: Any shape ``[..., C]`` with ``C >= 1``.

    Returns:
        float32 probabilities of the same shape.

    Raises:
        ValueError: When a logit is NaN or infinite: no probability can be trusted then.
    """
    values = np.asarray(logits, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError("logits are not finite")
    weights = np.exp(values - values.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = weights / weights.sum(axis=-1, keepdims=True)
    return probabilities


@lru_cache(maxsize=8)
def _tag_scheme(
    labels: tuple[str, ...],
) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float32]]:
    """Types, and the two 0/1 matrices [L, 1 + types] that sum label probabilities per type.

    Column 0 is "O". The first matrix adds B- and I-, the second has B- alone.
    """
    types = tuple(dict.fromkeys(label[2:] for label in labels if label != "O"))
    column = {type_: index + 1 for index, type_ in enumerate(types)}
    either = np.zeros((len(labels), len(types) + 1), dtype=np.float32)
    begin = np.zeros_like(either)
    for row, label in enumerate(labels):
        if label == "O":
            either[row, 0] = 1
        elif label[:2] in ("B-", "I-") and len(label) > 2:
            either[row, column[label[2:]]] = 1
            begin[row, column[label[2:]]] = label[0] == "B"
        else:
            raise ValueError(f'PII label {label!r} is neither "O" nor "B-TYPE" nor "I-TYPE"')
    if labels.count("O") != 1:
        raise ValueError('the PII labels must hold "O" exactly once')
    either.setflags(write=False)
    begin.setflags(write=False)
    return types, either, begin


def decode_spans(
    logits: Floats,
    offsets: Integers,
    labels: Sequence[str],
    threshold: float,
    kept: Integers | None = None,
) -> list[Span]:
    """Read spans from BIO logits.

    Labels are decided per word, not per word piece, so that a span never ends inside a word.
    Pieces that touch belong to one word, except pieces of one character: those are punctuation
    (or a lone letter or ideograph), words of their own. A word's type is the one with the
    highest probability, B- and I- together, averaged over its pieces. A one-character word read as
    "O" that touches a span on both sides is inside it ("555-1234", "12/03"). I- without B- starts
    a span; B- after the same type starts a new one.

    Args:
        logits: float ``[T, L]``.
        offsets: int ``[T, 2]``, ascending; special tokens are ``(-1, -1)``.
        labels: The ``L`` labels in logit order: "O", "B-TYPE", "I-TYPE".
        threshold: Spans whose score is lower are left out.
        kept: int ``[K, 2]``, ascending: the ranges of the text that were kept. Dropped text never
            lies inside a span. ``None`` when nothing was dropped.

    Returns:
        Spans in order, disjoint; ``score`` is the mean probability of the type over the pieces.

    Raises:
        ValueError: When shapes disagree, a logit is not finite, offsets are not ascending or a
            label is not a BIO label.
    """
    logits = np.asarray(logits)
    offsets = np.asarray(offsets)
    if logits.ndim != 2 or logits.shape[1] != len(labels):
        raise ValueError(
            f"PII logits have shape {list(logits.shape)}, expected [tokens, {len(labels)}]"
        )
    if offsets.shape != (logits.shape[0], 2):
        raise ValueError(
            f"token offsets have shape {list(offsets.shape)}, expected [{logits.shape[0]}, 2]"
        )
    types, either, begin = _tag_scheme(tuple(labels))
    probabilities = softmax(logits)

    real = (offsets[:, 1] > offsets[:, 0]) & (offsets[:, 0] >= 0)
    special = (offsets == -1).all(axis=1)
    empty = (offsets[:, 1] == offsets[:, 0]) & (offsets[:, 0] >= 0)
    if not (real | special | empty).all():
        raise ValueError("token offsets must be [start, end) with 0 <= start <= end, or (-1, -1)")
    starts = offsets[real, 0].astype(np.int64)
    if (np.diff(starts) < 0).any():
        raise ValueError("token offsets are not ascending")
    # Most texts hold nothing: where every piece is more likely "O" than all else, so is every word.
    outside = probabilities[real, list(labels).index("O")]
    if (outside > _HALF).all():
        return []
    # A character that its normal form turns into several (a Hangul syllable) can give two pieces
    # with the same offsets: the running maximum keeps words, and so spans, disjoint.
    ends = np.maximum.accumulate(offsets[real, 1].astype(np.int64))
    probabilities = probabilities[real]

    dropped_before = np.zeros(starts.size, dtype=bool)
    if kept is not None:
        kept = np.asarray(kept, dtype=np.int64).reshape(-1, 2)
        resumes = kept[1:, 0][kept[1:, 0] > kept[:-1, 1]]
        dropped_before[1:] = np.diff(np.searchsorted(resumes, starts, side="right")) > 0

    # Words.
    touches = np.zeros(starts.size, dtype=bool)
    touches[1:] = (starts[1:] <= ends[:-1]) & ~dropped_before[1:]
    overlaps = np.zeros_like(touches)
    overlaps[1:] = starts[1:] < ends[:-1]
    short = ends - starts == 1
    joined = overlaps.copy()
    joined[1:] |= touches[1:] & ~short[1:] & ~short[:-1]
    first = np.flatnonzero(~joined)
    last = np.append(first[1:], starts.size) - 1
    pieces = (last - first + 1).astype(np.float32)

    # The type of each word.
    mass = np.add.reduceat(probabilities @ either, first, axis=0) / pieces[:, None]
    type_ = mass.argmax(axis=1)
    begins_mass = (probabilities[first] @ begin)[np.arange(first.size), type_]
    inside_mass = (probabilities[first] @ either)[np.arange(first.size), type_] - begins_mass
    begins = begins_mass > inside_mass
    glued = touches[first]

    # One "O" character between two words of one entity belongs to it.
    if first.size > 2:
        bridge = (
            (type_[1:-1] == 0)
            & (ends[last[1:-1]] - starts[first[1:-1]] == 1)
            & glued[1:-1]
            & glued[2:]
            & (type_[:-2] != 0)
            & (type_[:-2] == type_[2:])
            & ~begins[2:]
        )
        where = np.flatnonzero(bridge) + 1
        type_[where] = type_[where - 1]
        begins[where] = False

    # Spans: runs of words of one type.
    opens = type_ != 0
    opens[1:] &= (type_[1:] != type_[:-1]) | begins[1:] | dropped_before[first[1:]]
    opening = np.flatnonzero(opens)
    if opening.size == 0:
        return []
    inside = type_ != 0
    number = np.cumsum(opens) - 1  # the span a word belongs to, where `inside`
    closing = np.zeros(opening.size, dtype=np.int64)
    np.maximum.at(closing, number[inside], np.flatnonzero(inside))
    words = np.flatnonzero(inside)
    support = mass[words, type_[words]] * pieces[words]
    total = np.bincount(number[inside], weights=support, minlength=opening.size)
    count = np.bincount(number[inside], weights=pieces[words], minlength=opening.size)
    scores = total / count
    return [
        Span(types[type_[a] - 1], int(starts[first[a]]), int(ends[last[b]]), float(score), "model")
        for a, b, score in zip(opening, closing, scores, strict=True)
        if score >= threshold
    ]


def _disjoint(spans: Iterable[Span]) -> list[Span]:
    """Sort; spans that overlap become one, as long as both, with the type of the longest."""
    result: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda s: (s.start, -s.end, -s.score, s.type)):
        length = span.end - span.start
        if result and span.start < result[-1].end:
            known = result[-1]
            winner = span if length > longest else known
            result[-1] = winner._replace(start=known.start, end=max(known.end, span.end))
            longest = max(longest, length)
        else:
            result.append(span)
            longest = length
    return result


def merge(pattern: Iterable[Span], model: Iterable[Span]) -> list[Span]:
    """Put pattern findings and model spans together; where they overlap the pattern wins.

    A model span keeps what no pattern covers, so that a name that ran into an e-mail address is
    still redacted; a rest of one or two characters is punctuation and is dropped.

    Args:
        pattern: Findings of the pattern scan, in any order; overlapping ones become one.
        model: Spans of :func:`decode_spans`, or any others.

    Returns:
        Spans in order, disjoint.
    """
    patterns = _disjoint(pattern)
    ends = np.fromiter((span.end for span in patterns), np.int64, len(patterns))
    merged = list(patterns)
    for span in _disjoint(model):
        index = int(np.searchsorted(ends, span.start, side="right"))
        if index == len(patterns) or patterns[index].start >= span.end:
            merged.append(span)
            continue
        position, rest = span.start, []
        while index < len(patterns) and patterns[index].start < span.end:
            rest.append(span._replace(start=position, end=patterns[index].start))
            position = patterns[index].end
            index += 1
        rest.append(span._replace(start=position))
        merged.extend(piece for piece in rest if piece.end - piece.start >= _SHORTEST_REST)
    return sorted(merged, key=lambda span: span.start)
