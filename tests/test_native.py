"""The compressor's native library returns what NumPy does, to the bit, for any text."""

from __future__ import annotations

import ctypes
import functools
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.models import WordPiece
from tokenizers.normalizers import NFKD, BertNormalizer
from tokenizers.normalizers import Sequence as Normalizers
from tokenizers.pre_tokenizers import BertPreTokenizer

from pointsman_backends.compressor import native
from pointsman_backends.compressor.characters import CharacterTable
from pointsman_backends.compressor.prepare import ABBREVIATIONS, _cut_into_windows, prepare
from pointsman_backends.compressor.tokenizer import Tokenizer
from pointsman_backends.compressor.word_cache import _find
from pointsman_backends.compressor.wordpiece import PieceTrie
from pointsman_backends.compressor.words import Hasher, Words, split_words
from tests.compressor_library import library

ROOT = Path(__file__).parents[1]
# Characters that mean something to some step, and all others.
TELLING = (
    " \t\r\n\x00\x07\x85\xa0\u2028\u2029.,!?;:()[]\"'-_@#/1907٣aBzÉßİıﬁ\u0301\u200d\ufeff"
    "中文字。！？؟।ไทยभाषा한국어👍🏽\U00020000"
)
anything = st.text(st.characters(exclude_categories=["Cs"]))
telling = st.text(st.sampled_from(TELLING))
words_of_few = st.text(st.sampled_from("ab .\n"), max_size=300)
pieces = st.sampled_from(
    [
        "a",
        "Wörter",
        "mr.",
        "x" * 300,
        "字" * 150,
        ". ",
        "…",
        "\r\n\r\n",
        "e\u0301" * 60,
        '!?") ',
        "1. ",
    ]
)
assembled = st.lists(pieces, max_size=60).map("".join)
subwords = st.text("esti anglobzx"[::-1], max_size=300)
texts = st.one_of(anything, telling, words_of_few, assembled)
HOSTILE = {
    "nothing": "",
    "one giant word": "x" * 100_000,
    "marks": "." * 100_000,
    "distinct words": " ".join(map(str, range(30_000))),
    "one word": "word " * 30_000,
    "ideographs": "".join(map(chr, range(0x4E00, 0x9FFF))),
    "astral": "\U0001f44d\U00020000 " * 20_000,
    "lone carriage returns": "a\r" * 30_000,
    "accents": "e" + "\u0301" * 50_000,
    "white space": " \t\n" * 30_000,
}


@pytest.fixture(autouse=True)
def _built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", library())


@functools.cache
def table() -> CharacterTable:
    return fresh()


