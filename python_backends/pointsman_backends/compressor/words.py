"""Splits a normalised text into words, and gives equal words equal hashes."""

from __future__ import annotations

import ctypes
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.characters import KIND, SPACE, WORD, NormalText
from pointsman_backends.compressor.native import address
from pointsman_backends.compressor.placement import CPU, namespace, resident
from pointsman_backends.compressor.rows import owners, stretches

__all__ = ["Hasher", "Words", "split_words"]

_COMMON = 0x3000  # code points looked up: most of those of alphabets
_BLOCK = 1 << 14  # characters hashed at a time: what they need stays in the L2 cache


@dataclass(frozen=True)
class Words:
    """The words of a text: U runs of letters, ideographs and punctuation marks, in order.

    Attributes:
        normal: The text they are in.
        starts: Where each begins in ``normal``, int64 [U].
        ends: Where each ends (exclusive), int64 [U].
        terms: Indices of the words that are not punctuation, int64 [T].
        distinct: Hashes of the distinct words among ``terms``, uint64 [V].
        examples: For each of ``distinct`` the index of one such word, int64 [V].
        which: For each of ``terms`` its index into ``distinct``, int32 [T].
        located: What ``word_cache`` found of them, for others who ask the same.
    """

    normal: NormalText
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    terms: npt.NDArray[np.int64]
    distinct: npt.NDArray[np.uint64]
    examples: npt.NDArray[np.int64]
    which: npt.NDArray[np.int32]
    located: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.starts)

    def begun_before(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How many words begin before some places in the original, int64 of the same shape.

        The places are the host's; the answer is where the words are.
        """
        xp = namespace(self.starts)
        places = xp.asarray(places)
        if self.normal.source is not None:
            places = xp.searchsorted(self.normal.source, places)
        before: npt.NDArray[np.int64] = xp.searchsorted(self.starts, places)
        return before

    def spans(
        self, firsts: npt.NDArray[np.int64], lasts: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """[start, end) in the original of runs of words, given by their first and last words.

        Args:
            firsts: Indices, int64 [K], on the host or where the words are.
            lasts: Indices, int64 [K], so too.

        Returns:
            int32 [K, 2], where the words are.
        """
        xp = namespace(self.starts)
        starts = self.normal.starts(self.starts[xp.asarray(firsts)])
        ends = self.normal.ends(self.ends[xp.asarray(lasts)])
        spans: npt.NDArray[np.int32] = xp.column_stack([starts, ends])
        return spans

    def strings(self, which: npt.NDArray[np.int64]) -> list[str]:
        """Normalised form of the words of these indices, of a text on the host."""
        text = self.normal.text
        spans = zip(self.starts[which].tolist(), self.ends[which].tolist(), strict=True)
        return [text[start:end] for start, end in spans]

    def on_host(self, which: npt.NDArray[np.int64]) -> tuple[Words, npt.NDArray[np.int64]]:
        """Bring some words to the host, for what is done with strings.

        Args:
            which: Their indices, int64 [N], on the host or where the words are.

        Returns:
            Words of which only ``normal``, ``starts`` and ``ends`` can be asked, and where the N
            are among them: this text itself if it is on the host, else the N alone.
        """
        if isinstance(self.starts, np.ndarray):
            return self, which
        xp = namespace(self.starts)
        which = xp.asarray(which)
        sizes = self.ends[which] - self.starts[which]
        _, at = stretches(self.starts[which], sizes)
        codes, sizes = CPU.put((self.normal.codes[at], sizes))
        ends, none = np.cumsum(sizes), np.zeros(0, np.int64)
        normal = NormalText(codes, np.zeros(0, np.uint8), None, len(codes))
        hashes, numbers = np.zeros(0, np.uint64), np.zeros(0, np.int32)
        alone = Words(normal, ends - sizes, ends, none, hashes, none, numbers)
        return alone, np.arange(len(ends))


class Hasher:
    """Polynomial hash of words modulo 2^64, from differences of one running sum.

    For characters c_i (each spread over 64 bits first) and an odd base B, the sum of c_i B^i over
    a word, times B^-start, does not depend on where the word stands. The base is a secret of the
    process, so that no one can send words made to collide.

    Args:
        longest: Characters in the longest word.
        seed: Makes the hashes repeat; None (the default) draws a secret one.

    Attributes:
        spread: Spreads characters over 64 bits, odd.
        powers: B^i from i = 0 on, uint64 of at least ``longest`` elements.
    """

    def __init__(self, longest: int, seed: int | None = None) -> None:
        draw = np.random.default_rng(secrets.randbits(128) if seed is None else seed)
        base, self.spread = (int(n) | 1 for n in draw.integers(0, 2**64, 2, np.uint64))
        self._bases = base, pow(base, -1, 2**64)
        self.powers, self._inverse_powers = (
            _powers(some, _BLOCK + longest, np) for some in self._bases
        )
        self._spread_common = self._spread_in_place(np.arange(_COMMON, dtype=np.uint64))

    def hash(
        self, codes: npt.NDArray[Any], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.uint64]:
        """Hash the words [starts, ends) of ``codes``, which are in order and disjoint."""
        hashes: npt.NDArray[np.uint64] = namespace(starts).empty(len(starts), np.uint64)
        for first, last in self.blocks(starts):
            origin = int(starts[first])
            sums = self.sums(codes[origin : int(ends[last - 1])])
            hashes[first:last] = self.span(
                sums, starts[first:last] - origin, ends[first:last] - origin
            )
        return hashes

    def blocks(self, starts: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Ranges of words whose characters are taken at once: on a GPU all of them."""
        first = 0
        while first < len(starts):
            last = len(starts)
            if isinstance(starts, np.ndarray):
                last = int(np.searchsorted(starts, int(starts[first]) + _BLOCK))
            yield first, last
            first = last

    def sums(self, codes: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
        """Running sums before each character and after the last, uint64 [N + 1]."""
        xp = namespace(codes)
        terms: npt.NDArray[np.uint64]
        if codes.dtype == np.uint8 or not len(codes) or int(codes.max()) < _COMMON:
            terms = resident(self._spread_common, codes)[codes]
        else:
            terms = self._spread_in_place(codes.astype(np.uint64))
        powers = self.powers if xp is np else _powers(self._bases[0], len(codes), xp)
        terms *= powers[: len(codes)]
        sums: npt.NDArray[np.uint64] = xp.empty(len(codes) + 1, np.uint64)
        sums[:1] = 0
        xp.cumsum(terms, out=sums[1:])
        return sums

    def span(
        self,
        sums: npt.NDArray[np.uint64],
        starts: npt.NDArray[np.int64],
        ends: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.uint64]:
        """Hash what is between some positions of an array of ``sums``."""
        xp = namespace(sums)
        powers = self._inverse_powers if xp is np else _powers(self._bases[1], len(sums), xp)
        hashes: npt.NDArray[np.uint64] = (sums[ends] - sums[starts]) * powers[starts]
        return hashes

    def _spread_in_place(self, codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        # One more than the code, since a zero would hash like nothing.
        codes += np.uint64(1)
        codes *= np.uint64(self.spread)
        codes ^= codes >> np.uint64(29)
        return codes


def _powers(base: int, count: int, xp: Any) -> npt.NDArray[np.uint64]:  # noqa: ANN401 (a module)
    factors = xp.full(count, np.uint64(base), np.uint64)
    factors[:1] = 1
    powers: npt.NDArray[np.uint64] = xp.cumprod(factors)
    return powers


def split_words(normal: NormalText, hasher: Hasher, longest: int) -> Words:
    """Split as a BERT pre-tokenizer does, but cut runs of over ``longest`` characters.

    WordPiece reads such a run as one unknown token, and what is in it goes unseen; in pieces of at
    most ``longest`` characters it is read.
    """
    if library := native.reads(normal.codes):
        return _split_natively(library, normal, hasher, longest)
    xp = namespace(normal.codes)
    kind = normal.properties & KIND
    # Where the kind changes a run ends; what is a word alone is a run of its own.
    changes = kind > WORD
    changes[1:] |= kind[1:] != kind[:-1]
    changes[:1] = True
    edges = xp.flatnonzero(changes)
    word = xp.flatnonzero(kind[edges] != SPACE)
    starts, ends = edges[word], xp.append(edges, len(kind))[word + 1]
    if len(starts) and int((ends - starts).max()) > longest:
        starts, ends = _cut(starts, ends, longest)
    terms = xp.flatnonzero((kind[starts] & 1) != 0)
    hashes = hasher.hash(normal.codes, starts[terms], ends[terms])
    order = _order(hashes)
    ordered = hashes[order]
    first = xp.ones(len(ordered), np.bool_)
    xp.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    which = xp.empty(len(ordered), np.int32)
    which[order] = xp.cumsum(first, dtype=np.int32) - np.int32(1)
    return Words(normal, starts, ends, terms, ordered[first], terms[order[first]], which)


def _split_natively(
    library: ctypes.CDLL, normal: NormalText, hasher: Hasher, longest: int
) -> Words:
    codes, length, properties = normal.codes, len(normal.codes), address(normal.properties)
    counts = np.empty(2, np.int64)
    library.pointsman_count_words(properties, length, longest, address(counts))
    words, terms = counts.tolist()
    starts, ends = np.empty(words, np.int64), np.empty(words, np.int64)
    of_terms, which = np.empty(terms, np.int64), np.empty(terms, np.int32)
    hashes, examples = np.empty(terms, np.uint64), np.empty(terms, np.int64)
    distinct = native.check(
        library.pointsman_split_words(
            address(codes),
            codes.itemsize,
            properties,
            length,
            longest,
            hasher.spread,
            address(hasher.powers),
            address(starts),
            address(ends),
            address(of_terms),
            address(which),
            address(hashes),
            address(examples),
        )
    )
    return Words(
        normal, starts, ends, of_terms, hashes[:distinct].copy(), examples[:distinct].copy(), which
    )


def _order(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Indices that bring equal hashes together.

    An index in the low bits of each makes it a sort of numbers, several times as fast as argsort.
    Two hashes alike in all higher bits may end up interleaved: then one word counts as two.
    """
    low = (1 << len(hashes).bit_length()) - 1
    keys = hashes & np.uint64(~low % 2**64)
    keys |= namespace(hashes).arange(len(hashes), dtype=np.uint64)
    keys.sort()
    keys &= np.uint64(low)
    return keys.view(np.int64)


def _cut(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], longest: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    xp = namespace(starts)
    pieces = -(-(ends - starts) // longest)
    total = xp.cumsum(pieces)
    word = owners(pieces, int(total[-1]))
    nth = xp.arange(len(word)) - (total - pieces)[word]
    cut_starts = starts[word] + nth * longest
    cut_ends = xp.minimum(cut_starts + longest, ends[word])
    return cut_starts, cut_ends
