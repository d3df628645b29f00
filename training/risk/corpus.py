"""Texts as the compressor reads them: words, sentences, and what is known of each sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse
from tqdm import trange

from pointsman_backends.compressor.prepare import ABBREVIATIONS, sentence_starts
from pointsman_backends.compressor.risk import ngram_slots, window_sums, word_features
from pointsman_backends.compressor.rows import stretches
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.safety.data import LABELS, Sample

HARMLESS, ATTACK, UNKNOWN = 0, 1, -1
_MOSTLY = 0.3
"""Share of a sentence's words from which on it is of the attack."""
_BATCH = 256
"""Texts read at a time: a call has its price."""
_GAP = "\n\n"


class Corpus(NamedTuple):
    """Many texts in a row: T words in S sentences.

    Attributes:
        vocabulary: Distinct words, V.
        words: Index into it of each word, int32 [T].
        first: First word of each sentence, int64 [S].
        text: Number of the text of each sentence, int64 [S].
        label: HARMLESS; ATTACK if it is of a passage that is one; UNKNOWN if it shares words with
            such a passage but is mostly something else; int8 [S].
    """

    vocabulary: list[str]
    words: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    text: npt.NDArray[np.int64]
    label: npt.NDArray[np.int8]


def read_words(tokenizer: Tokenizer, text: str) -> tuple[list[str], Any]:
    """The words of a text as strings, and as the compressor's ``Words``."""
    words = tokenizer.read(text).words
    normal = words.normal.text
    spans = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
    return [normal[start:end] for start, end in spans], words


def read(tokenizer: Tokenizer, samples: Sequence[Sample]) -> Corpus:
    """Split texts into words and sentences as the compressor does."""
    abbreviations = tokenizer.hash(ABBREVIATIONS.split())
    index: dict[str, int] = {}
    ids, firsts, texts, labels = [], [], [], []
    length = 0
    for begin in trange(0, len(samples), _BATCH, desc="reading", unit="batch", mininterval=1.0):
        batch = samples[begin : begin + _BATCH]
        strings, words = read_words(tokenizer, _GAP.join(sample.text for sample in batch))
        if not strings:
            continue
        sizes = np.array([len(sample.text) + len(_GAP) for sample in batch])
        offsets = np.cumsum(sizes) - sizes
        first = sentence_starts(words, offsets, abbreviations)
        starts = words.normal.starts(words.starts)
        text = np.searchsorted(offsets, starts, "right") - 1
        attacks = offsets[:, None] + np.array([_attack(sample) for sample in batch])
        inside = (starts >= attacks[text, 0]) & (starts < attacks[text, 1])
        share = np.add.reduceat(inside, first, dtype=np.int64)
        share = share / np.diff(first, append=len(words))
        ids.append(np.array([index.setdefault(word, len(index)) for word in strings], np.int32))
        firsts.append(first + length)
        texts.append(text[first] + begin)
        labels.append(np.where(share == 0, HARMLESS, np.where(share > _MOSTLY, ATTACK, UNKNOWN)))
        length += len(strings)
    return Corpus(
        list(index),
        np.concatenate(ids),
        np.concatenate(firsts),
        np.concatenate(texts),
        np.concatenate(labels).astype(np.int8),
    )


def _attack(sample: Sample) -> tuple[int, int]:
    """Code points [start, end) of the attack; nothing of a harmless text."""
    if sample.label == LABELS[0]:
        return 0, 0
    return sample.attack or (0, len(sample.text))


class Windows(NamedTuple):
    """Windows [begin, end) of words, int64 [N] both."""

    begin: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]


def worst_windows(
    contributions: npt.NDArray[np.float32], first: npt.NDArray[np.int64], sizes: Sequence[int]
) -> tuple[Windows, npt.NDArray[np.float64]]:
    """The window that makes the risk of each sentence, and its sum, float64 [S]."""
    lengths = np.diff(first, append=len(contributions))
    worst = np.full(len(first), -np.inf)
    begin, end = np.zeros(len(first), np.int64), np.zeros(len(first), np.int64)
    for size in sizes:
        sums = window_sums(contributions, first, [size])
        highest = np.maximum.reduceat(sums, first)
        at = np.flatnonzero(sums == np.repeat(highest, lengths))
        sentence = np.searchsorted(first, at, "right") - 1
        at = at[np.diff(sentence, prepend=-1) > 0]
        better = highest > worst
        worst[better] = highest[better]
        end[better] = at[better] + 1
        begin[better] = np.maximum(first, at + 1 - size)[better]
    return Windows(begin, end), worst


class Features:
    """The matrix of a corpus' windows, out of the run-time functions.

    Args:
        corpus: The texts.
        bits: The table has 2^bits slots.
    """

    def __init__(self, corpus: Corpus, bits: int) -> None:
        self._slots = 1 << bits
        single = word_features(corpus.vocabulary, bits)
        shape = (len(corpus.vocabulary), self._slots)
        self.single = scipy.sparse.csr_array(
            (single.values, (single.rows, single.slots)), shape=shape, dtype=np.float32
        )
        self._words = corpus.words
        self.pairs, self.triples = ngram_slots(single.keys[corpus.words], bits)

    def contributions(self, table: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """What each word of the corpus adds under weights float32 [2^bits]; float32 [T]."""
        alone = self.single @ table
        total: npt.NDArray[np.float32] = alone[self._words] + table[self.pairs]
        total += table[self.triples]
        return total

    def matrix(self, windows: Windows) -> scipy.sparse.csr_matrix:
        """Features of windows, float32 CSR [N, 2^bits]."""
        sizes = windows.end - windows.begin
        rows, at = stretches(windows.begin, sizes)
        ones = np.ones(len(at), np.float32)
        shape = (len(sizes), self._slots)
        counts = scipy.sparse.csr_array(
            (ones, (rows, self._words[at])), shape=(len(sizes), self.single.shape[0])
        )
        pairs = scipy.sparse.csr_array((ones, (rows, self.pairs[at])), shape=shape)
        triples = scipy.sparse.csr_array((ones, (rows, self.triples[at])), shape=shape)
        return scipy.sparse.csr_matrix(counts @ self.single + pairs + triples)