def both(function: Callable[[], Any]) -> tuple[Any, Any]:
    """What a function returns with the library, and without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "library", library())
        natively = function()
        patch.setattr(native, "library", None)
        return natively, function()


def assert_same(left: Any, right: Any) -> None:
    """Compare dataclasses of arrays: types, shapes, every bit."""
    assert type(left) is type(right)
    for field in fields(left):
        one, other = getattr(left, field.name), getattr(right, field.name)
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype, field.name
            assert one.shape == other.shape, field.name
            assert one.tobytes() == other.tobytes(), field.name


def assert_same_characters(text: str, some: CharacterTable) -> None:
    assert_same(*both(lambda: some.normalise(text)))
    assert_same(*both(lambda: fresh().normalise(text)))


def fresh() -> CharacterTable:
    """A table that has seen ASCII alone."""
    return CharacterTable(BertNormalizer(), BertPreTokenizer())


@given(texts)
def test_characters(text: str) -> None:
    assert_same_characters(text, table())


@given(st.text("ab é\x00ﬁ㎏½中"))
def test_characters_that_become_many(text: str) -> None:
    normalizer = Normalizers([NFKD(), BertNormalizer(strip_accents=False)])
    assert_same_characters(text, CharacterTable(normalizer, BertPreTokenizer()))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_characters_of_hostile_texts(text: str) -> None:
    assert_same_characters(text, table())


def test_threads_share_a_table() -> None:
    """Each thread meets characters that the others are learning."""
    texts = ["".join(map(chr, range(start, 0x3400, 7))) for start in range(0x20, 0x27)] * 4
    expected = [fresh().normalise(text) for text in texts]
    some = fresh()
    with ThreadPoolExecutor(8) as pool:
        for natively, one in zip(pool.map(some.normalise, texts), expected, strict=True):
            assert_same(natively, one)


def split(text: str, longest: int = 100) -> tuple[Words, Words]:
    hasher = Hasher(longest, seed=7)
    natively, by_numpy = both(lambda: split_words(table().normalise(text), hasher, longest))
    return natively, by_numpy


@given(texts, st.sampled_from([1, 3, 100]))
def test_words(text: str, longest: int) -> None:
    assert_same(*split(text, longest))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_words_of_hostile_texts(text: str) -> None:
    assert_same(*split(text))


@given(
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 50), max_size=200),
    st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 50), max_size=60),
    st.sampled_from([1, 100]),
)
def test_hashes_are_found(known: list[int], sought: list[int], times: int) -> None:
    hashes = np.unique(np.array(known * times, np.uint64))
    hashes = np.unique(np.concatenate([hashes, hashes + np.uint64(times)]))
    queries = np.unique(np.array(sought + known[:3], np.uint64))
    natively, by_numpy = both(lambda: _find(hashes, queries))
    assert natively.dtype == by_numpy.dtype
    assert natively.tolist() == by_numpy.tolist()


OFFSETS = st.lists(st.integers(0, 400), max_size=5)


@functools.cache
def tokenizers_() -> tuple[Tokenizer, Tokenizer]:
    """The shipped tokenizer with the library, and without."""
    path = ROOT / "model_repository" / "encoder" / "1" / "tokenizer.json"
    natively, by_numpy = both(lambda: Tokenizer(path, seed=7))
    return natively, by_numpy


def assert_same_sentences(text: str, offsets: Sequence[int]) -> None:
    messages = np.array(sorted({0, *(offset for offset in offsets if offset <= len(text))}))
    tokenizer = tokenizers_()[0]
    tokenized = tokenizer.read(text)
    if not len(tokenized.words):
        return
    abbreviations = tokenizer.hash(ABBREVIATIONS.split())
    for known in (abbreviations, abbreviations[:0], None):
        natively, by_numpy = both(lambda known=known: prepare(tokenized, messages, known))
        assert_same(natively, by_numpy)
        for name in ("data", "indices", "indptr"):
            one, other = getattr(natively.terms, name), getattr(by_numpy.terms, name)
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()


@given(texts, OFFSETS)
def test_sentences(text: str, offsets: list[int]) -> None:
    assert_same_sentences(text, offsets)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_sentences_of_hostile_texts(text: str) -> None:
    assert_same_sentences(text, [0, 50, 51, 52, 1000])


@given(
    st.lists(st.sampled_from([0, 1, 1, 2, 3, 40, 127, 128, 129, 300]), min_size=1, max_size=300),
    st.data(),
)
def test_windows(counts: list[int], data: st.DataObject) -> None:
    """Words of any number of tokens, as tokenizers of other kinds have."""
    begins = data.draw(st.sets(st.integers(1, len(counts)), max_size=4)) - {len(counts)}
    starts = np.array(sorted({0, *begins}), np.int64)
    numbers = np.array(counts, np.int32)
    tokens = np.add.reduceat(numbers, starts, dtype=np.int64)
    natively, by_numpy = both(lambda: _cut_into_windows(numbers, starts, tokens))
    for one, other in zip(natively, by_numpy, strict=True):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


def assert_same_tokens(text: str, step: int) -> None:
    natively, by_numpy = (tokenizer.read(text) for tokenizer in tokenizers_())
    assert natively.counts.dtype == by_numpy.counts.dtype
    assert natively.counts.tolist() == by_numpy.counts.tolist()
    some = np.arange(0, len(natively.words), step)
    for one, other in zip(natively.encode(some), by_numpy.encode(some), strict=True):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


@given(st.one_of(texts, subwords), st.integers(1, 3))
def test_tokens(text: str, step: int) -> None:
    assert_same_tokens(text, step)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_tokens_of_hostile_texts(text: str) -> None:
    assert_same_tokens(text, 97)


@given(
    st.sets(st.text("ab1é#\U00020000", min_size=1, max_size=4), max_size=40),
    st.text("ab1é \U00020000", max_size=60),
    st.sampled_from(["##", "#", "a"]),
)
def test_other_vocabularies(pieces: set[str], text: str, prefix: str) -> None:
    """The library against the tokenizer's own model, with pieces that no one would train."""
    vocabulary = {piece: i for i, piece in enumerate(["[UNK]", *sorted(pieces)])}
    model = WordPiece(
        vocabulary,
        unk_token="[UNK]",
        max_input_chars_per_word=5,
        continuing_subword_prefix=prefix,
    )
    trie = PieceTrie(library(), vocabulary, prefix, 0)
    words = split_words(CharacterTable(None, BertPreTokenizer()).normalise(text), Hasher(5, 3), 5)
    every = np.arange(len(words))
    counts = trie.count(words, every)
    ids, starts, ends = trie.encode(words, every, counts)
    backwards = trie.encode(words, every[::-1].copy(), counts[::-1].copy())[0]
    assert sorted(backwards.tolist()) == sorted(ids.tolist())
    of_model = [model.tokenize(word) for word in words.strings(every)]
    assert counts.tolist() == [len(tokens) for tokens in of_model]
    assert ids.tolist() == [token.id for tokens in of_model for token in tokens]
    spans = [
        (
            len(word.encode()[: token.offsets[0]].decode()),
            len(word.encode()[: token.offsets[1]].decode()),
        )
        for word, tokens in zip(words.strings(every), of_model, strict=True)
        for token in tokens
    ]
    begins = np.repeat(words.starts, counts)
    assert list(zip((starts - begins).tolist(), (ends - begins).tolist(), strict=True)) == spans


