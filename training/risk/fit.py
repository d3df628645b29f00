"""Fit the weights: logistic regression on windows, in rounds.

Nobody knows which words of an attack make it one. As in a latent SVM (Felzenszwalb et al., PAMI
2010) each round takes, under the weights of the round before, the worst window of every sentence:
of harmless text the riskiest and some at random, of an attack the riskiest sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from training.risk.corpus import ATTACK, HARMLESS, Corpus, Features, Windows, worst_windows

ROUNDS = 3
HARD, RANDOM = 45_000, 35_000
"""Harmless windows of a round, of the full importance: the riskiest, and some of the others."""
ATTACK_SHARE = 0.5
"""Of the sentences of an attack, the riskiest ones that count as such; at least three."""
POSITIVE_WEIGHT = 1.0
"""Weight of all attacks together, that of the harmless windows being 1."""


class Weights(NamedTuple):
    """What is learnt: weights of slots float32 [2^bits], and the bias."""

    table: npt.NDArray[np.float32]
    bias: float


def _chosen_attacks(
    corpus: Corpus, risk: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The riskiest sentences of each attack, and a weight for each: an attack weighs 1."""
    sentences = np.flatnonzero(corpus.label == ATTACK)
    order = sentences[np.lexsort((-risk[sentences], corpus.text[sentences]))]
    _, start, which, size = np.unique(
        corpus.text[order], return_index=True, return_inverse=True, return_counts=True
    )
    wanted = np.maximum(3, np.ceil(ATTACK_SHARE * size))
    chosen = np.arange(len(order)) - start[which] < wanted[which]
    weight = 1 / np.minimum(wanted, size)
    return order[chosen], weight[which[chosen]]


def _first_windows(
    first: npt.NDArray[np.int64], words: int, size: int, rng: np.random.Generator
) -> Windows:
    """A window of each sentence at random."""
    ends = np.append(first[1:], words)
    begin = first + rng.integers(0, np.maximum(ends - first - size, 0) + 1)
    return Windows(begin, np.minimum(begin + size, ends))


def _chosen_harmless(
    corpus: Corpus,
    risk: npt.NDArray[np.float64],
    importance: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """The riskiest harmless sentences of each importance, and some others."""
    chosen = []
    for value in np.unique(importance):
        sentences = np.flatnonzero((corpus.label == HARMLESS) & (importance == value))
        sentences = sentences[np.argsort(-risk[sentences])]
        hard, others = np.split(sentences, [int(HARD * value)])
        chosen += [hard, rng.choice(others, min(int(RANDOM * value), len(others)), replace=False)]
    return np.concatenate(chosen)


def fit(
    corpus: Corpus,
    features: Features,
    sizes: Sequence[int],
    strength: float,
    seed: int,
    importance: npt.NDArray[np.float64],
) -> Weights:
    """Learn the weights.

    Args:
        corpus: Texts with attacks and without.
        features: Of the corpus.
        sizes: Words in the windows that are tried.
        strength: Of the L2 penalty, as scikit-learn's C: smaller is stronger.
        seed: Of the choice of windows.
        importance: How much each sentence counts where it is harmless, few different values in
            (0, 1], float64 [S].
    """
    rng = np.random.default_rng(seed)
    model = LogisticRegression(C=strength, max_iter=60, tol=1e-3, warm_start=True)
    windows = _first_windows(corpus.first, len(corpus.words), max(sizes), rng)
    risk = rng.random(len(corpus.first))
    for _ in tqdm(range(ROUNDS), desc="fitting", unit="round"):
        attacks, weight = _chosen_attacks(corpus, risk)
        harmless = _chosen_harmless(corpus, risk, importance, rng)
        rows = np.concatenate([attacks, harmless])
        matrix = features.matrix(Windows(windows.begin[rows], windows.end[rows]))
        total = importance[harmless].sum()
        weights = np.concatenate(
            [weight * (POSITIVE_WEIGHT * total / weight.sum()), importance[harmless]]
        )
        model.fit(matrix, np.arange(len(rows)) < len(attacks), sample_weight=weights)
        table = model.coef_[0].astype(np.float32)
        windows, risk = worst_windows(features.contributions(table), corpus.first, sizes)
    return Weights(table, float(model.intercept_[0]))
