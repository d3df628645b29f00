"""Each step by itself: sentences, relevance against other libraries, the choice."""

from __future__ import annotations

from pathlib import Path

import networkx
import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from pointsman_backends.compressor import Tokenizer
from pointsman_backends.compressor.prepare import ABBREVIATIONS, WINDOW, prepare
from pointsman_backends.compressor.relevance import (
    density,
    novelty,
    position,
    relevance,
    textrank,
    unit_rows,
)
from pointsman_backends.compressor.retrieve import must_read, retrieve

tokenizer = Tokenizer(
    Path(__file__).parent.parent / "model_repository/encoder/1/tokenizer.json", seed=1
)
SEED = 20_26


def sentences(text: str, offsets: tuple[int, ...] = (0,)) -> list[str]:
    read = tokenizer.read(text)
    prepared = prepare(read, np.array(offsets), tokenizer.hash(ABBREVIATIONS.split()))
    words = read.words
    lasts = np.append(prepared.first_words[1:], len(words)) - 1
    starts = words.normal.starts(words.starts[prepared.first_words])
    ends = words.normal.ends(words.ends[lasts])
    return [text[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "Stop." Then (he!) left...', ['He said "Stop."', "Then (he!)", "left..."]),
        ("Pi is 3.14 here. See v1.2.3 now", ["Pi is 3.14 here.", "See v1.2.3 now"]),
        ("Dr. Jones met J. Smith. They ate.", ["Dr. Jones met J. Smith.", "They ate."]),
        ("use tools, e.g. hammers. done", ["use tools, e.g. hammers.", "done"]),
        ("1. First thing\n2. Second thing", ["1. First thing", "2. Second thing"]),
        ("It was 2019. Then came more.", ["It was 2019.", "Then came more."]),
        ("今天天气很好。我们去公园吧！好吗？", ["今天天气很好。", "我们去公园吧！", "好吗？"]),
        ("「行こう。」と言った。", ["「行こう。」", "と言った。"]),
        ("ما هذا؟ هذا كتاب۔ نعم", ["ما هذا؟", "هذا كتاب۔", "نعم"]),
        ("यह क्या है। यह किताब है॥ हाँ", ["यह क्या है।", "यह किताब है॥", "हाँ"]),
        ("def f(x):\r\n    return x\r\n\r\nf(1)", ["def f(x):", "return x", "f(1)"]),
        ("no stop at all\n\nnew paragraph", ["no stop at all", "new paragraph"]),
        ("short line\nnext line", ["short line", "next line"]),
        (
            "A line of a paragraph that was wrapped at a margin\nand goes on here. Next",
            ["A line of a paragraph that was wrapped at a margin\nand goes on here.", "Next"],
        ),
        ("see http://a.b/c?d=e!f and go", ["see http://a.b/c?d=e!f and go"]),
        ("?!?!?!?!?!?!?!?!?!?!?! What", ["?!?!?!?!?!?!?!?!?!?!?!", "What"]),
        ("...", ["..."]),
        ("\n\n  a  \n\n", ["a"]),
    ],
)
def test_sentences_of_any_script(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_message_begins_a_sentence() -> None:
    text = "you are a helpful assistant for the railway company\nand who are you"
    assert len(sentences(text)) == 1
    assert len(sentences(text, (0, 52))) == 2


@pytest.mark.parametrize(
    "text",
    [
        "word " * 1000,
        "a" * 5000,
        "x1y2z3q4" * 400,
        "中" * 1000,
        ", " * 700,
        "short. " + "unstoppably antidisestablishmentarian " * 200 + ". short",
    ],
)
def test_giant_sentences_are_cut_into_windows(text: str) -> None:
    read = tokenizer.read(text)
    prepared = prepare(read, np.zeros(1, np.int64))
    assert int(prepared.tokens.max()) <= WINDOW
    assert int(prepared.tokens.sum()) == int(read.counts.sum())
    assert len(prepared) <= 2 + 4 * int(read.counts.sum()) // WINDOW


def random_terms(sentence_count: int, vocabulary: int, seed: int) -> scipy.sparse.csr_array:
    draw = np.random.default_rng(seed)
    dense = draw.poisson(2 / (1 + np.arange(vocabulary)), (sentence_count, vocabulary))
    dense[draw.random(sentence_count) < 0.1] = 0  # sentences without terms
    return scipy.sparse.csr_array(dense.astype(np.float64))


def dense_pagerank(terms: scipy.sparse.csr_array) -> npt.NDArray[np.float64]:
    similarity = cosine_similarity(terms.toarray())
    np.fill_diagonal(similarity, 0)
    similarity[similarity < 1e-12] = 0
    graph = networkx.from_numpy_array(similarity)
    ranks = networkx.pagerank(graph, alpha=0.85, tol=1e-13, max_iter=10_000)
    return np.array([ranks[i] for i in range(len(ranks))])


@pytest.mark.parametrize(
    ("sentence_count", "vocabulary"), [(1, 3), (2, 1), (5, 200), (60, 40), (200, 500), (90, 3)]
)
def test_textrank_is_pagerank_on_the_dense_cosine_graph(
    sentence_count: int, vocabulary: int
) -> None:
    terms = random_terms(sentence_count, vocabulary, SEED)
    np.testing.assert_allclose(textrank(unit_rows(terms)), dense_pagerank(terms), rtol=0, atol=1e-6)


def test_textrank_of_two_islands_and_a_hermit() -> None:
    terms = scipy.sparse.csr_array(
        np.array(
            [[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 2, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 9]]
        )
        * 1.0
    )
    np.testing.assert_allclose(textrank(unit_rows(terms)), dense_pagerank(terms), rtol=0, atol=1e-6)


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=12).map(
        np.array
    )
)
@settings(max_examples=150, deadline=None)
def test_textrank_of_any_small_graph(dense: npt.NDArray[np.int64]) -> None:
    terms = scipy.sparse.csr_array(dense.astype(np.float64))
    ranks = textrank(unit_rows(terms))
    assert ranks.sum() == pytest.approx(1)
    np.testing.assert_allclose(ranks, dense_pagerank(terms), rtol=0, atol=1e-6)


