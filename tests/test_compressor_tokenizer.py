"""Token counts, ids and places, against the tokenizer itself."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import tokenizers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pointsman_backends.compressor import Tokenizer

PATH = Path(__file__).parent.parent / "model_repository" / "encoder" / "1" / "tokenizer.json"
LONGEST = 100  # WordPiece reads a longer word as one unknown token; we cut it

tokenizer = Tokenizer(PATH, seed=1)
real = tokenizers.Tokenizer.from_file(str(PATH))
real.encode_special_tokens = True

SAMPLES = [
    "Plain words, and marks: don't stop—ever… (really) [SEP] [MASK] [UNK] [PAD] ##ing",
    "line\r\nline\rline\n\n\tindented\x0b\x0c\x85\u2028\u2029end\u00a0\u3000.",
    "NUL\x00inside, \x00, \ufffd, \ufeffBOM, zero\u200bwidth, soft\u00adhyphen",
    "José, Jose\u0301, ANGSTRÖM Å, İstanbul, ΟΔΥΣΣΕΥΣ, straße, ﬁne, ǅ, \u0344",
    "中文没有空格。日本語もカタカナも。한국어 문장은 자모로 나뉜다. 豈\u0301",
    "ภาษาไทยไม่เว้นวรรค हिन्दी में क्या है? اللُّغَةُ العَرَبِيَّة؟ עִבְרִית ქართული",
    "👨‍👩‍👧 family, 🏳️‍🌈 flag, 🇩🇪, 👍🏽, 𝕏 𝔘𝔫𝔦, 𠀀𪛖, e\U000e0041",
    "\u302e\u302fa\u302f\u302e \U0001d165\U0001d16d x\U0001d15e",
    "x = {'key': [1, 2.5e-3]}  # comment\n\tif a_b>=c && d!=e: return `f`\n",
    "https://example.com/a?b=c&d=%20#e user@host 2001:db8::1 C:\\dir\\file.txt",
]
# Characters of every kind, much likelier to meet than in text of all code points.
PIECES = st.sampled_from(
    [
        *"aZ7 .\n\r\t\x00_'É中が가\u0301\u200d\u00ad‘。!ßİ🙂𝕏ก\u0e31\u302e",
        "the",
        "##s",
        "[SEP]",
        "antidisest",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(PIECES, max_size=60).map("".join),
    st.lists(st.sampled_from(SAMPLES), max_size=3).map("\n".join),
)


def has_giant_word(text: str) -> bool:
    normal = real.normalizer.normalize_str(text)
    return any(len(piece) > LONGEST for piece, _ in real.pre_tokenizer.pre_tokenize_str(normal))


def check(text: str) -> None:
    expected = real.encode(text, add_special_tokens=False)
    got = tokenizer.read(text)
    assert int(got.counts.sum()) == len(expected.ids)
    ids, offsets = got.encode(np.arange(len(got.words)))
    assert ids.tolist() == expected.ids
    if any(unicodedata.combining(c) and unicodedata.category(c) != "Mn" for c in text):
        return  # decomposition reorders such marks, and the library misplaces what was reordered
    for (start, end), (real_start, real_end) in zip(
        offsets.tolist(), expected.offsets, strict=True
    ):
        assert start == real_start
        # We count to a token what normalisation drops after it (an accent, a joiner).
        assert real_end <= end <= len(text)
        assert real.normalizer.normalize_str(text[real_end:end]) == ""


@given(TEXTS)
@settings(max_examples=400, deadline=None)
@example("\n".join(SAMPLES))
@example("")
@example("\u0301")
def test_any_text_reads_as_the_tokenizer_reads_it(text: str) -> None:
    if not has_giant_word(text):
        check(text)


@pytest.mark.parametrize("text", SAMPLES)
def test_samples_read_as_the_tokenizer_reads_them(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    ("first", "last"),
    [(0x0, 0x3100), (0xA000, 0xAC00), (0xD7B0, 0xD800), (0xE000, 0x11000), (0x1D000, 0x1FC00)],
)
def test_every_character_reads_as_the_tokenizer_reads_it(first: int, last: int) -> None:
    check("".join(f"a{chr(code)}b {chr(code)} " for code in range(first, last)))


@pytest.mark.parametrize("letter", ["a", "é", "ж", "ก", "가", "🙂"])
@pytest.mark.parametrize("length", [99, 100, 101, 250, 1000])
def test_giant_words_are_cut_and_read(letter: str, length: int) -> None:
    text = f"see {letter * length} here"
    normal = real.normalizer.normalize_str(letter * length)
    pieces = [normal[i : i + LONGEST] for i in range(0, len(normal), LONGEST)]
    expected = [
        i
        for piece in ["see", *pieces, "here"]
        for i in real.encode(piece, add_special_tokens=False).ids
    ]
    got = tokenizer.read(text)
    ids, offsets = got.encode(np.arange(len(got.words)))
    assert ids.tolist() == expected
    assert int(got.counts.sum()) == len(expected)
    # The pieces lie side by side: nothing of the word is skipped.
    inner = offsets[1:-1]
    assert inner[0, 0] == 4
    assert inner[-1, 1] == 4 + length
    assert (inner[1:, 0] <= inner[:-1, 1]).all()


def test_chosen_words_get_the_ids_they_have_in_the_whole_text() -> None:
    text = "\n".join(SAMPLES)
    got = tokenizer.read(text)
    all_ids, all_offsets = got.encode(np.arange(len(got.words)))
    chosen = np.arange(0, len(got.words), 3)
    ids, offsets = got.encode(chosen)
    mask = np.repeat(np.arange(len(got.words)) % 3 == 0, got.counts)
    assert ids.tolist() == all_ids[mask].tolist()
    assert offsets.tolist() == all_offsets[mask].tolist()


def test_counts_stay_exact_while_words_are_learned_and_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pointsman_backends.compressor.word_cache._LEARNED", 1000)
    fresh = Tokenizer(PATH, seed=2)
    for first in range(0, 3600, 600):
        text = " ".join(f"w{n:x}q" for n in range(first, first + 900))
        for _ in range(2):
            assert int(fresh.read(text).counts.sum()) == len(
                real.encode(text, add_special_tokens=False).ids
            )


@given(st.lists(st.text(st.sampled_from("abcdeinorst019é中が\u0301я"), min_size=20, max_size=100)))
@settings(max_examples=60, deadline=None)
def test_long_words_are_counted_as_the_tokenizer_counts_them(words: list[str]) -> None:
    check(" ".join(words))


def test_many_long_words_are_counted_as_the_tokenizer_counts_them() -> None:
    draw = np.random.default_rng(1)
    letters = list("abcdefghijklmnopqrstuvwxyz0123456789ß")
    check(" ".join("".join(draw.choice(letters, int(draw.integers(20, 101)))) for _ in range(900)))


def test_hashes_tell_words_apart_and_know_equal_ones() -> None:
    words = [f"{a}{b}" for a in "abcdefghij" for b in range(2000)]
    read = tokenizer.read(" ".join(words + words[::-1]))
    assert len(read.words.distinct) == len(words)
    assert (read.words.which[: len(words)] == read.words.which[len(words) :][::-1]).all()


def test_the_seed_changes_hashes_and_nothing_else() -> None:
    other = Tokenizer(PATH, seed=3)
    text = "\n".join(SAMPLES)
    a, b = tokenizer.read(text), other.read(text)
    assert a.counts.tolist() == b.counts.tolist()
    assert set(a.words.distinct.tolist()).isdisjoint(b.words.distinct.tolist())


def test_special_tokens_are_those_of_the_file() -> None:
    assert tokenizer.prefix.tolist() == [101]
    assert tokenizer.suffix.tolist() == [102]


def byte_level(path: Path) -> Path:
    model = tokenizers.Tokenizer(tokenizers.models.BPE())
    model.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "</s>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    model.train_from_iterator(SAMPLES, trainer)
    model.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    model.save(str(path))
    return path


@pytest.fixture(scope="session")
def bpe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return byte_level(tmp_path_factory.mktemp("bpe") / "tokenizer.json")


@pytest.mark.parametrize("text", [*SAMPLES, "  leading and trailing  ", "a" * 1000])
def test_another_kind_of_tokenizer_is_asked_for_the_whole_text(bpe: Path, text: str) -> None:
    other = Tokenizer(bpe, seed=1)
    expected = tokenizers.Tokenizer.from_file(str(bpe)).encode(text, add_special_tokens=False)
    got = other.read(text)
    assert other.prefix.tolist() == [0]
    assert other.suffix.tolist() == [1]
    assert int(got.counts.sum()) == len(expected.ids)
    ids, offsets = got.encode(np.arange(len(got.words)))
    assert ids.tolist() == expected.ids
    assert list(map(tuple, offsets.tolist())) == expected.offsets


def test_a_cased_wordpiece_keeps_its_case(tmp_path: Path) -> None:
    vocabulary = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "Ab": 3, "ab": 4, "##é": 5, "é": 6, "##b": 7}
    cased = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    cased.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=False)
    cased.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    cased.add_special_tokens(["[UNK]", "[CLS]", "[SEP]"])
    cased.save(str(tmp_path / "tokenizer.json"))
    text = "Ab ab AB abé é éb Abb"
    got = Tokenizer(tmp_path / "tokenizer.json").read(text)
    ids, _ = got.encode(np.arange(len(got.words)))
    assert ids.tolist() == cased.encode(text).ids == [3, 4, 0, 4, 5, 6, 6, 7, 3, 7]


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot load the tokenizer .*tokenizer\.json"):
        Tokenizer(path)
