"""Step 1, prepare: segment a text into sentences and build its sentence-term matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from pointsman_backends.compressor.characters import (
    CLOSER,
    DIGIT,
    FULL_STOP,
    KIND,
    LOWER,
    NEWLINE,
    SPACE,
    STOP,
    WORD,
)
from pointsman_backends.compressor.tokenizer import TokenizedText
from pointsman_backends.compressor.words import Words

__all__ = ["ABBREVIATIONS", "WINDOW", "Sentences", "prepare", "sentence_starts"]

WINDOW = 128  # tokens in the longest sentence; a longer one is cut into windows
# Words whose full stop ends no sentence, in any case, by spaces.
ABBREVIATIONS = (
    "Mr Mrs Ms Dr Prof Rev Gen Col Sgt Capt Lt Jr Sr St Mt Ave Inc Ltd Corp Dept Est "
    "vs eg ie cf al approx fig figs eq eqs sec vol ed eds pp"
)

_LONGEST_ENDING = 8  # marks and quotes that may follow the first mark of a sentence's end
_WRAPPED_LINE = 40  # characters in the shortest line that is taken for one of a wrapped paragraph


@dataclass(frozen=True)
class Sentences:
    """S sentences of a text, as runs of its words, and the terms in them.

    Attributes:
        first_words: Index of the first word of each, int64 [S], ascending, the first 0.
        tokens: Tokens in each, int64 [S].
        terms: How often each of the V distinct words is in each sentence, float64 CSR [S, V].
    """

    first_words: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    terms: scipy.sparse.csr_array

    def __len__(self) -> int:
        return len(self.tokens)


def prepare(
    text: TokenizedText,
    message_offsets: npt.NDArray[np.int64],
    abbreviations: npt.NDArray[np.uint64] | None = None,
) -> Sentences:
    """Segment a text and count its terms.

    Args:
        text: The text, of at least one word.
        message_offsets: Where each message begins in the original; a sentence never spans two.
        abbreviations: Hashes of words whose full stop ends no sentence.

    Returns:
        Sentences of at most ``WINDOW`` tokens each.
    """
    words = text.words
    starts = sentence_starts(words, message_offsets, abbreviations)
    tokens = np.add.reduceat(text.counts, starts, dtype=np.int64)
    if int(tokens.max()) > WINDOW:
        starts = _cut_into_windows(text.counts, starts, tokens)
        tokens = np.add.reduceat(text.counts, starts, dtype=np.int64)
    return Sentences(starts, tokens, _count_terms(words, starts))


def sentence_starts(
    words: Words,
    message_offsets: npt.NDArray[np.int64],
    abbreviations: npt.NDArray[np.uint64] | None = None,
) -> npt.NDArray[np.int64]:
    """Find the words that begin a sentence, int64 [S], ascending, the first 0.

    A sentence ends at a stop mark of any script (with the quotes and brackets that close after
    it), at the end of a message, at a blank line, and at the end of a line unless the line looks
    like one of a wrapped paragraph. A Latin stop mark needs white space after it, and a full stop
    no initial or abbreviation before it and no number that begins a line.
    """
    begins = np.zeros(len(words) + 1, np.bool_)
    begins[0] = True
    begins[np.searchsorted(words.normal.starts(words.starts), message_offsets)] = True
    newlines, newline_gaps = _newlines(words)
    begins[_line_boundaries(words, newlines, newline_gaps)] = True
    begins[_stop_boundaries(words, newlines, abbreviations)] = True
    return np.flatnonzero(begins[:-1])


def _newlines(words: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where lines end, int64 [L], and the index of the word after each, int64 [L]."""
    newlines = np.flatnonzero((words.normal.properties & NEWLINE) != 0)
    return newlines, np.searchsorted(words.starts, newlines)


