"""One measured figure with its interval, as the results file holds it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

from training.metrics import (
    Labels,
    Scores,
    accuracy,
    auc,
    bootstrap_ci,
    macro_f1,
    recall_at_fpr,
)

Flags = npt.NDArray[np.bool_]
T = TypeVar("T")

FALSE_POSITIVES = 0.02
"""The rate of false positives at which recall is compared."""


class Figure(TypedDict):
    """One figure of merit.

    Attributes:
        set: texts it was measured on.
        metric: what was measured.
        value: the figure.
        ci95: 95 % interval, bootstrapped over texts; None where all resamplings agree.
        rows: number of texts.
        aim: what the project wants to reach (at most, for errors), None where nothing is set.
    """

    set: str
    metric: str
    value: float
    ci95: tuple[float, float] | None
    rows: int
    aim: float | None


def figure(
    name: str,
    metric: str,
    rows: int,
    compute: Callable[[npt.NDArray[np.int64]], float],
    aim: float | None = None,
) -> Figure:
    """A figure and its interval.

    Args:
        name: the set.
        metric: of ``compute``.
        rows: number of texts.
        compute: the figure of the texts with these indices.
        aim: see Figure.

    Raises:
        ValueError: there are no texts to measure on, or none of one class.
    """
    value = compute(np.arange(rows)) if rows else float("nan")
    if np.isnan(value):
        raise ValueError(f"{name}: {metric} cannot be measured on these {rows} texts")
    low, high = bootstrap_ci(compute, rows)
    return {
        "set": name,
        "metric": metric,
        "value": round(value, 4),
        "ci95": (round(low, 4), round(high, 4)) if low < high else None,
        "rows": rows,
        "aim": aim,
    }


def share(name: str, metric: str, hits: Flags, aim: float | None = None) -> Figure:
    """The share of texts that are a hit."""
    return figure(name, metric, len(hits), lambda rows: float(hits[rows].mean()), aim)


def area(name: str, positive: Flags, scores: Scores, aim: float | None = None) -> Figure:
    """Area under the ROC curve."""
    return figure(name, "AUC", len(positive), lambda r: auc(positive[r], scores[r]), aim)


def recall_at(name: str, positive: Flags, scores: Scores, aim: float | None = None) -> Figure:
    """Recall where at most FALSE_POSITIVES of the same set's other texts score as high."""

    def compute(rows: npt.NDArray[np.int64]) -> float:
        if positive[rows].all() or not positive[rows].any():
            return float("nan")
        return recall_at_fpr(positive[rows], scores[rows], FALSE_POSITIVES).recall

    return figure(name, "recall at 2 % false positives", len(positive), compute, aim)


def classes(
    name: str, metric: str, gold: Labels, found: Labels, aim: float | None = None
) -> Figure:
    """Accuracy or macro-F1."""
    compute = {"accuracy": accuracy, "macro-F1": macro_f1}[metric]
    return figure(name, metric, len(gold), lambda rows: compute(gold[rows], found[rows]), aim)


def sample(rows: Sequence[T], limit: int | None, seed: int = 5) -> list[T]:
    """At most ``limit`` of the rows, chosen by a seeded draw and kept in order; None for all."""
    if limit is None or len(rows) <= limit:
        return list(rows)
    kept = sorted(random.Random(seed).sample(range(len(rows)), limit))
    return [rows[i] for i in kept]