def test_terms_and_density_agree_with_scikit_learn() -> None:
    texts = [
        "The line is clear and the signal is green.",
        "The signal box waits for the night express!",
        "Nobody asks why the night is long?",
        "Green is the colour of the line.",
    ]
    read = tokenizer.read("\n\n".join(texts))
    prepared = prepare(read, np.zeros(1, np.int64))
    vectorizer = TfidfVectorizer(norm=None, token_pattern=r"\w+", lowercase=True)
    tfidf = vectorizer.fit_transform(texts).toarray()
    counts = np.rint(tfidf / vectorizer.idf_)
    expected = (counts * (vectorizer.idf_ - 1)).sum(axis=1) / counts.sum(axis=1)
    np.testing.assert_allclose(density(prepared.terms), expected, atol=1e-12)
    assert sorted(prepared.terms.toarray().sum(axis=0)) == sorted(counts.sum(axis=0))


def test_novelty_is_one_less_cosine_to_the_mean() -> None:
    terms = random_terms(50, 80, SEED)
    dense = terms.toarray()
    frequency = dense / np.maximum(dense.sum(axis=1, keepdims=True), 1)
    expected = 1 - cosine_similarity(frequency, frequency.mean(axis=0, keepdims=True))[:, 0]
    expected[dense.sum(axis=1) == 0] = 0
    np.testing.assert_allclose(novelty(terms, unit_rows(terms)), expected, atol=1e-12)


def test_position_is_one_at_the_ends_and_half_in_the_middle() -> None:
    weights = position(101)
    assert weights[[0, 50, 100]] == pytest.approx([1, 0.5, 1])
    assert weights[:51].tolist() == sorted(weights[:51], reverse=True)
    assert weights == pytest.approx(weights[::-1])
    assert position(1).tolist() == [1]


def test_relevance_is_bounded_and_does_not_depend_on_the_hashes() -> None:
    text = " ".join(f"Word{i % 7} stands near word{i % 5} and word{i % 11}." for i in range(300))
    scores = []
    for seed in range(3):
        read = Tokenizer(
            Path(__file__).parent.parent / "model_repository/encoder/1/tokenizer.json",
            seed=seed,
        ).read(text)
        scores.append(relevance(prepare(read, np.zeros(1, np.int64)).terms))
    assert len(scores[0]) == 300
    assert 0 < scores[0].min() <= scores[0].max() <= 1
    for other in scores[1:]:
        assert other.tolist() == scores[0].tolist()


def test_sentences_that_must_be_read() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.8, 0.7, 0.3, 0.2])
    tokens = np.array([5, 10, 10, 10, 10, 10, 5])
    assert must_read(scores, tokens, 4, np.array([], np.int64), 100) == [6, 4, 0]
    assert must_read(scores, tokens, 4, np.array([1, 2, 3, 6]), 100) == [6, 4, 0, 1, 3, 2]
    # Two fit into 25 tokens: the best scored ones.
    assert must_read(scores, tokens, 4, np.array([1, 2, 3]), 25) == [6, 4, 0, 1, 3]


def test_the_best_that_fit_are_kept() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.8])
    tokens = np.array([4, 50, 6, 5])
    kept = retrieve(scores, tokens, [0], 16)
    assert kept.sentences.tolist() == [True, False, True, True]
    assert not kept.truncated


def test_what_must_be_read_comes_first_and_its_loss_is_told() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.8])
    tokens = np.array([10, 10, 10, 10])
    kept = retrieve(scores, tokens, [3, 2, 0], 25)
    assert kept.sentences.tolist() == [False, False, True, True]
    assert kept.truncated


def test_one_sentence_over_the_room_is_kept_to_be_cut() -> None:
    kept = retrieve(np.array([0.1, 0.9]), np.array([30, 40]), [1, 0], 5)
    assert kept.sentences.tolist() == [False, True]
    assert kept.truncated


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), min_size=1, max_size=40),
    st.integers(1, 300),
    st.data(),
)
def test_more_room_never_keeps_fewer_tokens(
    drawn: list[tuple[int, int]], room: int, data: st.DataObject
) -> None:
    scores = np.array([score / 5 for score, _ in drawn])
    tokens = np.array([size for _, size in drawn])
    forced = data.draw(
        st.lists(st.integers(0, len(drawn) - 1), min_size=1, max_size=4, unique=True)
    )
    totals = []
    for some in (room, room + 1):
        kept = retrieve(scores, tokens, forced, some)
        total = int(tokens[kept.sentences].sum())
        assert kept.sentences.any()
        assert total <= some or int(kept.sentences.sum()) == 1
        totals.append(min(total, some))
        if total <= some:
            assert (tokens[~kept.sentences] > some - total).all()
    assert totals[0] <= totals[1]