# --- the library ------------------------------------------------------------------------------


def compile_library(folder: Path, source: str) -> Path:
    (folder / "library.c").write_text(source)
    path = folder / native.NAME
    subprocess.run(["cc", "-shared", "-o", str(path), str(folder / "library.c")], check=True)
    return path


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("long pointsman_compressor_version(void) { return 999; }", "version 999"),
        ("int x;", "pointsman_compressor_version"),
    ],
)
def test_another_library_is_refused(
    source: str, told: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = compile_library(tmp_path, source)
    with caplog.at_level(logging.INFO):
        assert native.load([str(path)]) is None
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert told in caplog.text


def test_a_damaged_library_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / native.NAME
    path.write_bytes(b"not a library")
    with caplog.at_level(logging.INFO):
        assert native.load([str(path)]) is None
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "is refused" in caplog.text


def test_a_missing_library_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert native.load([str(tmp_path / native.NAME)]) is None
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_the_first_good_one_is_taken(tmp_path: Path) -> None:
    bad = compile_library(tmp_path, "long pointsman_compressor_version(void) { return 999; }")
    good = library()._name
    found = native.load([str(bad), good])
    assert found is not None
    assert found._name == good


def test_it_is_found_through_the_environment(tmp_path: Path) -> None:
    compile_library(tmp_path, "long pointsman_compressor_version(void) { return 999; }")
    done = subprocess.run(
        [sys.executable, "-c", "from pointsman_backends.compressor import native"],
        env={"LD_LIBRARY_PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "version 999" in done.stderr


def test_an_array_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="one after the other"):
        native.address(np.arange(10)[::2])


def test_want_of_memory_is_told() -> None:
    with pytest.raises(MemoryError):
        native.check(-1)
    assert native.check(3) == 3
    assert isinstance(library(), ctypes.CDLL)
