"""Counts and encodes tokens from a tokenizer.json, without tokenising what will be dropped.

Normalising, splitting and numbering run on any device. WordPiece reads strings: of the distinct
words, and of those kept, on the host.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tokenizers

from pointsman_backends.compressor import native
from pointsman_backends.compressor.characters import CharacterTable
from pointsman_backends.compressor.native import address
from pointsman_backends.compressor.placement import CPU, Device, namespace
from pointsman_backends.compressor.rows import owners
from pointsman_backends.compressor.word_cache import WordCache
from pointsman_backends.compressor.wordpiece import PieceTrie
from pointsman_backends.compressor.words import Hasher, Words, split_words

__all__ = ["TokenizedText", "Tokenizer"]

_SALT = np.uint64(0x9E3779B97F4A7C15)
_LONG = 24  # characters up to which the library's own count is the faster one


class TokenizedText(Protocol):
    """The tokens of one text, by word: a dataclass, which ``Device.put`` moves.

    Attributes:
        words: The text's U words.
        counts: Tokens of each word, int32 [U].
    """

    @property
    def words(self) -> Words: ...  # noqa: D102 (above)

    @property
    def counts(self) -> npt.NDArray[np.int32]: ...  # noqa: D102 (above)

    def encode(
        self, words: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Encode the words of these indices (ascending), where the text is.

        Returns:
            Token ids, int64 [K], and [start, end) of each in the original text, int32 [K, 2].
        """


class Tokenizer:
    """One tokenizer.json, ready to count.

    With BERT's normaliser, pre-tokenizer and WordPiece the tokens of a text are those of its
    words, so each distinct word is counted once, by a look-up if the vocabulary holds it; such a
    tokenizer never sees text that is dropped. Any other tokenizer encodes the whole text: slower,
    and as exact.

    Special tokens spelt out in a text ("[SEP]") are text.

    Args:
        path: The tokenizer.json.
        seed: For the hashes of words; None draws a secret one.

    Attributes:
        prefix: Ids that begin every sequence, int64 [P].
        suffix: Ids that end every sequence, int64 [Q].
        vocabulary: What words the entries of its vocabulary are.

    Raises:
        ValueError: The file is missing or is no tokenizer.
    """

    def __init__(self, path: Path, seed: int | None = None) -> None:
        try:
            tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception
            raise ValueError(f"cannot load the tokenizer {path}: {error}") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        probe = tokenizer.encode("a")
        text = [i for i, special in enumerate(probe.special_tokens_mask) if not special]
        ids = np.array(probe.ids, np.int64)
        self.prefix = ids[: text[0]]
        self.suffix = ids[text[-1] + 1 :]
        normalizer, splitter = tokenizer.normalizer, tokenizer.pre_tokenizer
        self._is_wordpiece = (
            isinstance(tokenizer.model, tokenizers.models.WordPiece)
            and isinstance(normalizer, tokenizers.normalizers.BertNormalizer)
            and isinstance(splitter, tokenizers.pre_tokenizers.BertPreTokenizer)
            and all(added.special for added in tokenizer.get_added_tokens_decoder().values())
        )
        if self._is_wordpiece:
            self._longest = int(tokenizer.model.max_input_chars_per_word)
        else:  # words still are what sentences are compared by
            normalizer = tokenizers.normalizers.BertNormalizer()
            splitter = tokenizers.pre_tokenizers.BertPreTokenizer()
            self._longest = 100
        self._characters = CharacterTable(normalizer, splitter)
        self._hasher = Hasher(self._longest, seed)
        vocabulary = tokenizer.get_vocab()
        self.vocabulary = self._split(" ".join(sorted(vocabulary)))
        if self._is_wordpiece:
            self._wordpiece = self._load_wordpiece(tokenizer.get_vocab(with_added_tokens=False))

    def read(self, text: str, device: Device = CPU) -> TokenizedText:
        """Split a text (without lone surrogates) into words and count their tokens, on a device."""
        words = self._split(text, device)
        if self._is_wordpiece:
            return _WordPieceText(
                words, _of_all(words, self._wordpiece.count(words)), self._wordpiece
            )
        return _encoded(self._tokenizer, text, words)

    def hash(self, strings: list[str]) -> npt.NDArray[np.uint64]:
        """Hash strings that are one word each as ``Words.distinct`` does; ascending, uint64 [N]."""
        words = self._split("\n".join(strings))
        hashes = words.distinct[words.which]
        if len(hashes) != len(strings):
            raise ValueError("each string must be one word")
        hashes.sort()
        return hashes

    def _load_wordpiece(self, pieces: dict[str, int]) -> _WordPiece | _NativeWordPiece:
        model = self._tokenizer.model
        unknown = pieces.get(model.unk_token)
        if native.library is None or unknown is None:
            return _WordPiece(model, pieces, self.vocabulary, self._hasher, self._longest)
        prefix = model.continuing_subword_prefix
        trie = PieceTrie(native.library, pieces, prefix, unknown)
        return _NativeWordPiece(trie, self.vocabulary)

    def _split(self, text: str, device: Device = CPU) -> Words:
        return split_words(self._characters.normalise(text, device), self._hasher, self._longest)


