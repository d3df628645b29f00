"""Figures of merit, as pure functions over arrays, and bootstrap confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score, roc_auc_score

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
    return float(
        f1_score(gold, predicted, labels=np.unique(gold), average="macro", zero_division=0)
    )


def auc(positive: npt.NDArray[np.bool_], scores: Scores) -> float:
    """Area under the ROC curve; nan when one of the two classes is absent."""
    if positive.all() or not positive.any():
        return float("nan")
    return float(roc_auc_score(positive, scores))


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


class SpanScore(NamedTuple):
    """Strict precision, recall and F1 over spans, and the counts they come from."""

    precision: float
    recall: float
    f1: float
    true_positives: int
    predicted: int
    gold: int


def span_score(gold: Sequence[Set[Span]], predicted: Sequence[Set[Span]]) -> SpanScore:
    """Strict span scores: a span counts only when type, start and end all agree.

    Args:
        gold: the true spans of each text.
        predicted: the found spans of each text, in the same order.
    """
    hits = sum(len(g & p) for g, p in zip(gold, predicted, strict=True))
    found, real = sum(map(len, predicted)), sum(map(len, gold))
    precision = hits / found if found else 0.0
    recall = hits / real if real else 0.0
    f1 = 2 * hits / (found + real) if found + real else 0.0
    return SpanScore(precision, recall, f1, hits, found, real)


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
