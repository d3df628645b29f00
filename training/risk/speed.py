"""Time of the risk signal's steps, on one thread (numpy uses no other for them)."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from pointsman_backends.compressor.prepare import sentence_starts
from pointsman_backends.compressor.risk import RiskModel
from pointsman_backends.compressor.tokenizer import Tokenizer
from training.risk.corpus import read_words
from training.safety import sources

WORDS = 12_000
REPEATS = 200


def _median(call: Callable[[], object], repeats: int) -> float:
    """Median seconds of a call."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def speed(model: RiskModel, tokenizer: Tokenizer) -> dict[str, float]:
    """Microseconds per WORDS words of held-out prose and code, and words a second when new."""
    text = "\n\n".join(sources.package_descriptions())[: 8 * WORDS]
    strings, words = read_words(tokenizer, text)
    first = sentence_starts(words, np.zeros(1, np.int64), None)
    count = min(WORDS, len(strings))
    first = first[first < count]
    keys, weights = model.words(strings[:count])
    contributions = model.contributions(keys, weights)
    distinct = list(dict.fromkeys(strings))
    each = _median(lambda: model.contributions(keys, weights), REPEATS)
    all_sentences = _median(lambda: model.sentences(contributions, first), REPEATS)
    return {
        "words": count,
        "sentences": len(first),
        "contributions (us)": round(1e6 * each, 1),
        "sentences (us)": round(1e6 * all_sentences, 1),
        "words a second, each for the first time": round(
            len(distinct) / _median(lambda: model.words(distinct), 20)
        ),
    }
