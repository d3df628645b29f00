"""Applies the risk model to the sentences of a text, each distinct word looked at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor.prepare import Sentences
from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.word_cache import WordCache
from pointsman_backends.compressor.words import Words

__all__ = ["RiskSignal"]

Lexical = tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]

_ASCII = 128


class RiskSignal:
    """A risk model, and what it says of the words met so far.

    Args:
        model: The model.
        vocabulary: Words that it is asked about once, now.
    """

    def __init__(self, model: RiskModel, vocabulary: Words) -> None:
        self.threshold = model.threshold
        self._model = model
        self._words = WordCache(lambda words, which: model.words(words.strings(which)), vocabulary)
        self._marks = model.words([chr(code) for code in range(_ASCII)])
        self._other_marks: dict[int, tuple[int, float]] = {}

    def look_up(self, words: Words) -> Lexical:
        """Return key and weight of each of ``words.distinct``, uint32 and float32 [V]."""
        return self._words.look_up(words)  # type: ignore[return-value]

    def risk(self, words: Words, lexical: Lexical, sentences: Sentences) -> npt.NDArray[np.float64]:
        """Risk of each sentence, float64 [S] in [0, 1].

        Args:
            words: The text.
            lexical: What ``look_up`` says of its words.
            sentences: Its sentences.
        """
        contributions = self._model.contributions(*self._of_all(words, lexical))
        first, end = sentences.first_words, sentences.end_words
        if not sentences.shared.any():
            return self._model.sentences(contributions, first)
        # Windows share words: what is between all their edges is judged, and the worst counts.
        edges = np.union1d(first, end[:-1])
        runs = self._model.sentences(contributions, edges)
        bounds = np.column_stack([np.searchsorted(edges, first), np.searchsorted(edges, end)])
        worst: npt.NDArray[np.float64] = np.maximum.reduceat(
            np.append(runs, 0.0), bounds.reshape(-1)
        )[::2]
        return worst

    def _of_all(self, words: Words, lexical: Lexical) -> Lexical:
        """Key and weight of every word, punctuation marks among them; uint32 and float32 [U]."""
        keys = np.empty(len(words), np.uint32)
        weights = np.empty(len(words), np.float32)
        is_mark = np.ones(len(words), np.bool_)
        is_mark[words.terms] = False
        marks = np.flatnonzero(is_mark)
        codes = words.normal.codes[words.starts[marks]]
        for every, of_term, of_ascii in zip((keys, weights), lexical, self._marks, strict=True):
            every[words.terms] = of_term[words.which]
            every[marks] = of_ascii[np.minimum(codes, _ASCII - 1)]
        others = np.flatnonzero(codes >= _ASCII)
        if len(others):
            distinct, which = np.unique(codes[others], return_inverse=True)
            of_other = [self._mark(code) for code in distinct.tolist()]
            keys[marks[others]] = np.array([key for key, _ in of_other], np.uint32)[which]
            weights[marks[others]] = np.array([w for _, w in of_other], np.float32)[which]
        return keys, weights

    def _mark(self, code: int) -> tuple[int, float]:
        """Key and weight of a punctuation mark beyond ASCII; there are some hundreds."""
        if code not in self._other_marks:
            key, weight = self._model.words([chr(code)])
            self._other_marks[code] = int(key[0]), float(weight[0])
        return self._other_marks[code]
