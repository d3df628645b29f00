"""Remembers what was computed of words, so that each text pays for its new words alone.

It does so on the host, with the distinct words of a text, wherever that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.native import address
from pointsman_backends.compressor.placement import CPU
from pointsman_backends.compressor.words import Words

__all__ = ["WordCache"]

_LEARNED = 1 << 16  # words beside the first ones that are remembered
_MANY = 4096  # words that are looked at in the order of the text: what they are in outgrows caches

Columns = tuple[npt.NDArray[Any], ...]


class WordCache:
    """What a function says of words, by their hash.

    Args:
        compute: Given a text's words on the host and the indices of N of them, int64 [N], returns
            arrays of N values each.
        first: Words that are never forgotten.
        learns: Whether others are remembered.
    """

    def __init__(
        self,
        compute: Callable[[Words, npt.NDArray[np.int64]], Columns],
        first: Words,
        *,
        learns: bool = True,
    ) -> None:
        self._compute = compute
        self._learns = learns
        self._first = first.distinct, compute(first, first.examples)
        self._known = self._first

    def look_up(self, words: Words) -> Columns:
        """Return the values of each of ``words.distinct``, [V] each, on the host."""
        hashes, columns = self._known
        at, unknown = _locate(words, hashes)
        values = tuple(column.take(at, mode="clip") for column in columns)
        if len(unknown):
            new = self._compute(*words.on_host(CPU.put(words.examples)[unknown]))
            for value, column in zip(values, new, strict=True):
                value[unknown] = column
            if self._learns:
                self._learn(CPU.put(words.distinct)[unknown], new)
        return values

    def _learn(self, hashes: npt.NDArray[np.uint64], columns: Columns) -> None:
        known, values = self._known
        if len(known) + len(hashes) > len(self._first[0]) + _LEARNED:
            known, values = self._first  # full: forget, and begin again
            hashes, columns = hashes[:_LEARNED], tuple(column[:_LEARNED] for column in columns)
        hashes, first = np.unique(hashes, return_index=True)
        at = np.searchsorted(known, hashes)
        # One assignment, so that another thread sees the old pair or the new one.
        self._known = (
            np.insert(known, at, hashes),
            tuple(np.insert(v, at, c[first]) for v, c in zip(values, columns, strict=True)),
        )


def _locate(
    words: Words, known: npt.NDArray[np.uint64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find ``words.distinct`` among hashes that ascend, once for all caches that know the same.

    Returns:
        Index of each among the known ones, or of another one, at most one beyond the last; int64
        [V]. Indices of the words that are not known, if many in the order of the text, int64 [N].
    """
    held = words.located[-1:]
    if held and held[0][0] is known:
        _, at, unknown = held[0]
        return at, unknown
    distinct = CPU.put(words.distinct)
    at = _find(known, distinct)
    # One beyond the last known word stands for that: which it is not, either.
    (unknown,) = (known.take(at, mode="clip") != distinct).nonzero()
    if len(unknown) > _MANY:
        unknown = unknown[_order(CPU.put(words.examples)[unknown])]
    words.located[:] = [(known, at, unknown)]
    return at, unknown


def _order(places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Indices that sort places in a text: to read it from end to end is faster than all over."""
    keys = places << 32 | np.arange(len(places))  # several times as fast as argsort
    keys.sort()
    return keys & 0xFFFFFFFF


def _find(known: npt.NDArray[np.uint64], hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """``np.searchsorted`` for hashes that ascend, too."""
    if native.library is None:
        return np.searchsorted(known, hashes)
    found = np.empty(len(hashes), np.int64)
    native.library.pointsman_find_hashes(
        address(known), len(known), address(hashes), len(hashes), address(found)
    )
    return found
