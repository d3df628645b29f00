"""The compressor's native library returns what NumPy does, to the bit, for any text."""

from __future__ import annotations

import ctypes
import functools
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from pointsman_backends.compressor import native
from pointsman_backends.compressor.characters import CharacterTable
from pointsman_backends.compressor.words import Hasher, Words, split_words
from tests.compressor_library import library

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
    return CharacterTable(BertNormalizer(), BertPreTokenizer())


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
    assert "cannot be loaded" in caplog.text


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
    assert "is of version 999" in done.stderr


def test_an_array_with_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="one after the other"):
        native.address(np.arange(10)[::2])


def test_want_of_memory_is_told() -> None:
    with pytest.raises(MemoryError):
        native.check(-1)
    assert native.check(3) == 3
    assert isinstance(library(), ctypes.CDLL)
