"""What CKFlashAttention must compute, in float64, and how far from it a kernel may be.

`attention` is the contract written down in the most obvious way; `error_budget` is the one place
where the tolerated errors and their reasons stand. Both hold whole score matrices, so ask for a
sample of the query rows where these would be long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# Beside a bias of this size float32 cannot hold the product of query and key: what is left is the
# bias. finfo.min, the usual mask of exported models, is such a bias.
SWAMPING = 1e30


@dataclass(frozen=True)
class Answer:
    """What a problem has for an answer, and what its error budget is made of.

    Attributes:
        output: [B,H,Sq,D], the answer.
        weight: [B,H,Sq,D], the same sum with |value| for value: the size of its terms.
        drift: [B,H,Sq,D], by how much the answer moves when each logit moves by the sum of its
            absolute terms, to first order: what a relative error of 1 in the terms would do.
        seen: [B,H,Sq,1], the number of keys that each query sees.
    """

    output: Array
    weight: Array
    drift: Array
    seen: Array


def attention(
    query: NDArray[np.generic],
    key: NDArray[np.generic],
    value: NDArray[np.generic],
    bias: NDArray[np.generic] | None = None,
    *,
    scale: float,
    window_left: int = -1,
    window_right: int = -1,
    rows: NDArray[np.int64] | None = None,
) -> Answer:
    """Return softmax(scale * query key^T + bias) value over the keys that each query sees.

    Query i sees key j when i - window_left <= j <= i + window_right, where -1 is no bound, and the
    bias between them is not -inf. A query that sees nothing gets zeros.

    Args:
        query: [B,H,Sq,D].
        key: [B,H,Sk,D].
        value: [B,H,Sk,D].
        bias: broadcast to [B,H,Sq,Sk]; None is all zeros.
        scale: factor of the products.
        window_left: keys seen before the query's own index; -1: all.
        window_right: keys seen after the query's own index; -1: all.
        rows: int64 [Sq], the queries' own indices where these are a sample; None: 0, 1, 2, ...
    """
    q, k, v = (np.asarray(each, dtype=np.float64) for each in (query, key, value))
    batch, heads, queries, _ = q.shape
    keys = k.shape[2]
    added = np.zeros(1) if bias is None else np.asarray(bias, dtype=np.float64)
    added = np.broadcast_to(added, (batch, heads, queries, keys))

    i = (np.arange(queries) if rows is None else rows)[:, None]
    ahead = np.arange(keys)[None, :] - i
    seen = np.ones((queries, keys), dtype=bool)
    if window_left >= 0:
        seen &= -ahead <= window_left
    if window_right >= 0:
        seen &= ahead <= window_right
    seen = seen & (added != -np.inf)

    # The values of keys that a query does not see must not matter to it, not even NaN: hence one
    # head at a time and `where`, never a product with zero.
    shape = (batch, heads, queries, v.shape[3])
    output, weight, drift = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for at in np.ndindex(batch, heads):
        with np.errstate(invalid="ignore", over="ignore"):
            logits = scale * (q[at] @ k[at].T)
            terms = abs(scale) * (np.abs(q[at]) @ np.abs(k[at]).T)
            swamped = np.abs(added[at]) >= SWAMPING
            logits = np.where(swamped, 0, logits) + added[at]
            terms = np.where(swamped, 0, terms + np.abs(added[at]))
            logits = np.where(seen[at], logits, -np.inf)
            terms = np.where(seen[at], terms, 0)
            top = logits.max(axis=1, initial=-np.inf, keepdims=True)
            exponentials = np.where(seen[at], np.exp(logits - np.where(top == -np.inf, 0, top)), 0)
            total = exponentials.sum(axis=1, keepdims=True)
            share = exponentials / np.where(total == 0, 1, total)
            output[at] = _combine(share, seen[at], v[at])
            weight[at] = _combine(share, seen[at], np.abs(v[at]))
            moved = np.where(share == 0, 0, share * terms)
            drift[at] = _combine(moved, seen[at], np.abs(v[at])) + weight[at] * moved.sum(
                axis=1, keepdims=True
            )
    return Answer(output, weight, drift, seen.sum(axis=3, keepdims=True).astype(np.float64))


def _combine(share: Array, seen: NDArray[np.bool_], value: Array) -> Array:
    """Return share @ value, where NaN and infinity count for those alone who see them."""
    finite = np.isfinite(value)
    result = share @ np.where(finite, value, 0)
    for j in np.flatnonzero(~finite.all(axis=1) & seen.any(axis=0)):
        rows = np.flatnonzero(seen[:, j])
        result[rows] += np.where(finite[j], 0, share[rows, j : j + 1] * value[j])
    return np.asarray(result)


UNIT_ROUNDOFF = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
SMALLEST = {"float32": 2.0**-149, "float16": 2.0**-24}
# Rounding errors of a sum of n terms: a random walk, at most this many times sqrt(n) roundoffs of
# its terms' size, but for one sum in 10^5 (Higham and Mary, SIAM J. Sci. Comput. 41, 2019, lambda
# in theorem 2.4; the bound that holds always, n roundoffs, would hide a wrong kernel).
LAMBDA = 5.0
# exp (2 ulp each), the correction of what came before when the maximum grows, the division.
ELEMENTARY = 12.0


def error_budget(
    answer: Answer, dtype: str, head_size: int, *, compute_type: str = "float32"
) -> Array:
    """Return how far from `answer.output` a kernel may be, element by element, [B,H,Sq,D].

    The budget is relative to the terms that make up an element and not to the element, which may
    be a small difference of large terms. It adds up, with u = 2^-24:

    - logits: `LAMBDA` sqrt(D) u of the sum of their absolute terms, which moves a softmax weight
      by the same amount, relatively;
    - the sum over keys, and the sum of the weights that divides it: `LAMBDA` sqrt(seen) u each;
    - `ELEMENTARY` roundoffs for what happens once for each key;
    - float16 tensors: half a unit in the last place of the result. Nothing between is float16.
    - bfloat16 products, against an oracle that was given scale * Q, K and V rounded to bfloat16
      and then a scale of 1: half a unit of bfloat16 for each softmax weight.

    Numbers below the smallest normal float32 may count as zero (and float16 has denormals of its
    own, which must not).
    """
    u = UNIT_ROUNDOFF["float32"]
    budget = LAMBDA * np.sqrt(head_size) * u * answer.drift
    budget = budget + (2 * LAMBDA * np.sqrt(answer.seen) + ELEMENTARY) * u * answer.weight
    if compute_type == "bfloat16":
        budget = budget + UNIT_ROUNDOFF["bfloat16"] * answer.weight
    # Results, and the products that make them up, may sink below the normal numbers.
    budget = budget + (1 + answer.seen) * 2.0**-126
    if dtype == "float16":
        u16 = UNIT_ROUNDOFF["float16"]
        budget = budget * (1 + u16) + u16 * np.abs(answer.output) + SMALLEST["float16"] / 2
    return np.asarray(budget)


def to_bfloat16(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return finite float32 numbers rounded to the nearest bfloat16, ties to even."""
    bits = np.ascontiguousarray(array, dtype=np.float32).view(np.uint32)
    bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)
