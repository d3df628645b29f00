"""Applies risk models to the sentences of a text, each distinct word looked at once.

Words and marks are weighed on the host, as strings; what is made of their weights, where the
sentences are.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
from pointsman_backends.compressor.placement import CPU, namespace, resident
from pointsman_backends.compressor.prepare import Sentences
from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.rows import group_max, stretches
from pointsman_backends.compressor.word_cache import WordCache
from pointsman_backends.compressor.words import Words

__all__ = ["Lexical", "RiskSignals"]

Lexical = tuple[npt.NDArray[np.uint32], Sequence[npt.NDArray[np.float32]]]
"""Keys of some words (the same in every model), and their weights in each model."""

_Columns = tuple[npt.NDArray[Any], ...]  # keys, and weights in each model
_Marks = tuple[npt.NDArray[np.uint32], _Columns]
"""Code points of marks beyond ASCII, ascending, [M]; columns of ASCII and of these, [128 + M]."""

_ASCII = 128
_MOST_MODELS = 4  # that the native library takes at once


class RiskSignals:
    """Some risk models, and what they say of the words met so far.

    Args:
        models: By the name of their signal.
        vocabulary: Words that they are asked about once, now.
    """

    def __init__(self, models: Mapping[str, RiskModel], vocabulary: Words) -> None:
        self._models = dict(models)
        self._side_by_side = (
            _SideBySide(list(models.values())) if len(models) <= _MOST_MODELS else None
        )
        # Natively a word is weighed about as fast as it is remembered.
        self._words = WordCache(self._weigh, vocabulary, learns=native.library is None)
        ascii_marks = self._columns([chr(code) for code in range(_ASCII)])
        self._marks: _Marks = np.zeros(0, np.uint32), ascii_marks

    def look_up(self, words: Words) -> Lexical:
        """Return keys and weights of ``words.distinct``, uint32 and float32 [V], on the host."""
        keys, *weights = self._words.look_up(words)
        return keys, weights

    def risks(
        self, words: Words, lexical: Lexical, sentences: Sentences
    ) -> dict[str, npt.NDArray[np.float64]]:
        """Risk of each sentence by the name of the signal, float64 [S] in [0, 1], on the host.

        Args:
            words: The text.
            lexical: What ``look_up`` says of its words.
            sentences: Its sentences, where the text is.
        """
        rows, of_marks = self._rows(words)
        keys = np.concatenate([lexical[0], of_marks[0]])
        weights = np.empty((len(self._models), len(keys)), np.float32)
        for row, columns in zip(weights, zip(lexical[1], of_marks[1:], strict=True), strict=True):
            np.concatenate(columns, out=row)
        library = native.reads(rows)
        if library is not None and self._side_by_side is not None:
            worst = self._side_by_side.worst(library, rows, keys, weights, sentences)
        else:
            xp = namespace(rows)
            keys, weights = xp.asarray(keys), xp.asarray(weights)
            of_models = [
                _worst(model, model.contributions(keys[rows], own[rows]), sentences)
                for model, own in zip(self._models.values(), weights, strict=True)
            ]
            worst = CPU.put(xp.stack(of_models))
        # The exponential function of a GPU may round otherwise: the sums are exact.
        return {
            name: model.probability(sums)
            for (name, model), sums in zip(self._models.items(), worst, strict=True)
        }

    def _weigh(self, words: Words, which: npt.NDArray[np.int64]) -> _Columns:
        """Keys and weights of some words of a text."""
        if native.library is not None and self._side_by_side is not None:
            return self._side_by_side.weigh(native.library, words, which)
        return self._columns(words.strings(which))

    def _columns(self, strings: Sequence[str]) -> _Columns:
        of_models = [model.words(strings) for model in self._models.values()]
        return (of_models[0][0], *(weights for _, weights in of_models))

    def _rows(self, words: Words) -> tuple[npt.NDArray[np.int32], _Columns]:
        """Row of each word in the columns of the distinct words and, below them, of the marks.

        Returns:
            Rows, int32 [U], and the columns of the marks.
        """
        while True:
            known, columns = self._marks
            rows, all_known = _word_rows(words, known)
            if all_known:
                return rows, columns
            self._learn_marks(words)

    def _learn_marks(self, words: Words) -> None:
        known, columns = self._marks
        codes = CPU.put(_marks_beyond_ascii(words))
        new = np.setdiff1d(codes, known)
        at = np.searchsorted(known, new)
        of_new = self._columns([chr(code) for code in new.tolist()])
        # One assignment, so that another thread sees the old pair or the new one.
        self._marks = (
            np.insert(known, at, new),
            tuple(
                np.insert(column, _ASCII + at, values)
                for column, values in zip(columns, of_new, strict=True)
            ),
        )


class _SideBySide:
    """Models whose weights lie side by side: what one look-up fetches for all of them.

    Args:
        models: N of them.
    """

    def __init__(self, models: Sequence[RiskModel]) -> None:
        self._count = len(models)
        self._bits = max(model.bits for model in models)
        # The slot is in the high bits of a hash: a smaller table stretches to the largest.
        stretched = [np.repeat(m.table, 2 ** (self._bits - m.bits)) for m in models]
        self._table = np.stack(stretched, axis=1)
        self._units = np.array([model.unit for model in models], np.float64)
        self._sizes = np.concatenate([model.windows for model in models]).astype(np.int64)
        self._size_ends = np.cumsum([len(model.windows) for model in models], dtype=np.int64)

    def weigh(self, library: ctypes.CDLL, words: Words, which: npt.NDArray[np.int64]) -> _Columns:
        """Keys and weights of some words of a text."""
        codes = words.normal.codes
        keys = np.empty(len(which), np.uint32)
        weights = np.empty((self._count, len(which)), np.float32)
        native.check(
            library.pointsman_weigh_words(
                native.address(codes),
                codes.itemsize,
                native.address(words.starts),
                native.address(words.ends),
                native.address(which),
                len(which),
                native.address(self._table),
                self._bits,
                self._count,
                native.address(self._units),
                native.address(keys),
                native.address(weights),
            )
        )
        return (keys, *weights)

    def worst(
        self,
        library: ctypes.CDLL,
        rows: npt.NDArray[np.int32],
        keys: npt.NDArray[np.uint32],
        weights: npt.NDArray[np.float32],
        sentences: Sentences,
    ) -> npt.NDArray[np.float64]:
        """``_worst`` of each model, float64 [N, S].

        Args:
            library: The native library.
            rows: Row of every word in ``keys`` and ``weights``, int32 [U].
            keys: uint32 [R].
            weights: float32 [N, R].
            sentences: S sentences.
        """
        first, end = sentences.first_words, sentences.end_words
        worst = np.empty((self._count, len(first)))
        native.check(
            library.pointsman_worst_windows(
                native.address(rows),
                len(rows),
                native.address(keys),
                native.address(weights),
                len(keys),
                native.address(self._table),
                self._bits,
                self._count,
                native.address(self._units),
                native.address(self._sizes),
                native.address(self._size_ends),
                native.address(first),
                native.address(end),
                len(first),
                native.address(worst),
            )
        )
        return worst


def _worst(
    model: RiskModel, contributions: npt.NDArray[np.float32], sentences: Sentences
) -> npt.NDArray[np.float64]:
    """Sum of the worst window of each sentence, float64 [S]."""
    first, end = sentences.first_words, sentences.end_words
    # Windows share words: what is between all their edges is judged, and the worst counts.
    xp = namespace(first)
    edges = xp.union1d(first, end[:-1])
    runs = model.worst_windows(contributions, edges)
    if len(edges) == len(first):
        return runs
    begin = xp.searchsorted(edges, first)
    sentence, run = stretches(begin, xp.searchsorted(edges, end) - begin)
    return group_max(runs[run], sentence, xp.full(len(first), -np.inf))


def _word_rows(words: Words, known: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int32], bool]:
    """Row of each word among the distinct words, the ASCII characters and the marks known.

    Args:
        words: The text.
        known: Code points of marks beyond ASCII, uint32 [M], ascending.

    Returns:
        Rows, int32 [U], and whether all marks are known; if not, some rows are wrong.
    """
    codes, distinct = words.normal.codes, len(words.distinct)
    xp = namespace(codes)
    rows = xp.empty(len(words), np.int32)
    if library := native.reads(codes):
        unknown = library.pointsman_word_rows(
            native.address(words.terms),
            native.address(words.which),
            len(words.terms),
            native.address(words.starts),
            len(words),
            native.address(codes),
            codes.itemsize,
            distinct,
            native.address(known),
            len(known),
            native.address(rows),
        )
        return rows, not unknown
    marks = _marks(words)
    codes = codes[words.starts[marks]]
    known = resident(known, codes)
    at = xp.searchsorted(known, codes)
    of_marks = xp.where(codes < _ASCII, codes, _ASCII + at)
    rows[words.terms] = words.which
    rows[marks] = distinct + of_marks
    all_known = xp.append(known, np.uint32(0))[at] == codes
    return rows, bool((all_known | (codes < _ASCII)).all())


def _marks(words: Words) -> npt.NDArray[np.int64]:
    """Indices of the punctuation marks of a text."""
    xp = namespace(words.starts)
    is_mark = xp.ones(len(words), np.bool_)
    is_mark[words.terms] = False
    marks: npt.NDArray[np.int64] = xp.flatnonzero(is_mark)
    return marks


def _marks_beyond_ascii(words: Words) -> npt.NDArray[np.uint32]:
    codes = namespace(words.starts).unique(words.normal.codes[words.starts[_marks(words)]])
    beyond: npt.NDArray[np.uint32] = codes[codes >= _ASCII].astype(np.uint32)
    return beyond
