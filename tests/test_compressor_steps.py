"""Each step by itself: sentences, relevance against other libraries, the choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkx
import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from pointsman_backends.compressor import Tokenizer, native
from pointsman_backends.compressor.duplicates import near_duplicates
from pointsman_backends.compressor.prepare import ABBREVIATIONS, OVERLAP, WINDOW, Sentences, prepare
from pointsman_backends.compressor.profiles import PROFILES, Profile, profile_from_parameters
from pointsman_backends.compressor.relevance import (
    UnitRows,
    density,
    novelty,
    position,
    term_signals,
    textrank,
    weigh,
)
from pointsman_backends.compressor.retrieve import (
    Forced,
    Kept,
    _cosines,
    best_within,
    retrieve,
)

tokenizer = Tokenizer(
    Path(__file__).parent.parent / "model_repository/encoder/1/tokenizer.json", seed=1
)
SEED = 20_26


def sentences(text: str, offsets: tuple[int, ...] = (0,)) -> list[str]:
    read = tokenizer.read(text)
    prepared = prepare(read, np.array(offsets), tokenizer.hash(ABBREVIATIONS.split()))
    words = read.words
    starts = words.normal.starts(words.starts[prepared.first_words])
    ends = words.normal.ends(words.ends[prepared.end_words - 1])
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
    assert len(prepared) <= 2 + 4 * int(read.counts.sum()) // WINDOW
    check_runs(prepared, read.counts)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["word ", "a, ", "x" * 90 + " ", "中", "Stop. ", "\n\n", "éé "]),
            st.text(max_size=8),
        ),
        min_size=1,
        max_size=8,
    ),
    st.lists(st.integers(1, 150), min_size=1, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_windows_hold_every_word_and_overlap(pieces: list[str], times: list[int]) -> None:
    text = "".join(piece * n for piece, n in zip(pieces, times, strict=False))
    read = tokenizer.read(text)
    if len(read.words):
        check_runs(prepare(read, np.zeros(1, np.int64)), read.counts)


def check_runs(prepared: Sentences, counts: npt.NDArray[np.int32]) -> None:
    first, end = prepared.first_words, prepared.end_words
    assert (first[0], end[-1]) == (0, len(counts))
    assert (np.diff(first) > 0).all()
    assert (np.diff(end) > 0).all()
    assert (end[:-1] >= first[1:]).all()  # no word is left out
    assert (end[:-2] <= first[2:]).all()  # and none is in three
    before = np.append(0, np.cumsum(counts))
    assert prepared.tokens.tolist() == (before[end] - before[first]).tolist()
    common = [int(before[e] - before[f]) for e, f in zip(end[:-1], first[1:], strict=True)]
    assert prepared.shared.tolist() == [*common, 0]
    assert int(prepared.tokens.max()) <= WINDOW


def test_what_stands_at_the_edge_of_a_window_is_whole_in_the_next() -> None:
    words = [f"{chr(97 + i % 26)}" for i in range(600)]
    read = tokenizer.read(" ".join(words))
    prepared = prepare(read, np.zeros(1, np.int64))
    runs = list(zip(prepared.first_words.tolist(), prepared.end_words.tolist(), strict=True))
    for at in range(600 - OVERLAP):
        assert any(first <= at and at + OVERLAP <= end for first, end in runs)


def test_terms_of_windows_count_their_own_words() -> None:
    text = " ".join(f"n{i % 7}x" for i in range(500))
    read = tokenizer.read(text)
    prepared = prepare(read, np.zeros(1, np.int64))
    assert len(prepared) > 3
    for row, (first, end) in enumerate(
        zip(prepared.first_words.tolist(), prepared.end_words.tolist(), strict=True)
    ):
        expected = np.bincount(read.words.which[first:end], minlength=len(read.words.distinct))
        assert prepared.terms[[row]].toarray()[0].tolist() == expected.tolist()


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
    np.testing.assert_allclose(textrank(UnitRows(terms)), dense_pagerank(terms), rtol=0, atol=1e-6)


def test_textrank_of_two_islands_and_a_hermit() -> None:
    terms = scipy.sparse.csr_array(
        np.array(
            [[1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 2, 0], [0, 0, 1, 0, 0], [0, 0, 0, 0, 9]]
        )
        * 1.0
    )
    np.testing.assert_allclose(textrank(UnitRows(terms)), dense_pagerank(terms), rtol=0, atol=1e-6)


@pytest.mark.parametrize("shared", [0, 1, 3])
@pytest.mark.parametrize("native_library", [native.library, None])
def test_textrank_where_most_words_are_of_one_sentence_alone(
    shared: int, native_library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "library", native_library)
    draw = np.random.default_rng(SEED)
    own = np.kron(np.eye(30), np.ones(4)) * draw.integers(0, 4, (30, 120))
    common = draw.integers(0, 2, (30, shared)) * draw.integers(1, 3, (30, shared))
    dense = np.hstack([own, common])
    dense[::11] = 0  # sentences without terms
    terms = scipy.sparse.csr_array(dense.astype(np.float64))
    expected = dense_pagerank(terms)
    np.testing.assert_allclose(textrank(UnitRows(terms)), expected, rtol=0, atol=1e-6)
    scaled = term_signals(terms)["textrank"]
    np.testing.assert_allclose(scaled, expected / expected.max(), rtol=0, atol=1e-4)


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=12).map(
        np.array
    )
)
@settings(max_examples=150, deadline=None)
def test_textrank_of_any_small_graph(dense: npt.NDArray[np.int64]) -> None:
    terms = scipy.sparse.csr_array(dense.astype(np.float64))
    ranks = textrank(UnitRows(terms))
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
    np.testing.assert_allclose(novelty(UnitRows(terms)), expected, atol=1e-12)


@pytest.mark.parametrize("library", [native.library, None])
def test_rounding_does_not_make_identical_sentences_new(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(native, "library", library)
    for count in range(2, 40):  # rounding shows at some
        alike = scipy.sparse.csr_array(np.full((count, 2), 2.0))
        assert term_signals(alike)["novelty"].tolist() == [0] * count


def test_position_is_one_at_the_ends_and_lower_by_the_depth_in_the_middle() -> None:
    weights = position(np.linspace(0, 1, 101), 0.3)
    assert weights[[0, 50, 100]] == pytest.approx([1, 0.7, 1])
    assert weights[:51].tolist() == sorted(weights[:51], reverse=True)
    assert weights == pytest.approx(weights[::-1])


def test_signals_are_bounded_and_do_not_depend_on_the_hashes() -> None:
    text = " ".join(f"Word{i % 7} stands near word{i % 5} and word{i % 11}." for i in range(300))
    signals = []
    for seed in range(3):
        read = Tokenizer(
            Path(__file__).parent.parent / "model_repository/encoder/1/tokenizer.json",
            seed=seed,
        ).read(text)
        signals.append(term_signals(prepare(read, np.zeros(1, np.int64)).terms))
    assert list(signals[0]) == ["textrank", "density", "novelty"]
    for name, signal in signals[0].items():
        assert len(signal) == 300
        assert 0 <= signal.min() <= signal.max() == 1
        for other in signals[1:]:
            assert other[name].tolist() == signal.tolist()


def test_a_score_is_the_weighted_sum_of_the_signals() -> None:
    draw = np.random.default_rng(SEED)
    signals = {name: draw.random(20) for name in Profile().weights()}
    alone = Profile(0, 0, 0, 0, risk_weight=2.0, personal_weight=0)
    assert weigh(signals, alone.weights()) == pytest.approx(2 * signals["risk"])
    both = Profile(0.5, 0, 0, 0.25, risk_weight=0, personal_weight=0)
    expected = 0.5 * signals["textrank"] + 0.25 * signals["novelty"]
    assert weigh(signals, both.weights()) == pytest.approx(expected)


class TestProfiles:
    def test_the_default_weights_are_those_of_the_paper(self) -> None:
        weights = PROFILES["default"].weights()
        assert [weights[s] for s in ("textrank", "position", "density", "novelty")] == [
            0.20,
            0.40,
            0.35,
            0.05,
        ]

    def test_five_profiles_differ(self) -> None:
        assert list(PROFILES) == ["default", "security", "coding", "medical", "multi_turn"]
        assert len(set(PROFILES.values())) == 5

    def test_parameters_change_a_profile(self) -> None:
        profile = profile_from_parameters({"profile": "coding", "risk_weight": "0.7", "x": "y"})
        assert profile.risk_weight == 0.7
        assert profile.density_weight == PROFILES["coding"].density_weight
        assert profile_from_parameters({}) == Profile()

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"profile": "fast"}, 'no profile "fast"; take one of default, security'),
            ({"risks_weight": "1"}, 'no parameter "risks_weight"; a profile has textrank_weight'),
            ({"risk_weight": "much"}, 'risk_weight is "much"; it must be a number'),
            ({"risk_weight": "-1"}, "risk_weight is -1.0; it must be a number of at least 0"),
            ({"novelty_weight": "nan"}, "novelty_weight is nan"),
            ({"novelty_weight": "inf"}, "novelty_weight is inf"),
            ({"risk_share": "1.5"}, r"risk_share is 1.5; it must be in 0..1"),
            ({"position_depth": "2"}, r"position_depth is 2.0; it must be in 0..1"),
            (
                dict.fromkeys((f"{s}_weight" for s in Profile().weights()), "0"),
                "all weights are 0",
            ),
        ],
    )
    def test_wrong_values_are_named(self, parameters: dict[str, str], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            profile_from_parameters(parameters)


def repeats_of(texts: list[str], numbers: bool = False) -> list[int]:
    """What each text repeats, by its words; those of digits count if `numbers`."""
    distinct = sorted({word for text in texts for word in text.split()})
    dense = np.array([[text.split().count(word) for word in distinct] for text in texts])
    counted = np.array([numbers or not word.isdigit() for word in distinct])
    keys = np.random.default_rng(SEED).integers(0, 2**32, len(distinct), np.uint32)
    terms = scipy.sparse.csr_array(dense.astype(np.float64))
    return near_duplicates(terms, keys, counted).tolist()


class TestNearDuplicates:
    def test_boilerplate_repeats_its_first_copy_whatever_its_numbers(self) -> None:
        line = "the engine of train {} left the shed and passed the signal at {}"
        texts = [line.format(i, 3 * i) for i in range(5)] + ["nobody was on board"] * 2
        assert repeats_of(texts) == [0, 0, 0, 0, 0, 5, 5]

    def test_a_word_more_in_a_long_sentence_is_a_repetition(self) -> None:
        words = [f"w{i}x" for i in range(40)]
        texts = [" ".join(words), " ".join([*words, "also"]), " ".join(words[:20])]
        assert repeats_of(texts) == [0, 0, 2]

    def test_texts_without_words_repeat_nothing(self) -> None:
        assert repeats_of(["1 2 3", "1 2 3", "", ""]) == [0, 1, 2, 3]

    @given(
        st.lists(st.lists(st.sampled_from([f"w{i}x" for i in range(9)]), max_size=12), max_size=25)
    )
    @settings(max_examples=80, deadline=None)
    def test_what_is_repeated_is_alike_earlier_and_kept(self, drawn: list[list[str]]) -> None:
        texts = [" ".join(words) for words in drawn] + ["w1x"]
        for nth, original in enumerate(repeats_of(texts)):
            if original == nth:
                continue
            one, other = set(texts[nth].split()), set(texts[original].split())
            assert original < nth
            assert repeats_of(texts)[original] == original
            assert len(one & other) / len(one | other) >= 0.8

    def test_equal_sentences_are_always_found(self) -> None:
        texts = [f"a{i}x b{i}x c{i}x" for i in range(50)] * 2
        assert repeats_of(texts) == [*range(50), *range(50)]


def test_the_best_within_a_room() -> None:
    scores = np.array([0.1, 0.9, 0.5, 0.8, 0.7, 0.3, 0.2])
    tokens = np.array([5, 10, 10, 10, 10, 10, 5])
    assert best_within(np.array([], np.int64), scores, tokens, 100) == []
    assert best_within(np.array([1, 2, 3, 6]), scores, tokens, 100) == [1, 3, 2, 6]
    # Two of ten tokens fit into 25, and then one of five.
    assert best_within(np.array([1, 2, 3, 6]), scores, tokens, 25) == [1, 3, 6]


def choose(
    scores: list[float],
    tokens: list[int],
    forced: list[int],
    room: int,
    *,
    shared: list[int] | None = None,
    terms: npt.NDArray[np.float64] | None = None,
    penalty: float = 0.0,
) -> Kept:
    count = len(scores)
    terms = np.eye(count) if terms is None else terms
    return retrieve(
        np.array(scores),
        np.array(tokens),
        np.array(shared or [0] * count),
        scipy.sparse.csr_array(terms),
        [Forced(sentence, "first") for sentence in forced],
        np.zeros(count, np.bool_),
        room,
        penalty,
    )


def test_the_best_that_fit_are_kept() -> None:
    kept = choose([0.1, 0.9, 0.5, 0.8], [4, 50, 6, 5], [0], 16)
    assert kept.sentences.tolist() == [True, False, True, True]
    assert kept.reasons == {0: "first", 2: "score", 3: "score"}
    assert not kept.truncated


def test_what_is_forced_comes_first_and_its_loss_is_told() -> None:
    kept = choose([0.1, 0.9, 0.5, 0.8], [10] * 4, [3, 2, 0], 25)
    assert kept.sentences.tolist() == [False, False, True, True]
    assert kept.truncated


def test_the_loss_of_what_is_not_essential_is_not_told() -> None:
    terms = scipy.sparse.csr_array(np.eye(2))
    kept = retrieve(
        np.array([0.5, 0.5]),
        np.array([10, 10]),
        np.array([0, 0]),
        terms,
        [Forced(1, "last"), Forced(0, "first", essential=False)],
        np.zeros(2, np.bool_),
        15,
        0.0,
    )
    assert kept.reasons == {1: "last"}
    assert not kept.truncated


def test_one_sentence_over_the_room_is_kept_to_be_cut() -> None:
    kept = choose([0.1, 0.9], [30, 40], [1, 0], 5)
    assert kept.sentences.tolist() == [False, True]
    assert kept.partial == 1
    assert kept.truncated


def test_what_resembles_a_kept_sentence_gives_way_to_what_does_not() -> None:
    terms = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1]]) * 1.0
    likeness = {"tokens": [10] * 3, "forced": [0], "room": 20, "terms": terms}
    scores = [0.5, 0.9, 0.8]
    assert choose(scores, penalty=0.0, **likeness).sentences.tolist() == [True, True, False]
    assert choose(scores, penalty=0.3, **likeness).sentences.tolist() == [True, False, True]


def test_cosines_are_right_and_do_not_depend_on_the_order_of_terms() -> None:
    terms = random_terms(60, 90, SEED)
    rows, pool = np.arange(0, 60, 2), np.arange(5, 60)
    cosines = _cosines(terms, rows, pool)
    expected = cosine_similarity(terms[rows], terms[pool])
    np.testing.assert_allclose(cosines, expected, rtol=0, atol=6e-7)
    order = np.random.default_rng(SEED).permutation(90)
    assert _cosines(terms[:, order], rows, pool).tolist() == cosines.tolist()


def test_words_shared_with_a_kept_window_cost_nothing() -> None:
    scores, tokens, shared = [0.1, 0.9, 0.8], [10, 10, 10], [4, 4, 0]
    kept = choose(scores, tokens, [0], 16, shared=shared)
    assert kept.sentences.tolist() == [True, True, False]
    kept = choose(scores, tokens, [0], 22, shared=shared)
    assert kept.sentences.all()


def test_repetitions_take_what_others_leave() -> None:
    scores, tokens = np.array([0.9, 0.9, 0.1]), np.array([10, 10, 10])
    terms = scipy.sparse.csr_array(np.eye(3))
    repeated = np.array([False, True, False])
    for room, expected in ((20, [True, False, True]), (30, [True, True, True])):
        kept = retrieve(
            scores, tokens, np.zeros(3, int), terms, [Forced(0, "first")], repeated, room, 0.3
        )
        assert kept.sentences.tolist() == expected


def test_candidates_beyond_the_pool_fill_what_is_left() -> None:
    kept = choose([1.0] + [0.5] * 400 + [0.1], [1] * 402, [0], 402)
    assert kept.sentences.all()


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 30), st.integers(0, 3)),
        min_size=1,
        max_size=40,
    ),
    st.integers(1, 300),
    st.sampled_from([0.0, 0.5]),
    st.data(),
)
@settings(deadline=None)
def test_more_room_never_keeps_fewer_tokens(
    drawn: list[tuple[int, int, int]], room: int, penalty: float, data: st.DataObject
) -> None:
    scores = [score / 5 for score, _, _ in drawn]
    tokens = np.array([size for _, size, _ in drawn])
    terms = np.array([[nth == term for nth in range(4)] for _, _, term in drawn]) * 1.0
    forced = data.draw(
        st.lists(st.integers(0, len(drawn) - 1), min_size=1, max_size=4, unique=True)
    )
    totals = []
    for some in (room, room + 1):
        kept = choose(scores, tokens.tolist(), forced, some, terms=terms, penalty=penalty)
        total = int(tokens[kept.sentences].sum())
        assert kept.sentences.any()
        assert total <= some or kept.partial is not None
        assert set(np.flatnonzero(kept.sentences).tolist()) == set(kept.reasons)
        totals.append(min(total, some))
        if total <= some:
            assert (tokens[~kept.sentences] > some - total).all()
    assert totals[0] <= totals[1]
