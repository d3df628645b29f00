"""Applies risk models to the sentences of a text, each distinct word looked at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor.prepare import Sentences
from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.word_cache import WordCache
from pointsman_backends.compressor.words import Words

__all__ = ["Lexical", "RiskSignals"]

Lexical = tuple[npt.NDArray[np.uint32], Sequence[npt.NDArray[np.float32]]]
"""Keys of some words (the same in every model), and their weights in each model."""

_ASCII = 128


class RiskSignals:
    """Some risk models, and what they say of the words met so far.

    Args:
        models: By the name of their signal.
        vocabulary: Words that they are asked about once, now.
    """

    def __init__(self, models: Mapping[str, RiskModel], vocabulary: Words) -> None:
        self._models = dict(models)
        self._words = WordCache(
            lambda words, which: self._columns(words.strings(which)), vocabulary
        )
        self._marks = self._columns([chr(code) for code in range(_ASCII)])
        self._other_marks: dict[int, tuple[Any, ...]] = {}

    def look_up(self, words: Words) -> Lexical:
        """Return keys and weights of ``words.distinct``, uint32 and float32 [V]."""
        keys, *weights = self._words.look_up(words)
        return keys, weights

    def risks(
        self, words: Words, lexical: Lexical, sentences: Sentences
    ) -> dict[str, npt.NDArray[np.float64]]:
        """Risk of each sentence by the name of the signal, float64 [S] in [0, 1].

        Args:
            words: The text.
            lexical: What ``look_up`` says of its words.
            sentences: Its sentences.
        """
        keys, weights = self._of_all(words, lexical)
        return {
            name: _worst(model, model.contributions(keys, own), sentences)
            for (name, model), own in zip(self._models.items(), weights, strict=True)
        }

    def _columns(self, strings: Sequence[str]) -> tuple[npt.NDArray[np.generic], ...]:
        of_models = [model.words(strings) for model in self._models.values()]
        return (of_models[0][0], *(weights for _, weights in of_models))

    def _of_all(self, words: Words, lexical: Lexical) -> Lexical:
        """Keys and weights of every word, punctuation marks among them; uint32, float32 [U]."""
        is_mark = np.ones(len(words), np.bool_)
        is_mark[words.terms] = False
        marks = np.flatnonzero(is_mark)
        codes = words.normal.codes[words.starts[marks]]
        others = np.flatnonzero(codes >= _ASCII)
        distinct, which = np.unique(codes[others], return_inverse=True)
        of_others = self._marks_beyond_ascii(distinct.tolist())
        keys, weights = lexical
        columns: list[npt.NDArray[Any]] = []
        for nth, (of_terms, of_ascii) in enumerate(zip((keys, *weights), self._marks, strict=True)):
            column = np.empty(len(words), of_terms.dtype)
            column[words.terms] = of_terms[words.which]
            column[marks] = of_ascii[np.minimum(codes, _ASCII - 1)]
            if len(others):
                values = np.array([mark[nth] for mark in of_others], column.dtype)
                column[marks[others]] = values[which]
            columns.append(column)
        return columns[0], columns[1:]

    def _marks_beyond_ascii(self, codes: list[int]) -> list[tuple[Any, ...]]:
        """Key and weights of punctuation marks, each of which is looked at once."""
        new = [code for code in codes if code not in self._other_marks]
        if new:
            columns = self._columns([chr(code) for code in new])
            self._other_marks |= dict(zip(new, zip(*columns, strict=True), strict=True))
        return [self._other_marks[code] for code in codes]


def _worst(
    model: RiskModel, contributions: npt.NDArray[np.float32], sentences: Sentences
) -> npt.NDArray[np.float64]:
    first, end = sentences.first_words, sentences.end_words
    if not sentences.shared.any():
        return model.sentences(contributions, first)
    # Windows share words: what is between all their edges is judged, and the worst counts.
    edges = np.union1d(first, end[:-1])
    runs = model.sentences(contributions, edges)
    bounds = np.column_stack([np.searchsorted(edges, first), np.searchsorted(edges, end)])
    worst: npt.NDArray[np.float64] = np.maximum.reduceat(np.append(runs, 0.0), bounds.reshape(-1))[
        ::2
    ]
    return worst
