"""Lines and powers fitted to measurements, with intervals of 95 %."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 2000
SEGMENTS = 10


class Fit(NamedTuple):
    """A fitted figure, and the ends of its interval of 95 %."""

    value: float
    low: float
    high: float


def exponent(samples: Mapping[int, Sequence[float]], seed: int = 1) -> Fit:
    """Fit ``y = c x^k`` to the median at each x, by least squares of logarithms; return k.

    The interval is a bootstrap's: x are drawn with replacement, and at each the samples. So it is
    wide where few x were measured, or where growth is no power.

    Args:
        samples: at each x the values measured, all positive.
        seed: of the bootstrap.

    Raises:
        ValueError: fewer than three x, or a value that has no logarithm.
    """
    if len(samples) < 3:
        raise ValueError(f"{len(samples)} points are too few for a fit")
    x = np.log(np.array(list(samples), float))
    values = [np.asarray(each, float) for each in samples.values()]
    if min(float(each.min()) for each in values) <= 0:
        raise ValueError("a value that is not positive has no logarithm")
    random = np.random.default_rng(seed)
    slopes: list[float] = []
    while len(slopes) < RESAMPLES:
        drawn = random.integers(0, len(x), len(x))
        if len(set(drawn.tolist())) > 1:
            medians = [np.median(random.choice(values[i], len(values[i]))) for i in drawn]
            slopes.append(_slope(x[drawn], np.log(medians)))
    low, high = np.quantile(slopes, [0.025, 0.975])
    return Fit(_slope(x, np.log([np.median(each) for each in values])), float(low), float(high))


def _slope(x: np.ndarray, y: np.ndarray) -> float:
    away = x - x.mean()
    return float(away @ y / (away @ away))


def line(x: Sequence[float], y: Sequence[float]) -> Fit:
    """Return the slope of y over x by least squares, with the interval of Student's t.

    Raises:
        ValueError: fewer than three points.
    """
    from scipy import stats

    if len(x) < 3:
        raise ValueError(f"{len(x)} points are too few for a line with an interval")
    found = stats.linregress(x, y)
    wide = float(stats.t.ppf(0.975, len(x) - 2)) * float(found.stderr)
    return Fit(float(found.slope), float(found.slope) - wide, float(found.slope) + wide)


def drift(x: Sequence[float], y: Sequence[float]) -> Fit:
    """Return the slope of a series, from the means of ten parts of it.

    Neighbours in a series of memory sizes are not independent: of single points the interval would
    be too narrow.

    Raises:
        ValueError: fewer than ten points.
    """
    if len(x) < SEGMENTS:
        raise ValueError(f"{len(x)} points are too few for {SEGMENTS} parts")
    parts = [
        [float(np.mean(part)) for part in np.array_split(np.asarray(each, float), SEGMENTS)]
        for each in (x, y)
    ]
    return line(*parts)
