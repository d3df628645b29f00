"""Finds sentences that repeat an earlier one but for a word or a number: pasted boilerplate."""

from __future__ import annotations

import ctypes

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.placement import namespace
from pointsman_backends.compressor.rows import TermRows, entries, group_max, owners

__all__ = ["near_duplicates"]

_ALIKE = 0.8  # of the distinct words of two sentences, the share they have in common
_BANDS, _ROWS = 2, 2  # finds 96 % of pairs that share 0.9 of their words, 87 % of those at 0.8
_DRAWS = np.array([0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F], np.uint32)
_ABSENT = np.uint32(2**32 - 1)


def near_duplicates(
    terms: TermRows, keys: npt.NDArray[np.uint32], counted: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Find for each sentence the first one that it repeats, on the device of the arrays.

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
    library = native.reads(keys)
    if library is not None and terms.indices.dtype == np.int32:
        return _find_natively(library, terms, keys, counted)
    xp = namespace(keys)
    itself: npt.NDArray[np.int64] = xp.arange(terms.shape[0])
    sizes = xp.diff(terms.indptr)
    some = xp.flatnonzero(sizes > 0)
    if len(some) < 2:
        return itself
    row = owners(sizes[some], len(terms.indices))
    signatures = []
    for draw in _DRAWS:
        hashes = keys * draw
        hashes ^= hashes >> np.uint32(15)
        hashes[~counted] = _ABSENT
        # The lowest is what has the highest complement.
        complements = group_max(~hashes[terms.indices], row, xp.zeros(len(some), np.uint32))
        signatures.append((~complements).astype(np.uint64))
    pairs = [
        _same(signatures[nth] << np.uint64(32) | signatures[nth + 1], some)
        for nth in range(0, _BANDS * _ROWS, _ROWS)
    ]
    left, right = (xp.concatenate(ends) for ends in zip(*pairs, strict=True))
    if not len(left):
        return itself
    likeness = _jaccard(terms, counted, left, right)
    # Of the pairs of a sentence the likeliest, of those alike the last, counts.
    order = xp.argsort(likeness, kind="stable")
    order = order[xp.argsort(left[order], kind="stable")]
    left, right, likeness = left[order], right[order], likeness[order]
    last = xp.flatnonzero(xp.diff(left, append=-1) != 0)
    likeliest, best = itself.copy(), xp.zeros(len(itself))
    likeliest[left[last]], best[left[last]] = right[last], likeness[last]
    repeats = best >= _ALIKE
    # The first of a group may itself repeat another: what it is like is then no longer there.
    repeats &= ~repeats[likeliest]
    repeated: npt.NDArray[np.int64] = xp.where(repeats, likeliest, itself)
    return repeated


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
    xp = namespace(signatures)
    order = xp.argsort(signatures, kind="stable")
    ordered = signatures[order]
    new = xp.ones(len(order), np.bool_)
    xp.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    again = xp.flatnonzero(~new)
    first = xp.flatnonzero(new)
    return sentences[order[again]], sentences[
        order[first[xp.searchsorted(first, again, "right") - 1]]
    ]


def _jaccard(
    terms: TermRows,
    counted: npt.NDArray[np.bool_],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Of the distinct counted terms of pairs of sentences, the share in common; float64 [P]."""
    xp, columns = namespace(left), terms.shape[1]
    one, other = (_distinct(terms, counted, rows) for rows in (left, right))
    both = xp.concatenate([one, other])
    both.sort()
    twice = both[:-1][both[1:] == both[:-1]]
    common, total = (xp.bincount(keys // columns, minlength=len(left)) for keys in (twice, both))
    likeness: npt.NDArray[np.float64] = common / xp.maximum(total - common, 1)
    return likeness


def _distinct(
    terms: TermRows, counted: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """For each counted term of some rows: place of the row times V, plus the term; int64 [K]."""
    place, at = entries(terms, rows)
    columns = terms.indices[at]
    numbers: npt.NDArray[np.int64] = (place * terms.shape[1] + columns)[counted[columns]]
    return numbers
