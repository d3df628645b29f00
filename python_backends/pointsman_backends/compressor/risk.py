"""The risk signal: which sentences may carry an attack.

A linear model over hashed terms: every word adds a weight for itself (the word, its shape, its
character n-grams) and one for each of the word 2- and 3-grams that it ends; a sentence is as risky
as the riskiest short window of its words. It is trained by ``training/risk`` to overlook little,
decides nothing by itself, and its terms are plain enough to be looked up in a few array operations.

The hashes are public and the same everywhere (the table depends on them). Who makes words collide
gains what whoever knows the weights gains: nothing but words of a known weight.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor.placement import namespace, resident
from pointsman_backends.compressor.rows import group_max, owners

__all__ = [
    "PERSONAL",
    "RiskModel",
    "RiskModelError",
    "WordFeatures",
    "ngram_slots",
    "window_sums",
    "word_features",
]

_SHIPPED = Path(__file__).with_name("risk.npz")
PERSONAL = Path(__file__).with_name("personal.npz")
"""Weights of the same form for another risk: that a sentence tells of a person."""
_CHARACTER_GRAMS = (3, 4)
_BEGIN, _END = "\x02", "\x03"  # no word has control characters
_LENGTHS = np.array([1, 2, 3, 5, 8, 12, 16, 24, 40])  # limits of the lengths told apart

# Odd multipliers, from the golden ratio and from MurmurHash3's finaliser.
_FIRST, _SECOND, _THIRD = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_WORD, _SHAPE, _PAIR = np.uint32(0x1B873593), np.uint32(0x2545F491), np.uint32(0x68E31DA4)


class RiskModelError(ValueError):
    """The file with the weights cannot be used as it is."""


class WordFeatures(NamedTuple):
    """What N words are by themselves, as N rows of a sparse matrix in coordinates.

    Attributes:
        keys: Hash of each word, for n-grams, uint32 [N].
        rows: Word of each of the K features, int64 [K].
        slots: Its place in a table of 2^bits weights, int64 [K].
        values: Its value, float32 [K].
    """

    keys: npt.NDArray[np.uint32]
    rows: npt.NDArray[np.int64]
    slots: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]


def _mix(hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """MurmurHash3's 32-bit finaliser (Appleby, public domain): every bit depends on every bit."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed *= _SECOND
    mixed ^= mixed >> np.uint32(13)
    mixed *= _THIRD
    mixed ^= mixed >> np.uint32(16)
    return mixed


def word_features(words: Sequence[str], bits: int) -> WordFeatures:
    """Features of single words: each word's identity, shape, and character 3- and 4-grams.

    The shape is the length, roughly, and whether there are ASCII letters, digits or other
    characters. The n-grams of one word weigh 1/sqrt(n) each, so that a long word cannot outweigh
    a sentence.

    Args:
        words: Words as the tokenizer normalises them.
        bits: The table has 2^bits slots.
    """
    count = len(words)
    each = np.arange(count)
    octets = [word.encode("utf-8", "surrogatepass") for word in words]
    keys = _mix(np.fromiter(map(crc32, octets), np.uint32, count))
    framed = "".join([_BEGIN + word + _END for word in words])
    codes = np.frombuffer(framed.encode("utf-32-le", "surrogatepass"), np.uint32)
    sizes = np.fromiter(map(len, words), np.int64, count)
    owner = np.repeat(each, sizes + 2)

    other = codes > 127
    digit = (codes >= ord("0")) & (codes <= ord("9"))
    letter = (codes >= ord("a")) & (codes <= ord("z"))
    shapes = np.searchsorted(_LENGTHS, sizes).astype(np.uint32)
    for kind in (other, digit, letter):
        shapes = shapes * np.uint32(2) + (np.bincount(owner[kind], minlength=count) > 0)
    rows = [each, each]
    hashes = [_mix(keys ^ _WORD), _mix(shapes.astype(np.uint32) ^ _SHAPE)]
    values = [np.ones(2 * count, np.float32)]

    grams = np.zeros(count)
    for size in _CHARACTER_GRAMS:
        grams += np.maximum(sizes + 3 - size, 0)
    value = (1 / np.sqrt(np.maximum(grams, 1))).astype(np.float32)
    for size in _CHARACTER_GRAMS:
        last = len(codes) - size + 1
        inside = np.flatnonzero(owner[: max(last, 0)] == owner[size - 1 :])
        hashed = np.full(len(inside), size, np.uint32)
        for nth in range(size):
            hashed = (hashed ^ codes[inside + nth]) * _FIRST
            hashed ^= hashed >> np.uint32(15)
        rows.append(owner[inside])
        hashes.append(_mix(hashed))
        values.append(value[owner[inside]])
    slots = np.concatenate(hashes) >> np.uint32(32 - bits)
    return WordFeatures(keys, np.concatenate(rows), slots.astype(np.int64), np.concatenate(values))


