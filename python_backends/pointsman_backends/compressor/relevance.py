"""Step 2, relevance: signals of a sentence's worth, three of them over the sentence-term matrix.

TextRank, position, density and novelty, and their weights, are those of "98x Faster LLM Routing
Without a Dedicated GPU" (arXiv 2603.12646). All are linear in the matrix's entries.

What is computed from the matrix runs where that is: ``xp`` is NumPy or a library with its names.
What has one number for each sentence is the host's, as what is made of it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.placement import CPU, namespace, sparse_matrix
from pointsman_backends.compressor.rows import TermCounts, TermRows, entries

__all__ = ["UnitRows", "density", "novelty", "position", "term_signals", "textrank", "weigh"]

_Scores = npt.NDArray[np.float64]
_Array = Any  # of the device's library

_DAMPING = 0.85
_TOLERANCE = 1e-7
_STEPS = 150  # never reached: the condition number is at most 1.85 / 0.15, so some 40 are enough
_NOTHING = 1e-9  # what rounding makes of a signal that is 0 everywhere
_DECIMALS = 6  # the order in which a device adds does not reach them


def term_signals(terms: TermRows, rows: npt.NDArray[np.int64] | None = None) -> dict[str, _Scores]:
    """Score sentences by TextRank, TF-IDF density and novelty.

    Args:
        terms: Term counts, CSR [S, V].
        rows: Indices of the R sentences there are, the others are not, int64 [R], where the terms
            are; None for all.

    Returns:
        Each signal by its name, in [0, 1], the largest 1 (or all 0), rounded to six decimals, so
        that neither the device nor the order of the terms makes a difference; float64 [R], on the
        host.
    """
    library = native.reads(terms.data)
    if library is not None and terms.indices.dtype == np.int32:
        signals = _signals_natively(library, terms, rows)
    else:
        xp = namespace(terms.data)
        if rows is not None:
            terms = _selected(terms, rows)
        matrix = terms.matrix if isinstance(terms, TermCounts) else terms
        unit = UnitRows(matrix, xp)
        signals = CPU.put(xp.stack([textrank(unit, xp), density(matrix, xp), novelty(unit, xp)]))
    largest = signals.max(axis=1, initial=0.0, keepdims=True)
    scaled = np.round(signals / np.where(largest > _NOTHING, largest, 1.0), _DECIMALS)
    return dict(zip(("textrank", "density", "novelty"), scaled, strict=True))


def _selected(terms: TermRows, rows: npt.NDArray[np.int64]) -> TermCounts:
    """Some rows alone: ascending indices, int64 [R]."""
    xp = namespace(terms.data)
    row, at = entries(terms, rows)
    ends = xp.searchsorted(row, xp.arange(len(rows) + 1)).astype(np.int32)
    return TermCounts(terms.data[at], terms.indices[at], ends, (len(rows), terms.shape[1]))


def _signals_natively(
    library: ctypes.CDLL, terms: TermRows, rows: npt.NDArray[np.int64] | None
) -> _Scores:
    """TextRank, density and novelty before they are scaled, float64 [3, R]."""
    starts, ends = terms.indptr[:-1], terms.indptr[1:]
    if rows is not None:
        starts, ends = starts[rows], ends[rows]
    count, columns = len(starts), terms.shape[1]
    signals = np.empty((3, count))
    if not count:
        return signals
    places = native.address(starts), native.address(ends), native.address(terms.indices)
    frequency = np.empty(columns, np.int32)
    library.pointsman_term_frequencies(*places, count, columns, native.address(frequency))
    inverse_frequency = np.log((count + 1) / (frequency + 1))
    native.check(
        library.pointsman_term_signals(
            *places,
            native.address(terms.data),
            count,
            columns,
            native.address(frequency),
            native.address(inverse_frequency),
            _DAMPING,
            _TOLERANCE**2,
            _STEPS,
            native.address(signals),
        )
    )
    return signals


class UnitRows:
    """A CSR matrix whose rows are scaled to length 1 (rows of zeros stay), as a linear map.

    Args:
        terms: The matrix before scaling, [S, V], of whole numbers.
        xp: The library of its arrays.

    Attributes:
        filled: 1 for rows that are not zero, else 0; float64 [S].
        words: Sum of each row before scaling, at least 1; float64 [S].
    """

    def __init__(self, terms: _Array, xp: Any = np) -> None:  # noqa: ANN401
        self._terms, self._transposed, self._xp = terms, terms.T, xp
        self.filled = (xp.diff(terms.indptr) > 0).astype(xp.float64)
        self.words = _words(terms, xp)
        self._squares = _row_sums(terms.data * terms.data, terms.indptr, xp)
        self._scale = self.filled / xp.sqrt(xp.maximum(self._squares, 1.0))

    def times(self, vector: _Array) -> _Array:
        """Product with a vector [V]: [S]."""
        return self._scale * (self._terms @ vector)

    def transposed_times(self, vector: _Array) -> _Array:
        """Product of the transpose with a vector [S]: [V]."""
        return self._transposed @ (self._scale * vector)

    def centroid(self) -> _Array:
        """Sum of the rows' relative frequencies, before scaling: [V]."""
        return self._transposed @ (1 / self.words)

    def linked(self) -> tuple[_Array, UnitRows, _Array]:
        """Leave out the columns that no two rows have in common, and rows without others.

        Returns:
            Indices of the L rows that are left, int64 [L]; these rows, scaled as they are here; and
            what is left of the squared length of each, float64 [L].
        """
        terms, xp = self._terms, self._xp
        frequency = xp.bincount(terms.indices, minlength=terms.shape[1])
        shared = frequency[terms.indices] > 1
        ends = xp.zeros(len(shared) + 1, terms.indptr.dtype)
        ends[1:] = xp.cumsum(shared)
        ends = ends[terms.indptr]
        at = xp.flatnonzero(ends[1:] > ends[:-1])
        edges = xp.zeros(len(at) + 1, ends.dtype)
        edges[1:] = ends[at + 1]
        shape = len(at), terms.shape[1]
        rows = UnitRows(sparse_matrix(terms.data[shared], terms.indices[shared], edges, shape), xp)
        rows._scale = self._scale[at]
        return at, rows, rows._squares / xp.maximum(self._squares[at], 1.0)


