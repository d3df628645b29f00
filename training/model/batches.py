"""Padded batches of texts of similar length."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt


def pad(rows: Sequence[Sequence[int]], value: int) -> npt.NDArray[np.int64]:
    """Rows of ids as int64 [B, S], S the longest row, filled up with ``value``."""
    out = np.full((len(rows), max(map(len, rows))), value, dtype=np.int64)
    for row, ids in zip(out, rows, strict=True):
        row[: len(ids)] = ids
    return out


def buckets(
    lengths: Sequence[int], batch_tokens: int, max_rows: int, rng: random.Random | None
) -> Iterator[list[int]]:
    """Indices grouped by similar length: at most ``batch_tokens`` padded tokens a batch.

    Args:
        lengths: tokens of each example.
        batch_tokens: limit of rows x longest row (one row is always let through).
        max_rows: limit of rows, so that batches of tiny texts stay comparable.
        rng: shuffles the batches and jitters the order by length; None for plain order.
    """
    jitter = [rng.uniform(0.9, 1.1) if rng else 1.0 for _ in lengths]
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] * jitter[i])
    batches: list[list[int]] = []
    batch: list[int] = []
    longest = 0
    for index in order:
        longest = max(longest, lengths[index])
        if batch and (longest * (len(batch) + 1) > batch_tokens or len(batch) == max_rows):
            batches.append(batch)
            batch, longest = [], lengths[index]
        batch.append(index)
    if batch:
        batches.append(batch)
    if rng:
        rng.shuffle(batches)
    yield from batches
