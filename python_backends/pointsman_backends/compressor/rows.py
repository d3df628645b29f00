"""Looks at some rows of a sparse matrix, without the price of making a matrix of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

__all__ = ["entries"]


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
    size = matrix.indptr[rows + 1] - start
    place = np.repeat(np.arange(len(rows)), size)
    at = np.arange(len(place)) + np.repeat(start - (np.cumsum(size) - size), size)
    return place, at
