"""Looks at stretches of arrays, and at rows of sparse matrices, without copying what is around."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse

__all__ = ["TermCounts", "TermRows", "entries", "stretches"]


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
    def matrix(self) -> scipy.sparse.csr_array:
        """The matrix of these arrays, not copies of them."""
        # Its constructor would look at each entry.
        matrix = scipy.sparse.csr_array(self.shape)
        matrix.data, matrix.indices, matrix.indptr = self.data, self.indices, self.indptr
        return matrix


TermRows: TypeAlias = TermCounts | scipy.sparse.csr_array
"""Term counts [S, V] as rows."""


def stretches(
    start: npt.NDArray[np.int64], size: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of what is in some stretches [start, start + size) of an array, int64 [R] both.

    Returns:
        For each of the K places the number of its stretch, ascending, and its index; int64 [K].
    """
    number = np.repeat(np.arange(len(size)), size)
    at = np.arange(len(number)) + np.repeat(start - (np.cumsum(size) - size), size)
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
