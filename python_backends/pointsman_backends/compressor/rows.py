"""Looks at stretches of arrays, and at rows of sparse matrices, without copying what is around."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

__all__ = ["entries", "stretches"]


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
    matrix: scipy.sparse.csr_array, rows: npt.NDArray[np.int64]
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
