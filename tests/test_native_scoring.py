"""What the compressor's native library does in scoring and choice, beside what NumPy does."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from pointsman_backends.compressor import native
from pointsman_backends.compressor.duplicates import near_duplicates
from pointsman_backends.compressor.pipeline import _is_name
from pointsman_backends.compressor.prepare import prepare
from pointsman_backends.compressor.relevance import (
    UnitRows,
    _signals_natively,
    density,
    novelty,
    term_signals,
    textrank,
)
from pointsman_backends.compressor.retrieve import Forced, retrieve
from pointsman_backends.compressor.risk import PERSONAL, RiskModel
from pointsman_backends.compressor.risk_signal import RiskSignals
from pointsman_backends.compressor.tokenizer import Tokenizer
from tests.compressor_library import library
from tests.test_compressor import TOKENIZER
from tests.test_native import HOSTILE, both, texts

tokenizer = Tokenizer(TOKENIZER, seed=1)
# Weights that are no multiples of a power of two: then the order of additions shows. The table is
# smaller than the others.
UNEVEN = RiskModel(
    np.random.default_rng(1).integers(-128, 128, 1 << 12, np.int8),
    0.3,
    0.1,
    np.array([3, 1, 40], np.int32),
    0.5,
    "{}",
)
MODELS = {"risk": RiskModel.load(), "personal": RiskModel.load(PERSONAL), "uneven": UNEVEN}


@pytest.fixture(autouse=True)
def _built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "library", library())


def risks(text: str) -> dict[str, bytes]:
    signals = RiskSignals(MODELS, tokenizer.read("the one word").words)
    read = tokenizer.read(text)
    lexical = signals.look_up(read.words)
    answer = {"keys": lexical[0].tobytes()}
    answer |= {f"weights {i}": weights.tobytes() for i, weights in enumerate(lexical[1])}
    if len(read.words):
        sentences = prepare(read, np.zeros(1, np.int64))
        found = signals.risks(read.words, lexical, sentences)
        answer |= {name: values.tobytes() for name, values in found.items()}
    return answer


@given(texts)
def test_risks(text: str) -> None:
    natively, by_numpy = both(lambda: risks(text))
    assert natively == by_numpy


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_risks_of_hostile_texts(text: str) -> None:
    natively, by_numpy = both(lambda: risks(text))
    assert natively == by_numpy


# Rows that share most of their columns, or some, or none.
columns = st.sets(st.integers(0, 24), max_size=12)
stems = st.lists(columns, min_size=1, max_size=4)


@st.composite
def matrices(draw: st.DrawFn) -> scipy.sparse.csr_array:
    """Term counts of sentences that are alike."""
    some = draw(stems)
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(some), columns, st.booleans()).map(
                lambda row: row[0] ^ set(sorted(row[1])[:1]) if row[2] else row[0] | row[1]
            ),
            max_size=40,
        )
    )
    counts = np.zeros((len(rows), 25))
    for nth, row in enumerate(rows):
        counts[nth, sorted(row)] = [1 + (nth * column) % 3 for column in sorted(row)]
    return scipy.sparse.csr_array(counts)


@given(matrices(), st.sets(st.integers(0, 24)), st.integers(0, 2**32 - 1))
def test_near_duplicates(terms: scipy.sparse.csr_array, uncounted: set[int], seed: int) -> None:
    keys = np.random.default_rng(seed).integers(0, 2**32, 25, np.uint32)
    counted = np.ones(25, np.bool_)
    counted[sorted(uncounted)[:8]] = False
    natively, by_numpy = both(lambda: near_duplicates(terms, keys, counted).tolist())
    assert natively == by_numpy


@given(texts)
def test_names(text: str) -> None:
    words = tokenizer.read(text).words
    natively, by_numpy = both(lambda: _is_name(words).tolist())
    assert natively == by_numpy


@pytest.mark.parametrize(
    "unit",
    [
        "One and the same. ",
        "Row {n} of {n}. ",
        "w{n} v{n} u{n}.\n",
        "One of kind{m}, as all. ",
        "k{m}\n",
    ],
)
def test_near_duplicates_of_hostile_texts(unit: str) -> None:
    read = tokenizer.read("".join(unit.format(n=n, m=n * n % 997) for n in range(20_000)))
    terms = prepare(read, np.zeros(1, np.int64)).terms
    keys = np.random.default_rng(1).integers(0, 2**32, terms.shape[1], np.uint32)
    counted = np.ones(len(keys), np.bool_)
    natively, by_numpy = both(lambda: near_duplicates(terms, keys, counted).tolist())
    assert natively == by_numpy


@given(matrices().filter(lambda terms: terms.shape[0] > 0), st.integers(1, 20))
def test_signals_of_terms(terms: scipy.sparse.csr_array, tiles: int) -> None:
    terms = scipy.sparse.vstack([terms] * tiles, format="csr")
    for rows in (None, np.arange(0, terms.shape[0], 2)):
        natively, by_numpy = both(
            lambda rows=rows: {n: s.tobytes() for n, s in term_signals(terms, rows=rows).items()}
        )
        assert natively == by_numpy


def test_signals_are_rounded_alike() -> None:
    rng = np.random.default_rng(1)
    shapes = [(count, count) for count in (1, 7, 8, 9, 127, 128, 129, 137, 1000)]
    for shape in (*shapes, (90, 30_000)):  # the last has its columns numbered anew
        terms = scipy.sparse.csr_array(rng.poisson(0.1, shape).astype(np.float64))
        expected = [textrank(UnitRows(terms)), density(terms), novelty(UnitRows(terms))]
        got = _signals_natively(library(), terms, None)
        assert got.tobytes() == np.stack(expected).tobytes()


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("room", [100, 3_000, 9_000])
def test_retrieve_of_many(room: int, ties: bool) -> None:
    """What is left over is brought into order as far as it fits."""
    rng = np.random.default_rng(room)
    count = 6_000
    terms = scipy.sparse.csr_array(rng.poisson(0.1, (count, 20)).astype(np.float64))
    tokens, shared = rng.integers(1, 5, count), np.zeros(count, np.int64)
    scores = rng.integers(0, 5, count) * 0.25 if ties else rng.normal(size=count)
    repeated = rng.random(count) < 0.8

    def answer() -> tuple[object, ...]:
        first = [Forced(0, "first")]
        kept = retrieve(scores, tokens, shared, terms, first, repeated, room, 0.3)
        return kept.sentences.tolist(), list(kept.reasons.items())

    natively, by_numpy = both(answer)
    assert natively == by_numpy


@given(
    matrices().filter(lambda terms: terms.shape[0] > 0),
    st.integers(0, 2**32 - 1),
    st.integers(1, 400),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
    st.integers(1, 12),
)
def test_retrieve(
    terms: scipy.sparse.csr_array, seed: int, room: int, penalty: float, ties: bool, tiles: int
) -> None:
    terms = scipy.sparse.vstack([terms] * tiles, format="csr")
    rng = np.random.default_rng(seed)
    count = terms.shape[0]
    tokens = rng.integers(1, 60, count)
    shared = np.minimum(rng.integers(0, 60, count), np.minimum(tokens, np.roll(tokens, -1)) // 2)
    shared[-1] = 0
    scores = rng.integers(-2, 5, count) * -0.25 if ties else rng.normal(size=count)
    repeated = rng.random(count) < 0.3
    forced = [Forced(int(nth), "first") for nth in rng.integers(0, count, rng.integers(1, 5))]

    def answer() -> tuple[object, ...]:
        kept = retrieve(scores, tokens, shared, terms, forced, repeated, room, penalty)
        return kept.sentences.tolist(), list(kept.reasons.items()), kept.partial, kept.truncated

    natively, by_numpy = both(answer)
    assert natively == by_numpy
