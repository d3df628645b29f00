"""Step 1, prepare: segment a text into sentences and build its sentence-term matrix.

It runs where the text is.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pointsman_backends.compressor import native
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
from pointsman_backends.compressor.native import address
from pointsman_backends.compressor.placement import namespace, resident
from pointsman_backends.compressor.rows import TermCounts, group_max, owners, stretches
from pointsman_backends.compressor.tokenizer import TokenizedText
from pointsman_backends.compressor.words import Words

__all__ = ["ABBREVIATIONS", "OVERLAP", "WINDOW", "Runs", "Sentences", "prepare", "sentence_starts"]

WINDOW = 128  # tokens in the longest sentence; a longer one is cut into windows
OVERLAP = 32  # tokens that such windows share with the next, but for the word at the edge
# Words whose full stop ends no sentence, in any case, by spaces.
ABBREVIATIONS = (
    "Mr Mrs Ms Dr Prof Rev Gen Col Sgt Capt Lt Jr Sr St Mt Ave Inc Ltd Corp Dept Est "
    "vs eg ie cf al approx fig figs eq eqs sec vol ed eds pp"
)

_LONGEST_ENDING = 8  # marks and quotes that may follow the first mark of a sentence's end
_WRAPPED_LINE = 40  # characters in the shortest line that is taken for one of a wrapped paragraph


@dataclass(frozen=True)
class Runs:
    """S sentences of a text, as runs of its words.

    Together they hold every word. Neighbours are disjoint, or windows of one long sentence: then
    the end of the one is the beginning of the next. No word is in three.

    Attributes:
        first_words: Index of the first word of each, int64 [S], ascending, the first 0.
        end_words: Index after its last word, int64 [S], ascending.
        tokens: Tokens in each, int64 [S].
        shared: Tokens that each has in common with the next, int64 [S], 0 for the last.
    """

    first_words: npt.NDArray[np.int64]
    end_words: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    shared: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class Sentences(Runs):
    """Sentences, and the terms in them.

    Attributes:
        counts: How often each of the V distinct words is in each sentence, [S, V].
    """

    counts: TermCounts

    @property
    def runs(self) -> Runs:
        """The sentences without their terms."""
        return Runs(self.first_words, self.end_words, self.tokens, self.shared)

    @property
    def terms(self) -> Any:  # noqa: ANN401 (scipy.sparse.csr_array, or the GPU's)
        """The same as a matrix, float64 CSR [S, V]."""
        return self.counts.matrix


def prepare(
    text: TokenizedText,
    message_offsets: npt.NDArray[np.int64],
    abbreviations: npt.NDArray[np.uint64] | None = None,
) -> Sentences:
    """Segment a text and count its terms.

    Args:
        text: The text, of at least one word.
        message_offsets: Where each message begins in the original, on the host; a sentence never
            spans two.
        abbreviations: Hashes of words whose full stop ends no sentence, uint64 [A], ascending.

    Returns:
        Sentences of at most ``WINDOW`` tokens each.
    """
    words = text.words
    xp = namespace(text.counts)
    begins = _begins(words, message_offsets, abbreviations)
    starts, tokens = _measure_sentences(text.counts, begins)
    ends = xp.append(starts[1:], len(words))
    shared = xp.zeros(len(starts), np.int64)
    if int(tokens.max()) > WINDOW:
        starts, ends = _cut_into_windows(text.counts, starts, tokens)
        tokens, shared = _measure_windows(text.counts, starts, ends)
    return Sentences(starts, ends, tokens, shared, _count_terms(words, starts, ends))


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
    begins = _begins(words, message_offsets, abbreviations)[:-1]
    starts: npt.NDArray[np.int64] = namespace(begins).flatnonzero(begins)
    return starts


def _begins(
    words: Words,
    message_offsets: npt.NDArray[np.int64],
    abbreviations: npt.NDArray[np.uint64] | None,
) -> npt.NDArray[np.bool_]:
    """Whether a sentence begins at each word, and one after the last, bool [U + 1]."""
    begins: npt.NDArray[np.bool_] = namespace(words.starts).zeros(len(words) + 1, np.bool_)
    begins[0] = True
    begins[words.begun_before(message_offsets)] = True
    if library := native.reads(words.starts):
        _find_natively(library, words, abbreviations, begins)
    else:
        _find_sentences(words, abbreviations, begins)
    return begins


def _measure_sentences(
    counts: npt.NDArray[np.int32], begins: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First words of the sentences that begin at some words, and their tokens, int64 [S] both."""
    library = native.reads(counts)
    if library is None:
        starts = namespace(begins).flatnonzero(begins[:-1])
        before = _tokens_before(counts)
        firsts = before[starts]
        tokens = before[-1:] - firsts
        tokens[:-1] = firsts[1:] - firsts[:-1]
        return starts, tokens
    count = np.count_nonzero(begins[:-1])
    starts, tokens = np.empty(count, np.int64), np.empty(count, np.int64)
    library.pointsman_measure_sentences(
        address(counts), len(counts), address(begins), address(starts), address(tokens)
    )
    return starts, tokens


