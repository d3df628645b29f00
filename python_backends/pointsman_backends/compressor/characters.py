"""What each character means to the tokenizer and to a reader of sentences.

A BERT tokenizer first normalises (drops control characters and accents, lower-cases, decomposes)
and then splits at white space and punctuation. Both work on one character at a time, so a table
over all code points does the same to a whole text in a few array operations. The table is filled
by asking the tokenizer's own normaliser and pre-tokenizer, for each character when it is first
seen: it cannot differ from them. The looking up runs on any device, the asking on the host.
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers.normalizers import Normalizer
from tokenizers.pre_tokenizers import PreTokenizer

from pointsman_backends.compressor import native
from pointsman_backends.compressor.native import address
from pointsman_backends.compressor.placement import CPU, Device, namespace
from pointsman_backends.compressor.rows import owners

__all__ = [
    "CLOSER",
    "DIGIT",
    "FULL_STOP",
    "IDEOGRAPH",
    "KIND",
    "LOWER",
    "NEWLINE",
    "PUNCTUATION",
    "SPACE",
    "STOP",
    "WORD",
    "CharacterTable",
    "NormalText",
]

# One byte of properties for each character. The kinds: white space, part of a word, and two that
# are a word alone. The odd kinds carry content: they are terms.
KIND = 0b11
SPACE, WORD, PUNCTUATION, IDEOGRAPH = range(4)
LOWER = 1 << 2
DIGIT = 1 << 3
CLOSER = 1 << 4  # belongs to the sentence that a stop before it ended
# From here on: what may end a sentence.
NEWLINE = 1 << 5
STOP = 1 << 6  # where white space follows
FULL_STOP = 1 << 7  # whatever follows

_NEWLINES = "\n\u2028\u2029"  # "\r\n" ends a line at its "\n"
_STOPS = ".!?…‽"
_FULL_STOPS = (
    "。！？｡．"  # Chinese, Japanese
    "؟۔܀܁܂"  # Arabic, Urdu, Syriac
    "।॥"  # Devanagari, Bengali and others
    "։።፧፨။។៕།༎᠃᠉߹᙮꓿꘎꘏"  # Armenian, Ethiopic, Burmese, Khmer, Tibetan, Mongolian, ...
    "‼⁇⁈⁉"
)
_CLOSERS = "\"')]}”’»›」』】〕〉》）］｝〗〙"

_CODE_POINTS = 0x110000
_UNSEEN = 255
_MARK = "\u2502"  # a box-drawing line: every normaliser leaves it alone
_BATCH = 1 << 14

_Tables = tuple[
    npt.NDArray[np.uint8], npt.NDArray[np.uint32], npt.NDArray[np.uint8], npt.NDArray[np.uint32]
]
"""Lengths, what each character becomes, and properties, by code point; expansions."""


@dataclass(frozen=True)
class NormalText:
    """A text after the tokenizer's normalisation, as arrays over its M characters.

    Attributes:
        codes: Code points, uint8 [M] if the original is ASCII, else uint32 [M].
        properties: Property byte of the original character each came from, uint8 [M].
        source: Position in the original of each, int32 [M], ascending; None if it is 0..M-1.
        length: Code points in the original.
    """

    codes: npt.NDArray[Any]
    properties: npt.NDArray[np.uint8]
    source: npt.NDArray[np.int32] | None
    length: int

    @cached_property
    def text(self) -> str:
        """The normalised text."""
        octets = CPU.put(self.codes).tobytes()
        return octets.decode("ascii" if self.codes.dtype == np.uint8 else "utf-32-le")

    def starts(self, at: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Original positions of the characters at the positions ``at``, int32 [K]."""
        if self.source is None:
            return at.astype(np.int32)
        starts: npt.NDArray[np.int32] = self.source[at]
        return starts

    def ends(self, at: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Original ends (exclusive) of spans that end (exclusive) at ``at`` >= 1, int32 [K].

        What normalisation dropped right after a span (a combining accent, a joiner) counts to it:
        a name that is cut out takes its accent along.
        """
        if self.source is None:
            return at.astype(np.int32)
        xp = namespace(at)
        # Right after a span begins the next character, or the text ends.
        last = len(self.source) - 1
        following = xp.where(at > last, self.length, self.source[xp.minimum(at, last)])
        ends: npt.NDArray[np.int32] = xp.maximum(self.source[at - 1] + 1, following)
        return ends.astype(np.int32, copy=False)


class CharacterTable:
    """Normalises texts as one tokenizer does.

    Args:
        normalizer: A ``tokenizers`` normaliser that treats each character by itself.
        pre_tokenizer: A ``tokenizers`` pre-tokenizer that does so, too.
    """

    def __init__(self, normalizer: Normalizer | None, pre_tokenizer: PreTokenizer) -> None:
        self._normalizer = normalizer
        self._pre_tokenizer = pre_tokenizer
        self._properties = np.zeros(_CODE_POINTS, np.uint8)
        # How many characters each becomes; if one, which; if more, where they are in _expansions.
        self._lengths = np.full(_CODE_POINTS, _UNSEEN, np.uint8)
        self._becomes = np.zeros(_CODE_POINTS, np.uint32)
        self._expansions = np.zeros(0, np.uint32)
        self._learning = threading.Lock()  # else two threads could give one place in it twice
        self._version = 0  # how often it learned
        self._copy: tuple[int, _Tables] | None = None  # of the tables, and of which version
        self._learn(np.arange(128))

    def normalise(self, text: str, device: Device = CPU) -> NormalText:
        """Normalise a text without lone surrogates, on a device."""
        if native.library is not None and device is CPU:
            return self._normalise_natively(native.library, text)
        octets, dtype = _encode(text)
        # As indices at once, which each look-up would make of them anew.
        original = device.put(np.frombuffer(octets, dtype)).astype(np.int64)
        xp = namespace(original)
        lengths = self._tables(original)[0].take(original)
        if (lengths == _UNSEEN).any():
            self._learn(CPU.put(xp.unique(original)))
            lengths = self._tables(original)[0].take(original)
        # Read after the lengths: what they tell of is there before they are.
        _, becomes, properties, expansions = self._tables(original)
        if (lengths == 1).all():
            codes = becomes.take(original).astype(dtype)
            return NormalText(codes, properties.take(original), None, len(text))
        ends = xp.cumsum(lengths, dtype=np.int64)
        source = owners(lengths, int(ends[-1]))
        each = original[source]
        codes = becomes.take(each).astype(dtype)
        many = xp.flatnonzero(lengths[source] > 1)
        # For the k-th of the characters that one became: the place of the first, plus k.
        nth = many - (ends - lengths)[source[many]]
        codes[many] = expansions[codes[many] + nth.astype(np.uint32)]
        return NormalText(codes, properties.take(each), source.astype(np.int32), len(text))

    def _tables(self, array: npt.NDArray[Any]) -> _Tables:
        """The tables where an array is."""
        tables = self._lengths, self._becomes, self._properties, self._expansions
        if isinstance(array, np.ndarray):
            return tables
        with self._learning:
            if self._copy is None or self._copy[0] != self._version:
                asarray = namespace(array).asarray
                lengths, becomes, properties, expansions = map(asarray, tables)
                self._copy = self._version, (lengths, becomes, properties, expansions)
            return self._copy[1]

    def _normalise_natively(self, library: ctypes.CDLL, text: str) -> NormalText:
        octets, dtype = _encode(text)
        original = octets, np.dtype(dtype).itemsize, len(text)
        lengths, *_ = tables = [
            address(t) for t in (self._lengths, self._becomes, self._properties)
        ]
        codes, properties = np.empty(len(text), dtype), np.empty(len(text), np.uint8)
        result = address(codes), address(properties)
        if library.pointsman_replace(*tables, *original, *result):
            return NormalText(codes, properties, None, len(text))
        length = library.pointsman_normal_length(lengths, *original)
        if length < 0:
            self._learn(np.unique(np.frombuffer(octets, dtype)))
            return self._normalise_natively(library, text)
        codes, properties = np.empty(length, dtype), np.empty(length, np.uint8)
        source = np.empty(length, np.int32)
        result = address(codes), address(properties)
        library.pointsman_expand(
            *tables, address(self._expansions), *original, *result, address(source)
        )
        return NormalText(codes, properties, source, len(text))

    def _learn(self, codes: npt.NDArray[Any]) -> None:
        with self._learning:
            codes = codes[self._lengths[codes] == _UNSEEN]
            for first in range(0, len(codes), _BATCH):
                self._learn_batch([chr(code) for code in codes[first : first + _BATCH].tolist()])

    def _learn_batch(self, characters: list[str]) -> None:
        normal = self._normalise_each(characters)
        # A CJK ideograph gets a space on either side: it is a word alone.
        bare = [text if len(text) < 2 else text.strip(" ") for text in normal]
        kinds = self._kinds_of([text[:1] for text in bare])
        codes = np.fromiter(map(ord, characters), np.int64, len(characters))
        lengths = np.fromiter(map(len, bare), np.uint8, len(bare))
        becomes = np.zeros(len(characters), np.uint32)
        single = np.flatnonzero(lengths == 1)
        becomes[single] = [ord(bare[i]) for i in single.tolist()]
        expansions: list[int] = []
        for i in np.flatnonzero(lengths > 1).tolist():
            becomes[i] = len(self._expansions) + len(expansions)
            expansions.extend(map(ord, bare[i]))
        kinds[lengths != np.fromiter(map(len, normal), np.int64, len(normal))] = PUNCTUATION
        is_word = kinds == WORD
        kinds[is_word & np.fromiter(map(str.islower, characters), np.bool_, len(kinds))] |= LOWER
        kinds[is_word & np.fromiter(map(str.isdigit, characters), np.bool_, len(kinds))] |= DIGIT
        for i in np.flatnonzero(~is_word).tolist():
            if kinds[i] == PUNCTUATION and characters[i].isalnum():
                kinds[i] = IDEOGRAPH
            kinds[i] |= _flags(characters[i])
        if expansions:
            added = np.array(expansions, np.uint32)
            self._expansions = np.concatenate([self._expansions, added])
        self._becomes[codes] = becomes
        self._properties[codes] = kinds
        # Last, so that another thread never sees a length without the rest.
        self._lengths[codes] = lengths
        self._version += 1

    def _kinds_of(self, texts: list[str]) -> npt.NDArray[np.uint8]:
        """SPACE, WORD or PUNCTUATION for each of some texts of at most one character, uint8 [N]."""
        # Each follows a letter: one that joins it is of a word, one that stands apart is
        # punctuation, one in no piece is white space. Nothing at all counts as of a word.
        probes = "".join(["a" + (text or "a") for text in texts]) + "a"
        kinds = np.full(len(probes), SPACE, np.uint8)
        for _, (start, end) in self._pre_tokenizer.pre_tokenize_str(probes):
            kinds[start:end] = PUNCTUATION if end == start + 1 else WORD
        return kinds[1::2].copy()

    def _normalise_each(self, characters: list[str]) -> list[str]:
        if self._normalizer is None:
            return characters
        joined = self._normalizer.normalize_str(_MARK + _MARK.join(characters) + _MARK)
        normal: list[str] = joined.split(_MARK)[1:-1]
        if len(normal) != len(characters):  # the mark is among them
            normal = [self._normalizer.normalize_str(character) for character in characters]
        return normal


def _encode(text: str) -> tuple[bytes, type[np.uint8] | type[np.uint32]]:
    """Code points of a text, of one octet each if it is ASCII."""
    if text.isascii():
        return text.encode("ascii"), np.uint8
    return text.encode("utf-32-le"), np.uint32


def _flags(character: str) -> int:
    if character in _NEWLINES:
        return NEWLINE
    if character in _FULL_STOPS:
        return FULL_STOP
    if character in _STOPS:
        return STOP
    return CLOSER if character in _CLOSERS else 0
