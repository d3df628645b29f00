"""Figures of merit, as pure functions over arrays, and bootstrap confidence intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from scipy.stats import rankdata

Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Span = tuple[str, int, int]
"""(type, start, end): code points, half-open."""


def softmax(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Probabilities along the last axis."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    out: npt.NDArray[np.float64] = shifted / shifted.sum(axis=-1, keepdims=True)
    return out


def accuracy(gold: Labels, predicted: Labels) -> float:
    """Share of equal entries; nan when there are none."""
    return float(np.mean(gold == predicted)) if len(gold) else float("nan")


def macro_f1(gold: Labels, predicted: Labels) -> float:
    """Mean of the F1 of every class that occurs in ``gold``."""
    classes = int(max(gold.max(initial=0), predicted.max(initial=0))) + 1
    real = np.bincount(gold, minlength=classes)
    found = np.bincount(predicted, minlength=classes)
    hits = np.bincount(gold[gold == predicted], minlength=classes)
    there = real > 0
    return float(np.mean(2 * hits[there] / (real + found)[there]))


def auc(positive: npt.NDArray[np.bool_], scores: Scores) -> float:
    """Area under the ROC curve; nan when one of the two classes is absent."""
    if positive.all() or not positive.any():
        return float("nan")
    # The Mann-Whitney statistic: the chance that a positive one scores higher, ties for a half.
    count = int(positive.sum())
    above = rankdata(scores)[positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(positive) - count)))


class OperatingPoint(NamedTuple):
    """Recall when every score >= ``threshold`` counts as positive."""

    recall: float
    threshold: float


def recall_at_fpr(positive: npt.NDArray[np.bool_], scores: Scores, limit: float) -> OperatingPoint:
    """Recall at the lowest threshold whose false-positive rate is at most ``limit``."""
    negatives = np.sort(scores[~positive])[::-1]
    allowed = int(np.floor(limit * len(negatives)))
    threshold = np.nextafter(negatives[allowed], np.inf) if allowed < len(negatives) else -np.inf
    return OperatingPoint(float(np.mean(scores[positive] >= threshold)), float(threshold))


class Reliability(NamedTuple):
    """Confidence and accuracy of bins of equally many rows, from the least confident on.

    Attributes:
        confidence: mean confidence of each bin, float64 [bins].
        accuracy: share of correct rows of each bin, float64 [bins].
        rows: rows of each bin, int64 [bins].
    """

    confidence: Scores
    accuracy: Scores
    rows: Labels

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of the two, each bin by its rows."""
        gaps = np.abs(self.confidence - self.accuracy)
        return float(np.average(gaps, weights=self.rows)) if len(self.rows) else float("nan")


def reliability(confidence: Scores, correct: npt.NDArray[np.bool_], bins: int = 15) -> Reliability:
    """Sort rows by confidence and compare it with accuracy in bins of equal mass.

    Bins of equal mass, rather than of equal width, have no nearly empty bin that is all noise
    (Nguyen and O'Connor, arXiv 1508.05154). Their rows differ by one at most.

    Args:
        confidence: the predicted label's probability, float64 [N].
        correct: whether it is the true one, bool [N].
        bins: number of bins; fewer where there are fewer rows.
    """
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, len(order))) if len(order) else []
    return Reliability(
        np.array([confidence[part].mean() for part in parts], dtype=np.float64),
        np.array([correct[part].mean() for part in parts], dtype=np.float64),
        np.array([len(part) for part in parts], dtype=np.int64),
    )


def expected_calibration_error(probabilities: Scores, gold: Labels, bins: int = 15) -> float:
    """Expected calibration error of the predicted label, in bins of equal mass.

    Args:
        probabilities: float64 [N, classes].
        gold: int64 [N].
        bins: number of bins.
    """
    found = probabilities.argmax(axis=1)
    return reliability(probabilities.max(axis=1), found == gold, bins).error


def fit_temperature(logits: npt.NDArray[np.floating[Any]], gold: Labels) -> float:
    """The number that logits are divided by to make the true labels likeliest.

    Temperature scaling (Guo et al., arXiv 1706.04599): the negative log-likelihood is convex in
    the inverse temperature, so the minimum over [0.05, 20] is found by a bounded search.

    Args:
        logits: float [N, classes].
        gold: int64 [N].

    Raises:
        ValueError: there are no rows.
    """
    if not len(gold):
        raise ValueError("a temperature cannot be fitted to no rows")
    wide = logits.astype(np.float64)

    def loss(inverse: float) -> float:
        return -float(log_softmax(wide * inverse, axis=1)[np.arange(len(gold)), gold].mean())

    found = minimize_scalar(loss, bounds=(0.05, 20.0), method="bounded", options={"xatol": 1e-5})
    return 1.0 / float(found.x)


def bootstrap_ci(
    statistic: Callable[[npt.NDArray[np.int64]], float],
    rows: int,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 7,
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic over ``rows`` independent rows.

    Args:
        statistic: the figure computed on the rows with these indices (with repetition);
            a nan (for example an AUC of a sample with one class) is left out.
        rows: number of rows.
        samples: number of resamplings.
        level: probability inside the interval.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, rows, rows)) for _ in range(samples)]
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
