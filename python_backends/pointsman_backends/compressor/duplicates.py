"""Finds sentences that repeat an earlier one but for a word or a number: pasted boilerplate."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.rows import TermRows, entries

__all__ = ["near_duplicates"]

_ALIKE = 0.8  # of the distinct words of two sentences, the share they have in common
_BANDS, _ROWS = 2, 2  # finds 96 % of pairs that share 0.9 of their words, 87 % of those at 0.8
_DRAWS = np.array([0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F], np.uint32)
_ABSENT = np.uint32(2**32 - 1)


def near_duplicates(
    terms: TermRows, keys: npt.NDArray[np.uint32], counted: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Find for each sentence the first one that it repeats.

    Candidates have MinHash values in common; their likeness (Jaccard) is then computed. Nothing is
    compared pair by pair: time is linear in the terms.

    Args:
        terms: Term counts, CSR [S, V].
        keys: A hash of each term, the same in every process, uint32 [V].
        counted: Which terms are compared, bool [V]; numbers, for example, are not.

    Returns:
        Index of an earlier sentence that shares at least 0.8 of the words and is no repetition
        itself, or of the sentence itself; int64 [S]. A sentence without such words repeats none.

    Source: Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
    """
    if native.library is not None and terms.indices.dtype == np.int32:
        return _find_natively(native.library, terms, keys, counted)
    itself = np.arange(terms.shape[0])
    some = np.flatnonzero(np.diff(terms.indptr) > 0)
    if len(some) < 2:
        return itself
    edges = terms.indptr[some]
    signatures = np.empty((_BANDS * _ROWS, len(some)), np.uint32)
    for nth, draw in enumerate(_DRAWS):
        hashes = keys * draw
        hashes ^= hashes >> np.uint32(15)
        hashes[~counted] = _ABSENT
        np.minimum.reduceat(hashes[terms.indices], edges, out=signatures[nth])
    pairs = [
        _same(band[0].astype(np.uint64) << np.uint64(32) | band[1], some)
        for band in signatures.reshape(_BANDS, _ROWS, -1)
    ]
    left, right = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    if not len(left):
        return itself
    likeness = _jaccard(terms, counted, left, right)
    # Of the pairs of a sentence the likeliest is written last.
    order = np.argsort(likeness, kind="stable")
    likeliest, best = itself.copy(), np.zeros(len(itself))
    likeliest[left[order]], best[left[order]] = right[order], likeness[order]
    repeats = best >= _ALIKE
    # The first of a group may itself repeat another: what it is like is then no longer there.
    repeats &= ~repeats[likeliest]
    return np.where(repeats, likeliest, itself)


def _find_natively(
    library: ctypes.CDLL,
    terms: TermRows,
    keys: npt.NDArray[np.uint32],
    counted: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    rows, columns = terms.shape
    repeated = np.empty(rows, np.int64)
    native.check(
        library.pointsman_near_duplicates(
            native.address(terms.indptr),
            rows,
            native.address(terms.indices),
            columns,
            native.address(keys),
            native.address(counted),
            native.address(repeated),
        )
    )
    return repeated


def _same(
    signatures: npt.NDArray[np.uint64], sentences: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Sentences whose signature an earlier one has, and for each the first such."""
    order = np.argsort(signatures, kind="stable")
    ordered = signatures[order]
    new = np.ones(len(order), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    again = np.flatnonzero(~new)
    first = np.flatnonzero(new)
    return sentences[order[again]], sentences[
        order[first[np.searchsorted(first, again, "right") - 1]]
    ]


def _jaccard(
    terms: TermRows,
    counted: npt.NDArray[np.bool_],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Of the distinct counted terms of pairs of sentences, the share in common; float64 [P]."""
    one, other = (_distinct(terms, counted, rows) for rows in (left, right))
    common = np.bincount(np.intersect1d(one, other, True) // terms.shape[1], minlength=len(left))
    sizes = [np.bincount(keys // terms.shape[1], minlength=len(left)) for keys in (one, other)]
    either = sizes[0] + sizes[1] - common
    likeness: npt.NDArray[np.float64] = common / np.maximum(either, 1)
    return likeness


def _distinct(
    terms: TermRows, counted: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """For each counted term of some rows: place of the row times V, plus the term; int64 [K]."""
    place, at = entries(terms, rows)
    columns = terms.indices[at]
    numbers: npt.NDArray[np.int64] = (place * terms.shape[1] + columns)[counted[columns]]
    return numbers