class _WordPiece:
    """Token counts of words, for the vocabulary and for words met before."""

    def __init__(
        self,
        model: tokenizers.models.WordPiece,
        vocabulary: dict[str, int],
        first: Words,
        hasher: Hasher,
        longest: int,
    ) -> None:
        self._model = model
        self._ids = vocabulary
        pieces = [piece for piece in vocabulary if len(piece) <= longest]
        self._matcher = _LongestMatch(hasher, pieces, model.continuing_subword_prefix)
        self._counts = WordCache(self._count, first)

    def encode(
        self, words: Words, which: npt.NDArray[np.int64], _: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Ids, starts and ends in the normalised text of the tokens of some words, int64 [K]."""
        word_starts = words.starts[which]
        seen: dict[str, list[tuple[int, int]]] = {}
        ids: list[int] = []
        ends: list[int] = []
        firsts: list[int] = []
        for word, start in zip(words.strings(which), word_starts.tolist(), strict=True):
            tokens = seen.get(word)
            if tokens is None:
                tokens = seen[word] = self._tokenize(word)
            firsts.append(len(ids))
            for token, length in tokens:
                ids.append(token)
                ends.append(start + length)
        after = np.array(ends, np.int64)
        before = np.empty_like(after)
        before[1:] = after[:-1]
        before[firsts] = word_starts
        return np.array(ids, np.int64), before, after

    def _tokenize(self, word: str) -> list[tuple[int, int]]:
        """Id and end (in characters of the word) of each token of a word."""
        whole = self._ids.get(word)
        if whole is not None:
            return [(whole, len(word))]
        tokens = self._model.tokenize(word)
        if word.isascii():
            return [(token.id, token.offsets[1]) for token in tokens]
        # The model's offsets count UTF-8 octets.
        octets = itertools.accumulate((len(character.encode()) for character in word), initial=0)
        at = {octet: i for i, octet in enumerate(octets)}
        return [(token.id, at[token.offsets[1]]) for token in tokens]

    def count(self, words: Words) -> npt.NDArray[np.int32]:
        """Tokens of each of ``words.distinct``, int32 [V]."""
        (counts,) = self._counts.look_up(words)
        return counts.astype(np.int32)

    def _count(self, words: Words, which: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int16]]:
        starts, ends = words.starts[which], words.ends[which]
        counts = np.empty(len(starts), np.int16)
        long = ends - starts > _LONG
        if long.any():
            counts[long] = self._matcher.count(words.normal.codes, starts[long], ends[long])
        tokenize = self._model.tokenize
        counts[~long] = [len(tokenize(word)) for word in words.strings(which[~long])]
        return (counts,)


class _NativeWordPiece:
    """The same by the native library, which is fast enough not to learn words."""

    def __init__(self, trie: PieceTrie, first: Words) -> None:
        self._trie = trie
        self._counts = WordCache(
            lambda words, which: (trie.count(words, which),), first, learns=False
        )

    def count(self, words: Words) -> npt.NDArray[np.int32]:
        (counts,) = self._counts.look_up(words)
        return counts

    def encode(
        self, words: Words, which: npt.NDArray[np.int64], counts: npt.NDArray[np.int32]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        return self._trie.encode(words, which, counts)


class _LongestMatch:
    """Counts WordPiece tokens of many words at once.

    WordPiece takes again and again the longest piece of the vocabulary that a word goes on with.
    Here that piece is found for all positions of all words together, one character longer at a
    time, for as long as some piece begins like it; then all words are walked together.

    The library tries all lengths down from the rest of the word and makes a string of each: fast
    for short words, but 1 ms for one of 100 characters, and many seconds for 2 MB of them.

    Args:
        hasher: Hashes the pieces.
        pieces: The vocabulary.
        prefix: Marks the pieces that continue a word ("##").
    """

    def __init__(self, hasher: Hasher, pieces: list[str], prefix: str) -> None:
        self._hasher = hasher
        hashes: list[npt.NDArray[np.uint64]] = []
        whole: list[npt.NDArray[np.bool_]] = []
        inner = [piece[len(prefix) :] for piece in pieces if piece.startswith(prefix)]
        outer = [piece for piece in pieces if not piece.startswith(prefix)]
        for begins, bare in ((False, inner), (True, outer)):
            text = "".join(bare)
            codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
            sizes = np.fromiter(map(len, bare), np.int64, len(bare))
            ends = np.cumsum(sizes)
            starts = ends - sizes
            for first, last in hasher.blocks(starts):
                origin = starts[first]
                sums = hasher.sums(codes[origin : ends[last - 1]])
                position = np.arange(len(sums) - 1)
                start = np.repeat(starts[first:last] - origin, sizes[first:last])
                hashes.append(_salted(hasher.span(sums, start, position + 1), begins))
                whole.append(
                    position + 1 == np.repeat(ends[first:last] - origin, sizes[first:last])
                )
        every = np.concatenate(hashes)
        order = np.argsort(every)
        every = every[order]
        first_of = np.flatnonzero(np.append(True, every[1:] != every[:-1]))
        self._beginnings = every[first_of]
        self._is_piece = np.logical_or.reduceat(np.concatenate(whole)[order], first_of)

    def count(
        self, codes: npt.NDArray[Any], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int16]:
        """Tokens of each of the words [starts, ends) of ``codes``, int16 [N]."""
        sizes = ends - starts
        word_starts = np.cumsum(sizes) - sizes
        from_start = np.arange(int(sizes.sum())) - np.repeat(word_starts, sizes)
        gathered = codes[np.repeat(starts, sizes) + from_start]
        counts = np.empty(len(starts), np.int16)
        for first, last in self._hasher.blocks(word_starts):
            origin = word_starts[first]
            at = word_starts[first:last] - origin
            end = at + sizes[first:last]
            counts[first:last] = self._walk(
                at, end, self._match(gathered[origin : origin + end[-1]], at, sizes[first:last])
            )
        return counts

    def _match(
        self, codes: npt.NDArray[Any], starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """Length of the longest piece at each character, 0 for none, int32 [len(codes)]."""
        sums = self._hasher.sums(codes)
        longest = np.zeros(len(codes), np.int32)
        begins = np.zeros(len(codes), np.bool_)
        begins[starts] = True
        at = np.arange(len(codes))
        end = np.repeat(starts + sizes, sizes)
        length = 0
        while len(at):
            length += 1
            hashes = _salted(self._hasher.span(sums, at, at + length), begins[at])
            slot = np.searchsorted(self._beginnings, hashes)
            slot[slot == len(self._beginnings)] = 0
            found = self._beginnings[slot] == hashes
            at, slot = at[found], slot[found]
            longest[at[self._is_piece[slot]]] = length
            at = at[at + length < end[at]]
        return longest

    def _walk(
        self, at: npt.NDArray[np.int64], end: npt.NDArray[np.int64], longest: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int16]:
        counts = np.zeros(len(at), np.int16)
        walking = np.arange(len(at))
        at = at.copy()
        while len(walking):
            step = longest[at]
            counts[walking] += 1
            stuck = step == 0
            counts[walking[stuck]] = 1  # no piece fits: the whole word is one unknown token
            at += step
            going = ~stuck & (at < end)
            walking, at, end = walking[going], at[going], end[going]
        return counts


def _salted(
    hashes: npt.NDArray[np.uint64], begins: bool | npt.NDArray[np.bool_]
) -> npt.NDArray[np.uint64]:
    """Tell apart the pieces that begin a word from those that continue one."""
    salted: npt.NDArray[np.uint64] = hashes ^ (_SALT * begins)
    return salted


@dataclass(frozen=True)
class _WordPieceText:
    words: Words
    counts: npt.NDArray[np.int32]
    wordpiece: _WordPiece | _NativeWordPiece

    def encode(
        self, words: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        counts = self.counts[words]
        alone, which = self.words.on_host(words)
        ids, starts, ends = self.wordpiece.encode(alone, which, CPU.put(counts))
        if alone is not self.words:
            # From where each word is by itself to where it is in the text.
            xp = namespace(counts)
            ids, starts, ends = (xp.asarray(array) for array in (ids, starts, ends))
            token_word = owners(counts, len(ids))
            moved = (self.words.starts[words] - xp.asarray(alone.starts))[token_word]
            starts, ends = starts + moved, ends + moved
        normal = self.words.normal
        pairs = [normal.starts(starts), normal.ends(ends)]
        return ids, namespace(starts).column_stack(pairs)


def _of_all(words: Words, counts: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Tokens of every word, int32 [U], from those of the distinct ones; a mark is one token."""
    library = native.reads(words.starts)
    if library is None:
        xp = namespace(words.starts)
        of_all: npt.NDArray[np.int32] = xp.ones(len(words), np.int32)
        of_all[words.terms] = xp.asarray(counts)[words.which]
        return of_all
    of_all = np.empty(len(words), np.int32)
    library.pointsman_spread_counts(
        address(words.terms),
        address(words.which),
        len(words.terms),
        address(counts),
        len(words),
        address(of_all),
    )
    return of_all


@dataclass(frozen=True)
class _EncodedText:
    words: Words
    counts: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int32]
    word: npt.NDArray[np.int64]  # of each token

    def encode(
        self, words: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        chosen = namespace(words).zeros(len(self.words), np.bool_)
        chosen[words] = True
        kept = chosen[self.word]
        return self.ids[kept], self.offsets[kept]


def _encoded(tokenizer: tokenizers.Tokenizer, text: str, words: Words) -> _EncodedText:
    encoding = tokenizer.encode(text, add_special_tokens=False)
    xp = namespace(words.starts)
    ids = xp.asarray(np.array(encoding.ids, np.int64))
    offsets = xp.asarray(np.array(encoding.offsets, np.int32).reshape(-1, 2))
    # A token belongs to the last word that begins no later than it ends.
    starts = words.normal.starts(words.starts)
    last = xp.maximum(offsets[:, 1] - 1, offsets[:, 0])
    word = xp.maximum(xp.searchsorted(starts, last, "right") - 1, 0)
    counts = xp.bincount(word, minlength=len(words)).astype(np.int32)
    return _EncodedText(words, counts, ids, offsets, word)