def weigh(signals: Mapping[str, _Scores], weights: Mapping[str, float]) -> _Scores:
    """Return the weighted sum of the signals, float64 [S].

    Args:
        signals: float64 [S] by name.
        weights: Of each of them.
    """
    total = np.zeros(len(next(iter(signals.values()))))
    weighed = np.empty_like(total)
    for name, signal in signals.items():
        total += np.multiply(weights[name], signal, out=weighed)
    return total


def textrank(unit: UnitRows, xp: Any = np) -> _Array:  # noqa: ANN401
    """PageRank of sentences in the graph whose edge weights are cosine similarities.

    With rows of unit length in N the weights are W = N N^T - I, so a product with W is two sparse
    products and W itself is never formed. A term of one sentence alone adds only to the diagonal,
    which is 0 in W: it is left out of N, and of I what it adds. To a sentence without links all
    jump alike, which the final scaling accounts for.

    Ranks solve (1 - d W D^-1) r = c, with D the degrees; for r = D y that is the symmetric,
    positive definite system (D - d W) y = c. Conjugate gradients, scaled by D, solve it in about a
    third of the products that power iteration takes.

    Args:
        unit: Terms of S sentences.
        xp: The library of its arrays.

    Returns:
        Probabilities, float64 [S]; equal to PageRank (damping 0.85) on the dense graph to 1e-6.

    Source: Mihalcea and Tarau, "TextRank: Bringing Order into Text", EMNLP 2004.
    """
    count = len(unit.filled)
    jump = (1 - _DAMPING) / count
    linked, rows, own = unit.linked()
    degree = rows.times(rows.transposed_times(rows.filled)) - own
    # A sentence that shares a term has at least 1 / (WINDOW + 1)^2; less is rounding.
    degree = xp.where(degree > 1e-9, degree, 1.0)
    total = float(degree.sum())
    scale = 1 / degree
    diagonal = degree + _DAMPING * own
    rank_share = xp.full(len(linked), len(linked) / count / total if total else 0.0)
    residual = jump - diagonal * rank_share
    residual += _DAMPING * rows.times(rows.transposed_times(rank_share))
    direction = step = scale * residual
    energy = float((residual * step).sum())
    for _ in range(_STEPS):
        # Over 1 - d that bounds the error of the ranks (L1): |r| <= sqrt(sum D * sum r^2 / D).
        if energy * total < _TOLERANCE**2:
            break
        along_edges = rows.times(rows.transposed_times(direction))
        image = diagonal * direction - _DAMPING * along_edges
        along = energy / float((direction * image).sum())
        rank_share += along * direction
        residual -= along * image
        step = scale * residual
        previous, energy = energy, float((residual * step).sum())
        direction = step + (energy / previous) * direction
    rank = xp.full(count, jump)
    rank[linked] = degree * rank_share
    rank /= rank.sum()
    return rank


