"""Step 3, retrieve: choose the sentences that a classifier will read.

How much they have in common is counted where the terms are; to choose one after another is the
host's.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.placement import CPU, namespace, sparse_matrix
from pointsman_backends.compressor.rows import TermRows, entries

__all__ = ["Forced", "Kept", "best_within", "retrieve"]

_POOL = 128  # best scored sentences that are compared for redundancy


class Forced(NamedTuple):
    """A sentence that comes before all that are chosen by score.

    Attributes:
        sentence: Its index.
        reason: Why, in a word or two.
        essential: Whether its loss must be told.
    """

    sentence: int
    reason: str
    essential: bool = True


@dataclass(frozen=True)
class Kept:
    """The sentences chosen.

    Attributes:
        sentences: Which of the S are kept, bool [S].
        reasons: Why each was kept, by its index.
        partial: The one of them whose tokens exceed the room, of which only the beginning can be
            kept (then it is the only one), or None.
        truncated: Whether an essential sentence is left out or cut.
    """

    sentences: npt.NDArray[np.bool_]
    reasons: dict[int, str]
    partial: int | None
    truncated: bool


def best_within(
    sentences: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    tokens: npt.NDArray[np.int64],
    room: int,
) -> list[int]:
    """List the best scored of some sentences, as far as each fits into ``room`` tokens.

    Args:
        sentences: Their indices, int64 [F], ascending.
        scores: Of all sentences, float64 [S].
        tokens: Of all sentences, int64 [S].
        room: Tokens they may take together.
    """
    best: list[int] = []
    if not len(sentences):
        return best
    order = sentences[(-scores[sentences]).argsort(kind="stable")]
    for sentence, size in zip(order.tolist(), tokens[order].tolist(), strict=True):
        if size <= room:
            best.append(sentence)
            room -= size
    return best


def retrieve(
    scores: npt.NDArray[np.float64],
    tokens: npt.NDArray[np.int64],
    shared: npt.NDArray[np.int64],
    terms: TermRows,
    forced: Sequence[Forced],
    repeated: npt.NDArray[np.bool_],
    room: int,
    penalty: float,
) -> Kept:
    """Keep the forced sentences, then the best of the others, as far as each fits.

    The best is what has the highest score less ``penalty`` times its highest cosine with what is
    kept already, among those that fit into what is left. So more room never keeps fewer tokens:
    the first sentence that only the larger room takes fills it to the last token.

    Args:
        scores: Relevance, float64 [S].
        tokens: Tokens of each sentence, int64 [S].
        shared: Tokens each has in common with the next, int64 [S].
        terms: Term counts, CSR [S, V], on any device; the others are the host's.
        forced: Sentences that come before all others, in order; at least one.
        repeated: Which repeat another: they come after all that do not, bool [S].
        room: Tokens to fill, at least 1.
        penalty: Weight of redundancy.

    Source: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering
        documents and producing summaries", SIGIR 1998.
    """
    kept = np.zeros(len(tokens), np.bool_)
    reasons: dict[int, str] = {}
    left = room

    def cost(sentence: int) -> int:
        size = int(tokens[sentence])
        if sentence and kept[sentence - 1]:
            size -= int(shared[sentence - 1])
        if sentence + 1 < len(kept) and kept[sentence + 1]:
            size -= int(shared[sentence])
        return size

    for one in forced:
        size = cost(one.sentence)
        if one.sentence not in reasons and size <= left:
            kept[one.sentence] = True
            reasons[one.sentence] = one.reason
            left -= size
    truncated = any(one.essential and one.sentence not in reasons for one in forced)
    if not reasons:
        first = forced[0]
        kept[first.sentence] = True
        return Kept(kept, {first.sentence: first.reason}, first.sentence, True)

    library = native.reads(terms.data)
    if library is not None and terms.indices.dtype == np.int32:
        chosen = _fill_natively(
            library, scores, tokens, shared, terms, repeated, kept, left, penalty
        )
        reasons.update(dict.fromkeys(chosen, "score"))
        return Kept(kept, reasons, None, truncated)

    order = np.argsort(-scores, kind="stable")
    order = order[~kept[order]]
    once, again = order[~repeated[order]], order[repeated[order]]
    pool, others = once[:_POOL], np.concatenate([once[_POOL:], again])
    taken = np.flatnonzero(kept)
    value = scores[pool].copy()
    if penalty:
        # What each of the pool is worth beside each sentence that is or may be kept, [R, P].
        cosines = _cosines(terms, np.concatenate([taken, pool]), pool)
        beside = scores[pool] - penalty * cosines
        value = np.minimum(value, beside[: len(taken)].min(axis=0, initial=np.inf))
    # Also those that may fit thanks to a neighbour that is kept.
    sizes = tokens[pool] - _most_shared(shared)[pool]
    while True:
        value[sizes > left] = -np.inf
        if not len(pool) or value[best := int(value.argmax())] == -np.inf:
            break
        sentence = int(pool[best])
        value[best] = -np.inf
        size = cost(sentence)
        if size <= left:
            kept[sentence] = True
            reasons[sentence] = "score"
            left -= size
            if penalty:
                np.minimum(value, beside[len(taken) + best], out=value)
    others = others[tokens[others] <= left]
    smallest = int(tokens[others].min(initial=left + 1))
    for sentence in others.tolist():
        if left < smallest:
            break
        size = cost(sentence)
        if size <= left:
            kept[sentence] = True
            reasons[sentence] = "score"
            left -= size
    return Kept(kept, reasons, None, truncated)


def _fill_natively(
    library: ctypes.CDLL,
    scores: npt.NDArray[np.float64],
    tokens: npt.NDArray[np.int64],
    shared: npt.NDArray[np.int64],
    terms: TermRows,
    repeated: npt.NDArray[np.bool_],
    kept: npt.NDArray[np.bool_],
    left: int,
    penalty: float,
) -> list[int]:
    """Keep the best sentences besides those kept, and list them in the order of choice."""
    chosen = np.empty(len(kept), np.int64)
    count = native.check(
        library.pointsman_fill_room(
            native.address(scores),
            native.address(tokens),
            native.address(shared),
            native.address(repeated),
            len(kept),
            native.address(terms.indptr),
            native.address(terms.indices),
            native.address(terms.data),
            terms.shape[1],
            _POOL,
            penalty,
            left,
            native.address(kept),
            native.address(chosen),
        )
    )
    best: list[int] = chosen[:count].tolist()
    return best


def _cosines(
    terms: TermRows, rows: npt.NDArray[np.int64], pool: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Cosines of some sentences with those of a pool, in millionths; float64 [R, P], on the host.

    Their numerators and squares are whole numbers: exact, in whatever order a device adds.

    Args:
        terms: Term counts of S sentences, CSR [S, V].
        rows: R of them, int64 [R], on the host.
        pool: P of them, int64 [P], on the host.
    """
    xp = namespace(terms.data)
    of_pool, at = entries(terms, xp.asarray(pool))
    columns, counts = terms.indices[at], terms.data[at]
    pool_squares = xp.bincount(of_pool, counts * counts, minlength=len(pool))
    # The pool as columns, for the terms in it alone.
    known = xp.unique(columns)
    dense = xp.zeros(len(known) * len(pool))
    dense[xp.searchsorted(known, columns) * len(pool) + of_pool] = counts
    row, at = entries(terms, xp.asarray(rows))
    columns, counts = terms.indices[at], terms.data[at]
    squares = xp.bincount(row, counts * counts, minlength=len(rows))
    place = xp.searchsorted(known, columns)
    shared = xp.append(known, -1)[place] == columns
    ends = xp.searchsorted(row[shared], xp.arange(len(rows) + 1)).astype(np.int32)
    shape = len(rows), len(known)
    some = sparse_matrix(counts[shared], place[shared].astype(np.int32), ends, shape)
    products, *both = CPU.put((some @ dense.reshape(len(known), len(pool)), squares, pool_squares))
    left, right = (1 / np.sqrt(np.maximum(sums, 1.0)) for sums in both)
    cosines: npt.NDArray[np.float64] = np.rint(products * (1e6 * left[:, None] * right)) * 1e-6
    return cosines


def _most_shared(shared: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Tokens that each sentence may share with both its neighbours, int64 [S]."""
    both = shared.copy()
    both[1:] += shared[:-1]
    return both