def _measure_windows(
    counts: npt.NDArray[np.int32], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Tokens in each of some windows, and those in common with the next, int64 [S] both."""
    library = native.reads(counts)
    if library is None:
        before = _tokens_before(counts)
        following = namespace(starts).append(starts[1:], len(counts))
        return before[ends] - before[starts], before[ends] - before[following]
    tokens, shared = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    library.pointsman_measure_windows(
        address(counts),
        address(starts),
        address(ends),
        len(starts),
        address(tokens),
        address(shared),
    )
    return tokens, shared


def _tokens_before(counts: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Tokens before each word, and before the end; int64 [U + 1]."""
    xp = namespace(counts)
    before: npt.NDArray[np.int64] = xp.zeros(len(counts) + 1, np.int64)
    xp.cumsum(counts, out=before[1:])
    return before


def _find_natively(
    library: ctypes.CDLL,
    words: Words,
    abbreviations: npt.NDArray[np.uint64] | None,
    begins: npt.NDArray[np.bool_],
) -> None:
    normal = words.normal
    if abbreviations is None:
        abbreviations = np.zeros(0, np.uint64)
    native.check(
        library.pointsman_find_sentences(
            address(normal.codes),
            normal.codes.itemsize,
            address(normal.properties),
            len(normal.codes),
            address(words.starts),
            address(words.ends),
            len(words),
            address(words.terms),
            address(words.which),
            len(words.terms),
            address(words.distinct),
            len(words.distinct),
            address(abbreviations),
            len(abbreviations),
            address(begins),
        )
    )


def _find_sentences(
    words: Words, abbreviations: npt.NDArray[np.uint64] | None, begins: npt.NDArray[np.bool_]
) -> None:
    """Mark the words that begin a sentence by the text itself; bool [U + 1]."""
    properties, codes = words.normal.properties, words.normal.codes
    xp = namespace(properties)
    marks = xp.flatnonzero(properties >= NEWLINE)
    following = xp.searchsorted(words.starts, marks)
    is_newline = properties[marks] == NEWLINE
    newlines = marks[is_newline]
    begins[_after_lines(words, newlines, following[is_newline])] = True
    # A stop mark is a word itself; so are the marks after it that belong to the sentence.
    # Of marks in a row the last one counts.
    padded = xp.append(properties, np.uint8(SPACE))
    counts = ~is_newline & (padded[marks + 1] < STOP)
    marks, following = marks[counts], following[counts]
    length = _ending_lengths(properties, marks)
    after = padded[marks + length]
    ends = (after & (STOP | FULL_STOP | CLOSER)) == 0
    ends &= ((properties[marks] & FULL_STOP) != 0) | ((after & KIND) == SPACE)
    periods = xp.flatnonzero(ends & (codes[marks] == ord(".")))
    ends[periods] = _periods_end(words, following[periods], newlines, abbreviations)
    begins[(following + length)[ends]] = True


def _after_lines(
    words: Words, newlines: npt.NDArray[np.int64], following: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Words that begin a sentence since a line ended before them; ``following`` are all such."""
    if not len(newlines):
        return following
    properties, codes = words.normal.properties, words.normal.codes
    xp = namespace(newlines)
    inner = (following > 0) & (following < len(words))
    before = words.ends[xp.where(inner, following - 1, 0)] - 1
    after = words.starts[xp.where(inner, following, 0)]
    wrapped = inner & (xp.diff(newlines, prepend=-1) > _WRAPPED_LINE)
    wrapped &= (properties[after] & LOWER) != 0
    wrapped &= ((properties[before] & KIND) == WORD) | (codes[before] == ord(","))
    only = following[1:] != following[:-1]  # a blank line ends a paragraph
    wrapped[1:] &= only
    wrapped[:-1] &= only
    boundaries: npt.NDArray[np.int64] = following[~wrapped]
    return boundaries


def _ending_lengths(
    properties: npt.NDArray[np.uint8], marks: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Length of what ends a sentence from each stop mark on: more marks, quotes and brackets."""
    xp = namespace(marks)
    lengths: npt.NDArray[np.int64] = xp.ones(len(marks), np.int64)
    growing = xp.flatnonzero(marks + 1 < len(properties))
    for _ in range(_LONGEST_ENDING):
        following = properties[marks[growing] + lengths[growing]]
        growing = growing[(following & (STOP | FULL_STOP | CLOSER)) != 0]
        if not len(growing):
            break
        lengths[growing] += 1
        growing = growing[marks[growing] + lengths[growing] < len(properties)]
    return lengths


def _periods_end(
    words: Words,
    periods: npt.NDArray[np.int64],
    newlines: npt.NDArray[np.int64],
    abbreviations: npt.NDArray[np.uint64] | None,
) -> npt.NDArray[np.bool_]:
    """Which of the full stops, given by their index among the words, end a sentence."""
    properties = words.normal.properties
    xp = namespace(periods)
    word = xp.maximum(periods - 1, 0)
    start, end = words.starts[word], words.ends[word]
    adjacent = (end == words.starts[periods]) & ((properties[start] & KIND) == WORD)
    digit = (properties[start] & DIGIT) != 0
    exempt = (end - start == 1) & ~digit  # an initial
    numbers = xp.flatnonzero(digit)  # and if one begins its line, it numbers what follows
    line = xp.append(-1, newlines)[xp.searchsorted(newlines, start[numbers])]
    previous_end = xp.append(0, words.ends)[word[numbers]]
    exempt[numbers] = previous_end <= xp.maximum(line, 0)
    if abbreviations is not None and len(abbreviations) and len(words.terms):
        abbreviations = resident(abbreviations, word)
        nth_term = xp.minimum(xp.searchsorted(words.terms, word), len(words.terms) - 1)
        hashes = words.distinct[words.which[nth_term]]
        nearest = xp.minimum(xp.searchsorted(abbreviations, hashes), len(abbreviations) - 1)
        exempt |= abbreviations[nearest] == hashes
    ending: npt.NDArray[np.bool_] = ~(adjacent & exempt)
    return ending


def _cut_into_windows(
    counts: npt.NDArray[np.int32], starts: npt.NDArray[np.int64], tokens: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cut sentences of over ``WINDOW`` tokens into overlapping windows of about equal length.

    Returns:
        First and end words of all sentences, int64 [S] each.
    """
    if library := native.reads(counts):
        firsts, lasts = np.empty(len(counts), np.int64), np.empty(len(counts), np.int64)
        count = library.pointsman_cut_into_windows(
            address(counts),
            len(counts),
            address(starts),
            address(tokens),
            len(starts),
            WINDOW,
            OVERLAP,
            address(firsts),
            address(lasts),
        )
        return firsts[:count].copy(), lasts[:count].copy()
    xp = namespace(counts)
    sentence = owners(xp.diff(starts, append=len(counts)), len(counts))
    # Where a window closes after w tokens, the word across its edge may add all its own but one.
    widest = group_max(counts, sentence, xp.zeros(len(starts), np.int32))
    width = xp.maximum(WINDOW + 1 - widest, 1)
    overlap = xp.where(width > 2 * OVERLAP, OVERLAP, 0)
    pieces = xp.where(tokens > WINDOW, -(-(tokens - overlap) // (width - overlap)), 1)
    stride = -(-(tokens - overlap) // pieces)
    of = owners(pieces, int(pieces.sum()))  # the sentence of each window
    nth = xp.arange(len(of)) - (xp.cumsum(pieces) - pieces)[of]
    # Where words and sentences begin, in tokens, one apart between sentences: rising throughout.
    before = _tokens_before(counts)[:-1]
    begin = before[starts] + xp.arange(len(starts))
    before += sentence
    limit = (begin + tokens)[of]
    opens = begin[of] + nth * stride[of]
    closes = xp.minimum(opens + (stride + overlap)[of], limit)
    first_words = xp.searchsorted(before, xp.minimum(opens, limit))
    end_words = xp.searchsorted(before, closes)
    # Words longer than the stride leave windows that are empty, or within the next, or the last.
    own = (end_words > first_words) & (xp.diff(first_words, append=len(counts)) > 0)
    first_words, end_words = first_words[own], end_words[own]
    own = xp.diff(end_words, prepend=0) > 0
    return first_words[own], end_words[own]


def _count_terms(
    words: Words, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> TermCounts:
    shape = len(starts), max(len(words.distinct), 1)
    if library := native.reads(starts):
        return TermCounts(*_distinct_natively(library, words, starts, ends), shape)
    return TermCounts(*_distinct_terms(words, starts, ends, shape[1]), shape)


def _distinct_natively(
    library: ctypes.CDLL,
    words: Words,
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    room = int((ends - starts).sum())
    times, columns = np.empty(room, np.float64), np.empty(room, np.int32)
    indptr = np.empty(len(starts) + 1, np.int32)
    entries = library.pointsman_count_terms(
        address(words.terms),
        address(words.which),
        len(words.terms),
        address(starts),
        address(ends),
        len(starts),
        address(indptr),
        address(columns),
        address(times),
    )
    return times[:entries], columns[:entries], indptr


def _distinct_terms(
    words: Words, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], vocabulary: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Count the terms of each sentence: data, columns and row starts of a matrix in CSR format."""
    xp = namespace(starts)
    first, last = xp.searchsorted(words.terms, starts), xp.searchsorted(words.terms, ends)
    rows, at = stretches(first, last - first)
    keys = rows * vocabulary + words.which[at]
    keys.sort()
    new = xp.ones(len(keys), np.bool_)
    xp.not_equal(keys[1:], keys[:-1], out=new[1:])
    at = xp.flatnonzero(new)
    keys = keys[at]
    times = xp.diff(at, append=len(new)).astype(np.float64)
    rows = keys // vocabulary
    indptr = xp.searchsorted(rows, xp.arange(len(starts) + 1)).astype(np.int32)
    columns = (keys - rows * vocabulary).astype(np.int32)
    return times, columns, indptr
