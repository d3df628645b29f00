"""WordPiece by the native library: counts and encodes the tokens of words."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.native import address
from pointsman_backends.compressor.words import Words

__all__ = ["PieceTrie"]


class PieceTrie:
    """The pieces of a vocabulary, by their characters.

    Args:
        library: The native library.
        vocabulary: Ids of the pieces.
        prefix: Marks the pieces that continue a word ("##").
        unknown: Id of the token for a word that is not made of pieces.
    """

    def __init__(
        self, library: ctypes.CDLL, vocabulary: Mapping[str, int], prefix: str, unknown: int
    ) -> None:
        self._library = library
        self._unknown = unknown
        # A piece may stand at the beginning of a word as it is written, and one that is marked
        # elsewhere, without the mark.
        pieces = [*vocabulary, *(p[len(prefix) :] for p in vocabulary if p.startswith(prefix))]
        marked = [id_ for piece, id_ in vocabulary.items() if piece.startswith(prefix)]
        ids = np.array([*vocabulary.values(), *marked], np.int32)
        roots = (np.arange(len(pieces)) >= len(vocabulary)).astype(np.int32)
        codes = np.frombuffer("".join(pieces).encode("utf-32-le"), np.uint32)
        ends = np.cumsum(np.fromiter(map(len, pieces), np.int64, len(pieces)))
        # First with room for pieces that share no beginning, to learn how much they need.
        edges = len(codes)
        for _ in range(2):
            self._slots = 1 << (2 * edges + 1).bit_length()
            self._edges = np.zeros(2 * self._slots, np.uint64)  # of 16 octets each
            self._beginnings = np.zeros((2, 37, 37, 3), np.int32)  # of two characters
            edges = library.pointsman_build_trie(
                address(codes),
                address(ends),
                address(roots),
                address(ids),
                len(pieces),
                address(self._edges),
                self._slots,
                address(self._beginnings),
            )

    def count(self, words: Words, which: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Tokens of each of the words of these indices, int32 [N]."""
        counts = np.empty(len(which), np.int32)
        self._library.pointsman_count_tokens(
            address(self._edges),
            self._slots,
            address(self._beginnings),
            address(words.normal.codes),
            words.normal.codes.itemsize,
            address(words.starts),
            address(words.ends),
            address(which),
            len(which),
            address(counts),
        )
        return counts

    def encode(
        self, words: Words, which: npt.NDArray[np.int64], counts: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Encode the words of these indices.

        Args:
            words: The text.
            which: Indices of N words, int64 [N].
            counts: How many tokens each has, int32 [N].

        Returns:
            Ids, starts and ends in the normalised text of their tokens, int64 [K] each.
        """
        ids, starts, ends = (np.empty(counts.sum(), np.int64) for _ in range(3))
        native.check(
            self._library.pointsman_encode(
                address(self._edges),
                self._slots,
                address(self._beginnings),
                self._unknown,
                address(words.normal.codes),
                words.normal.codes.itemsize,
                address(words.starts),
                address(words.ends),
                address(which),
                len(which),
                address(counts),
                address(ids),
                address(starts),
                address(ends),
            )
        )
        return ids, starts, ends
