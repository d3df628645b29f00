"""Looks at stretches of arrays, and at rows of sparse matrices, without copying what is around.

What NumPy has a function for and CuPy has none (``repeat`` by counts, ``maximum.reduceat``) is here
made of what both have.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse

from pointsman_backends.compressor.placement import namespace, sparse_matrix

__all__ = ["TermCounts", "TermRows", "entries", "group_max", "owners", "stretches"]


@dataclass(frozen=True)
class TermCounts:
    """The arrays of a CSR matrix [S, V], by the names that SciPy has for them.

    To make a matrix of them takes longer than much of what is done with them.

    Attributes:
        data: float64 [nnz].
        indices: int32 [nnz].
        indptr: int32 [S + 1].
        shape: S and V.
    """

    data: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int32]
    indptr: npt.NDArray[np.int32]
    shape: tuple[int, int]

    @property
    def nnz(self) -> int:
        """Entries of the matrix."""
        return len(self.data)

    @cached_property
    def matrix(self) -> Any:  # noqa: ANN401 (scipy.sparse.csr_array, or the GPU's)
        """The matrix of these arrays, not copies of them."""
        return sparse_matrix(self.data, self.indices, self.indptr, self.shape)


TermRows: TypeAlias = TermCounts | scipy.sparse.csr_array
"""Term counts [S, V] as rows."""


def owners(sizes: npt.NDArray[np.integer[Any]], total: int) -> npt.NDArray[np.int64]:
    """For each of the places of some runs that follow each other, which run it is in.

    Args:
        sizes: Places in each run, at least 0, integers [R].
        total: Their sum, K.

    Returns:
        What ``repeat(arange(R), sizes)`` would be: int64 [K], ascending.
    """
    xp = namespace(sizes)
    # Where a run ends, the number rises by one, and once more for each empty run.
    rises = xp.bincount(xp.cumsum(sizes, dtype=np.int64), minlength=total + 1)
    number: npt.NDArray[np.int64] = xp.cumsum(rises[:total], dtype=np.int64)
    return number


def group_max(
    values: npt.NDArray[Any],
    group: npt.NDArray[np.int64],
    highest: npt.NDArray[Any],
) -> npt.NDArray[Any]:
    """Raise the values of some groups to the highest that is found in each.

    Args:
        values: [K].
        group: Which of the G groups each is in, int64 [K].
        highest: Where to begin, of the type of ``values``, [G]; it is changed.

    Returns:
        ``highest``.
    """
    namespace(values).maximum.at(highest, group, values)
    return highest


def stretches(
    start: npt.NDArray[np.int64], size: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of what is in some stretches [start, start + size) of an array, int64 [R] both.

    Returns:
        For each of the K places the number of its stretch, ascending, and its index; int64 [K].
    """
    xp = namespace(size)
    ends = xp.cumsum(size)
    number = owners(size, int(ends[-1]) if len(size) else 0)
    at = xp.arange(len(number)) + (start - (ends - size))[number]
    return number, at


def entries(
    matrix: TermRows, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find the entries of some rows.

    Args:
        matrix: CSR [S, V].
        rows: Indices of R rows, int64 [R]; one may stand there twice.

    Returns:
        For each of their K entries its place in ``rows`` (ascending), and its index into the
        matrix's data and indices; int64 [K] both.
    """
    start = matrix.indptr[rows].astype(np.int64)
    return stretches(start, matrix.indptr[rows + 1] - start)
