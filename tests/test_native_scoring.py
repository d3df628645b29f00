"""What the compressor's native library does in scoring and choice, beside what NumPy does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman_backends.compressor import native
from pointsman_backends.compressor.prepare import prepare
from pointsman_backends.compressor.risk import PERSONAL, RiskModel
from pointsman_backends.compressor.risk_signal import RiskSignals
from pointsman_backends.compressor.tokenizer import Tokenizer
from tests.compressor_library import library
from tests.test_compressor import TOKENIZER
from tests.test_native import HOSTILE, both, texts

tokenizer = Tokenizer(TOKENIZER, seed=1)
# Weights that are no multiples of a power of two: then the order of additions shows.
UNEVEN = RiskModel(
    np.random.default_rng(1).integers(-128, 128, 1 << 12, np.int8),
    0.5,
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


@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=200),
    st.lists(st.integers(0, 199), min_size=1, max_size=20, unique=True),
)
def test_sums_are_rounded_alike(weights: list[float], edges: list[int]) -> None:
    count = len(weights)
    first = np.array(sorted({0, *(edge for edge in edges if edge < count)}), np.int64)
    rows = np.random.default_rng(count).integers(0, count, count).astype(np.int32)
    keys = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1)
    own = np.array(weights, np.float32)
    natively, by_numpy = both(lambda: UNEVEN.risks(rows, keys, own, first).tobytes())
    assert natively == by_numpy
