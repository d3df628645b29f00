"""Strict span figures: counts of texts, and what is computed from their sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pointsman_backends.router.spans import Span as Found
from training.evaluation.figures import Figure, figure
from training.metrics import Span
from training.pii import types as pii_types

Counts = npt.NDArray[np.int64]
"""int64 [N, 3]: correct, found and true spans of each text."""
F1, PRECISION, RECALL = "strict span F1", "strict precision", "strict recall"


def labelled(spans: Iterable[pii_types.Span]) -> set[Span]:
    """True spans as (type, start, end)."""
    return {(span.label, span.start, span.end) for span in spans}


def reported(spans: Iterable[Found]) -> set[Span]:
    """Found spans as (type, start, end)."""
    return {(span.type, span.start, span.end) for span in spans}


def counts(gold: Sequence[set[Span]], found: Sequence[set[Span]]) -> Counts:
    """Spans of each text; one is correct when type, start and end all agree."""
    rows = [(len(g & f), len(f), len(g)) for g, f in zip(gold, found, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def covered(gold: Sequence[set[Span]], found: Sequence[set[Span]]) -> Counts:
    """Characters instead of spans, of whatever type: covered, found, true."""

    def places(spans: set[Span]) -> set[int]:
        return {i for _, start, end in spans for i in range(start, end)}

    rows = []
    for real, got in zip(map(places, gold), map(places, found), strict=True):
        rows.append((len(real & got), len(got), len(real)))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _ratio(upper: float, lower: float) -> float:
    return float(upper / lower) if lower else float("nan")


STATISTICS: dict[str, Callable[[Counts], float]] = {
    F1: lambda total: _ratio(2 * total[0], total[1] + total[2]),
    PRECISION: lambda total: _ratio(total[0], total[1]),
    RECALL: lambda total: _ratio(total[0], total[2]),
    "characters covered": lambda total: _ratio(total[0], total[2]),
}
"""Figures from the column sums of Counts; nan where there is nothing to divide by."""


def span_figure(name: str, metric: str, rows: Counts, aim: float | None = None) -> Figure:
    """One figure with its interval, bootstrapped over texts."""
    compute = STATISTICS[metric]
    return figure(name, metric, len(rows), lambda r: compute(rows[r].sum(axis=0)), aim)


def by_type(
    types: Sequence[str], gold: Sequence[set[Span]], found: Sequence[set[Span]]
) -> list[dict[str, str | int | float | None]]:
    """Strict precision, recall and F1 of each type that occurs in ``gold``."""
    rows: list[dict[str, str | int | float | None]] = []
    for type_ in types:
        total = counts(
            [{span for span in spans if span[0] == type_} for spans in gold],
            [{span for span in spans if span[0] == type_} for spans in found],
        ).sum(axis=0)
        if total[2]:
            values = {metric: STATISTICS[metric](total) for metric in (PRECISION, RECALL, F1)}
            rows.append(
                {
                    "type": type_,
                    "true": int(total[2]),
                    "found": int(total[1]),
                    **{m: None if np.isnan(v) else round(v, 4) for m, v in values.items()},
                }
            )
    return rows
