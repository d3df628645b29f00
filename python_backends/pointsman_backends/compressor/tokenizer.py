"""Counts and encodes tokens from a tokenizer.json, without tokenising what will be dropped."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import tokenizers

from pointsman_backends.compressor.characters import CharacterTable
from pointsman_backends.compressor.words import Hasher, Words, split_words

__all__ = ["TokenizedText", "Tokenizer"]

_LEARNED = 1 << 16  # words outside the vocabulary whose count is remembered


class TokenizedText(Protocol):
    """The tokens of one text, by word.

    Attributes:
        words: The text's U words.
        counts: Tokens of each word, int32 [U].
    """

    words: Words
    counts: npt.NDArray[np.int32]

    def encode(
        self, words: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Encode the words of these indices (ascending).

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
        if self._is_wordpiece:
            self._wordpiece = _WordPiece(tokenizer.model, self._vocabulary())

    def read(self, text: str) -> TokenizedText:
        """Split a text (without lone surrogates) into words and count their tokens."""
        words = split_words(self._characters.normalise(text), self._hasher, self._longest)
        if self._is_wordpiece:
            return _WordPieceText(self._wordpiece, words)
        return _EncodedText(self._tokenizer, text, words)

    def hash(self, strings: list[str]) -> npt.NDArray[np.uint64]:
        """Hash strings that are one word each, as ``Words.distinct`` does, uint64 [N]."""
        normal = self._characters.normalise("\n".join(strings))
        words = split_words(normal, self._hasher, self._longest)
        hashes = words.distinct[words.which]
        if len(hashes) != len(strings):
            raise ValueError("each string must be one word")
        return hashes

    def _vocabulary(self) -> npt.NDArray[np.uint64]:
        # An entry counts if a text can hold it: it is its own normal form, and one word.
        entries = list(self._tokenizer.get_vocab(with_added_tokens=False))
        entries = [entry for entry in entries if entry.split() == [entry]]
        normal = self._characters.normalise(" ".join(entries)).text.split(" ")
        entries = [e for e, n in zip(entries, normal, strict=True) if e == n]
        words = split_words(
            self._characters.normalise(" ".join(entries)), self._hasher, self._longest
        )
        padded = np.full(len(words.normal.codes) + 2, ord(" "), np.uint32)
        padded[1:-1] = words.normal.codes
        starts, ends = words.starts[words.terms], words.ends[words.terms]
        whole = (padded[starts] == ord(" ")) & (padded[ends + 1] == ord(" "))
        hashes: npt.NDArray[np.uint64] = np.unique(words.distinct[words.which[whole]])
        return hashes


class _WordPiece:
    """Token counts of words, for the vocabulary and for words met before."""

    def __init__(
        self, model: tokenizers.models.WordPiece, vocabulary: npt.NDArray[np.uint64]
    ) -> None:
        self._model = model
        self._vocabulary = vocabulary, np.ones(len(vocabulary), np.int16)
        self._known = self._vocabulary

    def tokenize(self, word: str) -> list[tuple[int, int]]:
        """Id and end (in characters of the word) of each token of a word."""
        tokens = self._model.tokenize(word)
        if word.isascii():
            return [(token.id, token.offsets[1]) for token in tokens]
        # The model's offsets count UTF-8 octets.
        octets = itertools.accumulate((len(character.encode()) for character in word), initial=0)
        at = {octet: i for i, octet in enumerate(octets)}
        return [(token.id, at[token.offsets[1]]) for token in tokens]

    def count(self, words: Words) -> npt.NDArray[np.int32]:
        """Tokens of each of ``words.distinct``, int32 [V]."""
        hashes, known = self._known
        at = np.searchsorted(hashes, words.distinct)
        at[at == len(hashes)] = 0
        found = hashes[at] == words.distinct
        counts = known[at].astype(np.int32)
        unknown = np.flatnonzero(~found)
        if len(unknown):
            examples = words.examples[unknown]
            text = words.normal.text
            spans = zip(words.starts[examples].tolist(), words.ends[examples].tolist(), strict=True)
            tokenize = self._model.tokenize
            new = np.fromiter((len(tokenize(text[s:e])) for s, e in spans), np.int16, len(unknown))
            counts[unknown] = new
            self._learn(words.distinct[unknown], new)
        return counts

    def _learn(self, hashes: npt.NDArray[np.uint64], counts: npt.NDArray[np.int16]) -> None:
        known = self._known
        if len(known[0]) + len(hashes) > len(self._vocabulary[0]) + _LEARNED:
            known = self._vocabulary  # full: forget, and begin again
            hashes, counts = hashes[:_LEARNED], counts[:_LEARNED]
        hashes, at = np.unique(hashes, return_index=True)
        counts = counts[at]
        at = np.searchsorted(known[0], hashes)
        # One assignment, so that another thread sees the old pair or the new one.
        self._known = np.insert(known[0], at, hashes), np.insert(known[1], at, counts)


class _WordPieceText:
    def __init__(self, wordpiece: _WordPiece, words: Words) -> None:
        self.words = words
        self._wordpiece = wordpiece
        self.counts = np.ones(len(words), np.int32)  # a punctuation mark is one token
        self.counts[words.terms] = wordpiece.count(words)[words.which]

    def encode(
        self, words: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        text = self.words.normal.text
        starts = self.words.starts[words].tolist()
        ends = self.words.ends[words].tolist()
        seen: dict[str, list[tuple[int, int]]] = {}
        ids: list[int] = []
        token_ends: list[int] = []
        firsts: list[int] = []
        for start, end in zip(starts, ends, strict=True):
            word = text[start:end]
            tokens = seen.get(word)
            if tokens is None:
                tokens = seen[word] = self._wordpiece.tokenize(word)
            firsts.append(len(ids))
            for token, length in tokens:
                ids.append(token)
                token_ends.append(start + length)
        after = np.array(token_ends, np.int32)
        before = np.empty_like(after)
        before[1:] = after[:-1]
        before[firsts] = starts
        normal = self.words.normal
        return np.array(ids, np.int64), np.column_stack([normal.starts(before), normal.ends(after)])


class _EncodedText:
    def __init__(self, tokenizer: tokenizers.Tokenizer, text: str, words: Words) -> None:
        self.words = words
        encoding = tokenizer.encode(text, add_special_tokens=False)
        self._ids = np.array(encoding.ids, np.int64)
        self._offsets = np.array(encoding.offsets, np.int32).reshape(-1, 2)
        # A token belongs to the last word that begins no later than it ends.
        starts = words.normal.starts(words.starts)
        last = np.maximum(self._offsets[:, 1] - 1, self._offsets[:, 0])
        self._word = np.maximum(np.searchsorted(starts, last, "right") - 1, 0)
        self.counts = np.bincount(self._word, minlength=len(words)).astype(np.int32)

    def encode(
        self, words: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        chosen = np.zeros(len(self.words), np.bool_)
        chosen[words] = True
        kept = chosen[self._word]
        return self._ids[kept], self._offsets[kept]
