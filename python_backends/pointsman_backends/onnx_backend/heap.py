"""Memory that a long text took, given back to the system."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["LARGE_BYTES", "trim_after"]

LARGE_BYTES = 4 << 20
"""Tensors of that size leave a heap behind that is worth the milliseconds of giving it back."""


def trim_after(tensors: Iterable[npt.NDArray[np.generic]]) -> None:
    """Give the free pages of this process's heap back where tensors were large.

    glibc keeps what was freed below the top of its heap: after one long text a process would hold
    tens of MiB for good.

    Args:
        tensors: Inputs and outputs of an inference.
    """
    if sum(tensor.nbytes for tensor in tensors) >= LARGE_BYTES:
        with contextlib.suppress(AttributeError):  # another C library has no such function
            ctypes.CDLL(None).malloc_trim(0)