def ngram_slots(
    keys: npt.NDArray[np.uint32], bits: int
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Slots of the 2- and of the 3-gram that ends with each word of a text, uint32 [T] both.

    Before the first word stand words of the key 0.
    """
    padded = namespace(keys).zeros(len(keys) + 2, np.uint32)
    padded[2:] = keys
    shift = np.uint32(32 - bits)
    # The keys are well mixed; a product with an odd number sets the order of two words apart.
    before = padded[1:-1] * _FIRST
    pairs = before ^ keys
    triples = (padded[:-2] * _SECOND + before) ^ keys
    pairs += _PAIR
    triples *= _THIRD
    pairs *= _SECOND
    return pairs >> shift, triples >> shift


def window_sums(
    contributions: npt.NDArray[np.floating[Any]], first: npt.NDArray[np.int64], sizes: Sequence[int]
) -> npt.NDArray[np.float64]:
    """Highest of the sums over the last words up to each word, without those of other sentences.

    Args:
        contributions: Of every word, float [T].
        first: Index of the first word of each sentence, int64 [S], ascending, the first 0.
        sizes: How many words are summed, K different numbers.

    Returns:
        The highest of K sums for each word, float64 [T].
    """
    return _window_sums(contributions, first[_sentences(first, len(contributions))], sizes)


def _sentences(first: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """The sentence of each word, int64 [count], by the first word of each sentence."""
    return owners(namespace(first).diff(first, append=count), count)


def _window_sums(
    contributions: npt.NDArray[np.floating[Any]], start: npt.NDArray[np.int64], sizes: Sequence[int]
) -> npt.NDArray[np.float64]:
    """``window_sums``, by the first word of the sentence of each word, int64 [T]."""
    xp = namespace(contributions)
    count = len(contributions)
    sums = xp.zeros(count + 1)
    xp.cumsum(contributions, out=sums[1:])
    least = xp.full(count, np.inf)
    for size in sizes:
        begin = xp.maximum(start, xp.arange(1 - size, count + 1 - size))
        xp.minimum(least, sums[begin], out=least)
    highest: npt.NDArray[np.float64] = sums[1:] - least
    return highest


@dataclass(frozen=True)
class RiskModel:
    """The trained weights.

    All contributions are whole multiples of a power of two, so their sums are exact: a sentence
    has the same risk wherever in a text it stands.

    Attributes:
        table: Weight of each slot in units of ``unit``, int8 [2^bits].
        unit: A power of two.
        bias: Added to the sum of a window.
        windows: Words in the windows that are tried, int64 [K].
        threshold: A sentence at or above it may carry an attack.
        provenance: Where the weights come from, JSON.
    """

    table: npt.NDArray[np.int8]
    unit: float
    bias: float
    windows: npt.NDArray[np.int64]
    threshold: float
    provenance: str

    @property
    def bits(self) -> int:
        """The table has 2^bits slots."""
        return len(self.table).bit_length() - 1

    @classmethod
    def load(cls, path: Path | None = None) -> RiskModel:
        """Read the weights.

        Args:
            path: An .npz as ``save`` writes it; None for the shipped one.

        Raises:
            RiskModelError: The file is missing, damaged or not of this form.
        """
        path = _SHIPPED if path is None else path
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                model = cls(
                    arrays["table"],
                    float(arrays["unit"]),
                    float(arrays["bias"]),
                    arrays["windows"],
                    float(arrays["threshold"]),
                    str(arrays["provenance"]),
                )
        except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
            raise RiskModelError(
                f"cannot read the weights of the risk signal: {error} ({path})"
            ) from error
        wrong = model._wrong()
        if wrong:
            raise RiskModelError(f"the weights of the risk signal are wrong: {wrong} ({path})")
        return model

    def save(self, path: Path) -> None:
        """Write the weights to an .npz of the same octets for the same weights."""
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                table=self.table,
                unit=np.float64(self.unit),
                bias=np.float64(self.bias),
                windows=self.windows,
                threshold=np.float64(self.threshold),
                provenance=np.array(self.provenance),
            )

    def words(self, words: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]:
        """What each word is to n-grams, and what it adds by itself.

        Args:
            words: Words as the tokenizer normalises them (a punctuation mark is one), of any
                number.

        Returns:
            Keys uint32 [N] and weights float32 [N].
        """
        features = word_features(words, self.bits)
        weights = np.bincount(
            features.rows, self.table[features.slots] * features.values, minlength=len(words)
        )
        # In units, and whole: sums stay exact.
        return features.keys, (np.rint(weights) * self.unit).astype(np.float32)

    def contributions(
        self, keys: npt.NDArray[np.uint32], weights: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """What each word of a text adds, with the 2- and 3-gram that end with it; float32 [T].

        Args:
            keys: Of every word in the order of the text, uint32 [T].
            weights: Of every word, float32 [T].
        """
        pairs, triples = ngram_slots(keys, self.bits)
        table = resident(self.table, pairs)
        grams = table[pairs].astype(np.float32)
        grams += table[triples]
        grams *= np.float32(self.unit)
        grams += weights
        return grams

    def sentences(
        self, contributions: npt.NDArray[np.float32], first: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Risk in [0, 1] of each sentence: that of the worst window of words in it.

        So an attack in a long sentence is about as risky as alone. The words beside it count only
        where they share its window: the shorter the shortest window, the less they can make up.
        A window that begins before the sentence is cut at its start.

        Args:
            contributions: Of every word, float32 [T].
            first: Index of the first word of each sentence, int64 [S], ascending, the first 0.
        """
        return self.probability(self.worst_windows(contributions, first))

    def worst_windows(
        self, contributions: npt.NDArray[np.float32], first: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Sum of the worst window of each sentence, float64 [S]; takes what ``sentences`` does."""
        xp, count = namespace(contributions), len(contributions)
        if not count:
            return np.zeros(0)
        sentence = _sentences(first, count)
        sums = _window_sums(contributions, first[sentence], self.windows.tolist())
        return group_max(sums, sentence, xp.full(len(first), -np.inf))

    def probability(self, worst: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Risk in [0, 1] of sentences whose worst windows have these sums, on the host."""
        risk: npt.NDArray[np.float64] = worst + self.bias
        np.minimum(np.maximum(risk, -30, out=risk), 30, out=risk)
        np.exp(np.negative(risk, out=risk), out=risk)
        risk += 1
        return np.divide(1, risk, out=risk)

    def _wrong(self) -> str:
        """What is wrong with the values, or nothing."""
        size = self.table.size
        if self.table.dtype != np.int8 or self.table.shape != (size,):
            return f"the table is {self.table.dtype} {list(self.table.shape)}, not int8 [slots]"
        if size < 2 or size & (size - 1):
            return f"the table has {size} slots, not a power of two"
        if self.windows.ndim != 1 or self.windows.dtype.kind != "i" or not len(self.windows):
            return "the windows are not a list of whole numbers"
        if self.windows.min() < 1:
            return f"a window has {self.windows.min()} words; it must have at least 1"
        mantissa, _ = np.frexp(self.unit)
        if not np.isfinite([self.unit, self.bias, self.threshold]).all() or mantissa != 0.5:
            return "the unit is no power of two, or the bias or the threshold is not finite"
        return ""
