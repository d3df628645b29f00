"""Step 2, relevance: score sentences by five signals over the sentence-term matrix.

Four of the signals, and their weights, are those of "98x Faster LLM Routing Without a Dedicated
GPU" (arXiv 2603.12646). All are linear in the matrix's entries. The fifth, risk, is given.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

from pointsman_backends.compressor.profiles import Profile

__all__ = ["density", "novelty", "position", "relevance", "textrank", "unit_rows", "weigh"]

_Scores = npt.NDArray[np.float64]

_DAMPING = 0.85
_TOLERANCE = 1e-7
_STEPS = 150  # never reached: the condition number is at most 1.85 / 0.15, so some 40 are enough


def relevance(
    terms: scipy.sparse.csr_array,
    normal: scipy.sparse.csr_array,
    places: _Scores,
    risk: _Scores,
    profile: Profile,
) -> dict[str, _Scores]:
    """Score sentences by TextRank, position, TF-IDF density, novelty and risk.

    Args:
        terms: Term counts, CSR [S, V].
        normal: The same in rows of length 1.
        places: Where each sentence stands, from 0 to 1; float64 [S].
        risk: Likeness to attacks, in [0, 1]; float64 [S].
        profile: Says how deep the middle lies.

    Returns:
        Each signal by its name, scaled to at most 1; float64 [S].
    """
    return {
        "textrank": _scale(textrank(normal)),
        "position": position(places, profile.position_depth),
        "density": _scale(density(terms)),
        "novelty": _scale(novelty(terms, normal)),
        "risk": risk,
    }


def weigh(signals: dict[str, _Scores], profile: Profile) -> _Scores:
    """Return the weighted sum of the signals, float64 [S].

    Rounded to nine decimals, so that equal sentences do not differ by the order of their terms.
    """
    weights = profile.weights()
    total = np.sum([weights[name] * signal for name, signal in signals.items()], axis=0)
    scores: _Scores = np.round(total, 9)
    return scores


def unit_rows(terms: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Scale the rows of a CSR matrix to length 1; rows of zeros stay."""
    sizes = np.diff(terms.indptr)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    length = np.sqrt(np.bincount(rows, terms.data * terms.data, len(sizes)))
    normal = terms.copy()
    normal.data /= length[rows]
    return normal


def textrank(normal: scipy.sparse.csr_array) -> _Scores:
    """PageRank of sentences in the graph whose edge weights are cosine similarities.

    With rows of unit length in N the weights are W = N N^T - I, so a product with W is two sparse
    products and W itself is never formed.

    Ranks solve (1 - d W D^-1) r = c, with D the degrees; for r = D y that is the symmetric,
    positive definite system (D - d W) y = c. Conjugate gradients, scaled by D, solve it in about a
    third of the products that power iteration takes.

    Args:
        normal: Terms of sentences in rows of length 1 (or 0), CSR [S, V].

    Returns:
        Probabilities, float64 [S]; equal to PageRank (damping 0.85) on the dense graph to 1e-6.

    Source: Mihalcea and Tarau, "TextRank: Bringing Order into Text", EMNLP 2004.
    """
    count = normal.shape[0]
    transposed = normal.T
    own = (np.diff(normal.indptr) > 0).astype(np.float64)
    degree = normal @ (transposed @ np.ones(count)) - own
    # A sentence that shares a term has at least 1 / (WINDOW + 1)^2; less is rounding. To one
    # without links all jump alike, which the final scaling accounts for.
    degree = np.where(degree > 1e-9, degree, 1.0)
    total = float(degree.sum())
    scale = 1 / degree
    diagonal = degree + _DAMPING * own
    rank_share = np.full(count, 1 / total)
    residual = (1 - _DAMPING) / count - diagonal * rank_share
    residual += _DAMPING * (normal @ (transposed @ rank_share))
    direction = step = scale * residual
    energy = float(residual @ step)
    for _ in range(_STEPS):
        # Over 1 - d that bounds the error of the ranks (L1): |r| <= sqrt(sum D * sum r^2 / D).
        if energy * total < _TOLERANCE**2:
            break
        image = diagonal * direction - _DAMPING * (normal @ (transposed @ direction))
        along = energy / float(direction @ image)
        rank_share += along * direction
        residual -= along * image
        step = scale * residual
        previous, energy = energy, float(residual @ step)
        direction = step + (energy / previous) * direction
    rank: _Scores = degree * rank_share
    rank /= rank.sum()
    return rank


def position(places: _Scores, depth: float) -> _Scores:
    """U-shaped weight by place: 1 at the ends, 1 - ``depth`` in the middle.

    Args:
        places: From 0, the beginning, to 1, the end; float64 [S].
        depth: In [0, 1].

    Source: Liu et al., "Lost in the Middle", TACL 2024 (arXiv 2307.03172).
    """
    weights: _Scores = 1 - depth * np.sin(np.pi * places)
    return weights


def density(terms: scipy.sparse.csr_array) -> _Scores:
    """Mean inverse document frequency, ln((S + 1) / (df + 1)), of each sentence's words.

    Args:
        terms: Term counts, CSR [S, V].

    Returns:
        float64 [S]; 0 for a sentence without terms.

    Source: after Li et al., "Compressing Context to Enhance Inference Efficiency of Large
    Language Models", EMNLP 2023 (arXiv 2310.06201), with IDF for self-information.
    """
    frequency = np.bincount(terms.indices, minlength=terms.shape[1])
    inverse_frequency = np.log((terms.shape[0] + 1) / (frequency + 1))
    scores: _Scores = (terms @ inverse_frequency) / _words(terms)
    return scores


def novelty(terms: scipy.sparse.csr_array, normal: scipy.sparse.csr_array) -> _Scores:
    """One less the cosine of each sentence's term frequencies and their mean over all sentences.

    Args:
        terms: Term counts, CSR [S, V].
        normal: The same in rows of length 1.

    Returns:
        float64 [S] in [0, 1]; 0 for a sentence without terms.

    Source: after Radev et al., "Centroid-based summarization of multiple documents", IPM 2004.
    """
    centroid = terms.T @ (1 / _words(terms))
    length = np.sqrt(centroid @ centroid)
    if length == 0:
        return np.zeros(terms.shape[0])
    scores: _Scores = np.where(np.diff(terms.indptr) > 0, 1 - (normal @ centroid) / length, 0)
    return np.maximum(scores, 0, out=scores)


def _words(terms: scipy.sparse.csr_array) -> _Scores:
    words: _Scores = np.maximum(terms @ np.ones(terms.shape[1]), 1)
    return words


def _scale(scores: _Scores) -> _Scores:
    largest = float(scores.max())
    return scores / largest if largest > 0 else scores