def position(places: _Scores, depth: float) -> _Scores:
    """U-shaped weight by place: 1 at the ends, 1 - ``depth`` in the middle.

    Args:
        places: From 0, the beginning, to 1, the end; float64 [S].
        depth: In [0, 1].

    Source: Liu et al., "Lost in the Middle", TACL 2024 (arXiv 2307.03172).
    """
    weights: _Scores = np.pi * places
    np.sin(weights, out=weights)
    weights *= depth
    return np.subtract(1, weights, out=weights)


def density(terms: _Array, xp: Any = np) -> _Array:  # noqa: ANN401
    """Mean inverse document frequency, ln((S + 1) / (df + 1)), of each sentence's words.

    Args:
        terms: Term counts, CSR [S, V].
        xp: The library of its arrays.

    Returns:
        float64 [S]; 0 for a sentence without terms.

    Source: after Li et al., "Compressing Context to Enhance Inference Efficiency of Large
    Language Models", EMNLP 2023 (arXiv 2310.06201), with IDF for self-information.
    """
    frequency = xp.bincount(terms.indices, minlength=terms.shape[1])
    inverse_frequency = xp.log((terms.shape[0] + 1) / (frequency + 1))
    return (terms @ inverse_frequency) / _words(terms, xp)


def novelty(unit: UnitRows, xp: Any = np) -> _Array:  # noqa: ANN401
    """One less the cosine of each sentence's term frequencies and their mean over all sentences.

    Args:
        unit: Terms of S sentences.
        xp: The library of its arrays.

    Returns:
        float64 [S] in [0, 1]; 0 for a sentence without terms.

    Source: after Radev et al., "Centroid-based summarization of multiple documents", IPM 2004.
    """
    centroid = unit.centroid()
    length = max(float(xp.sqrt((centroid * centroid).sum())), 1e-300)
    return xp.maximum(unit.filled - unit.times(centroid) / length, 0.0)


def _words(terms: _Array, xp: Any) -> _Array:  # noqa: ANN401
    return xp.maximum(_row_sums(terms.data, terms.indptr, xp), 1.0)


def _row_sums(values: _Array, indptr: _Array, xp: Any) -> _Array:  # noqa: ANN401
    """Sum of the values of each row; exact for whole numbers, as squares of counts are."""
    sums = xp.zeros(len(values) + 1)
    sums[1:] = xp.cumsum(values)
    return sums[indptr[1:]] - sums[indptr[:-1]]