def _line_boundaries(
    words: Words, newlines: npt.NDArray[np.int64], gaps: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Words that begin a sentence because a line ended before them."""
    if not len(newlines):
        return gaps
    properties, codes = words.normal.properties, words.normal.codes
    length = np.diff(newlines, prepend=-1)
    inner = (gaps > 0) & (gaps < len(words))
    before = words.ends[np.where(inner, gaps - 1, 0)] - 1
    after = words.starts[np.where(inner, gaps, 0)]
    wrapped = inner & (length >= _WRAPPED_LINE) & ((properties[after] & LOWER) != 0)
    wrapped &= ((properties[before] & KIND) == WORD) | (codes[before] == ord(","))
    wrapped[1:] &= gaps[1:] != gaps[:-1]  # a blank line ends a paragraph
    wrapped[:-1] &= gaps[1:] != gaps[:-1]
    boundaries: npt.NDArray[np.int64] = gaps[~wrapped]
    return boundaries


def _stop_boundaries(
    words: Words, newlines: npt.NDArray[np.int64], abbreviations: npt.NDArray[np.uint64] | None
) -> npt.NDArray[np.int64]:
    """Words that begin a sentence because of the stop marks before them."""
    properties = words.normal.properties
    marks = np.flatnonzero((properties & (STOP | FULL_STOP)) != 0)
    if not len(marks):
        return marks
    padded = np.append(properties, np.uint8(SPACE))
    ends = marks + 1
    for _ in range(_LONGEST_ENDING):
        more = (padded[ends] & (STOP | FULL_STOP | CLOSER)) != 0
        if not more.any():
            break
        ends += more
    follows = padded[ends]
    ending = (follows & (STOP | FULL_STOP | CLOSER)) == 0
    ending &= ((properties[marks] & FULL_STOP) != 0) | ((follows & KIND) == SPACE)
    marks, ends = marks[ending], ends[ending]
    begins = np.searchsorted(words.starts, ends)
    period = words.normal.codes[marks] == ord(".")
    keep = ~period
    keep[period] = _period_ends_sentence(words, marks[period], newlines, abbreviations)
    boundaries: npt.NDArray[np.int64] = begins[keep]
    return boundaries


def _period_ends_sentence(
    words: Words,
    periods: npt.NDArray[np.int64],
    newlines: npt.NDArray[np.int64],
    abbreviations: npt.NDArray[np.uint64] | None,
) -> npt.NDArray[np.bool_]:
    properties = words.normal.properties
    # The word right before the full stop; the full stop is a word itself.
    mark = np.searchsorted(words.starts, periods)
    word = np.maximum(mark - 1, 0)
    start, end = words.starts[word], words.ends[word]
    adjacent = (mark > 0) & (end == periods) & ((properties[start] & KIND) == WORD)
    digit = (properties[start] & DIGIT) != 0
    initial = (end - start == 1) & ~digit
    if len(newlines):
        at = np.searchsorted(newlines, start)
        line_start = np.where(at > 0, newlines[np.maximum(at - 1, 0)], -1)
    else:
        line_start = np.full(len(word), -1)
    previous_end = np.where(word > 0, words.ends[np.maximum(word - 1, 0)], 0)
    numbering = digit & (previous_end <= line_start + 1)
    abbreviated = np.zeros(len(word), np.bool_)
    if abbreviations is not None:
        nth_term = np.minimum(np.searchsorted(words.terms, word), len(words.terms) - 1)
        if len(words.terms):
            abbreviated = np.isin(words.distinct[words.which[nth_term]], abbreviations)
    ends_none: npt.NDArray[np.bool_] = adjacent & (initial | numbering | abbreviated)
    return ~ends_none


def _cut_into_windows(
    counts: npt.NDArray[np.int32], starts: npt.NDArray[np.int64], tokens: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Cut sentences of over ``WINDOW`` tokens into windows of about equal length."""
    # Where a window closes after w tokens, the word across its edge may add all its own but one.
    widest = np.maximum.reduceat(counts, starts)
    width = np.maximum(WINDOW + 1 - widest, 1)
    width = -(-tokens // -(-tokens // width))
    sizes = np.diff(starts, append=len(counts))
    before = np.cumsum(counts, dtype=np.int64) - counts
    window = (before - np.repeat(before[starts], sizes)) // np.repeat(width, sizes)
    cut = np.zeros(len(counts), np.bool_)
    cut[1:] = window[1:] != window[:-1]
    cut &= np.repeat(tokens > WINDOW, sizes)
    cut[starts] = True
    return np.flatnonzero(cut)


def _count_terms(words: Words, starts: npt.NDArray[np.int64]) -> scipy.sparse.csr_array:
    vocabulary = max(len(words.distinct), 1)
    edges = np.searchsorted(words.terms, np.append(starts, len(words)))
    rows = np.repeat(np.arange(len(starts), dtype=np.int64), np.diff(edges))
    keys = rows * vocabulary + words.which
    keys.sort()
    first = np.ones(len(keys), np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    at = np.flatnonzero(first)
    keys = keys[at]
    times = np.diff(at, append=len(first)).astype(np.float64)
    rows = keys // vocabulary
    indptr = np.searchsorted(rows, np.arange(len(starts) + 1)).astype(np.int32)
    columns = (keys - rows * vocabulary).astype(np.int32)
    return scipy.sparse.csr_array((times, columns, indptr), shape=(len(starts), vocabulary))
