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
    medians = np.log([np.median(each) for each in values])
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(x), (RESAMPLES, len(x)))
    drawn = drawn[np.ptp(drawn, axis=1) > 0]  # one x alone has no slope
    # For each x, as many medians of samples drawn anew as it can be drawn.
    again = np.stack(
        [np.median(random.choice(each, (*drawn.shape, len(each))), axis=2) for each in values]
    )
    y = np.log(np.take_along_axis(again, drawn[None], axis=0)[0])
    low, high = np.quantile(_slopes(x[drawn], y), [0.025, 0.975])
    return Fit(float(_slopes(x[None], medians[None])[0]), float(low), float(high))


def _slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the slope of each row of y over that of x."""
    away = x - x.mean(axis=1, keepdims=True)
    return (away * y).sum(axis=1) / (away * away).sum(axis=1)


def line(x: Sequence[float], y: Sequence[float]) -> Fit:
    """Return the slope of y over x by least squares, with the interval of Student's t.

    Raises:
        ValueError: fewer than three points.
    """
    from scipy.special import stdtrit

    if len(x) < 3:
        raise ValueError(f"{len(x)} points are too few for a line with an interval")
    across, up = (np.asarray(each, float) - np.mean(each) for each in (x, y))
    slope = float(across @ up / (across @ across))
    left = up - slope * across
    error = float(np.sqrt(left @ left / (len(x) - 2) / (across @ across)))
    wide = float(stdtrit(len(x) - 2, 0.975)) * error
    return Fit(slope, slope - wide, slope + wide)


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
