"""Step 3, retrieve: choose the sentences that a classifier will read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Kept", "must_read", "retrieve"]


@dataclass(frozen=True)
class Kept:
    """The sentences chosen.

    Attributes:
        sentences: Which of the S are kept, bool [S].
        partial: The one of them whose tokens exceed the room, of which only the beginning can be
            kept (then it is the only one), or None.
        truncated: Whether a sentence that must be read is left out or cut.
    """

    sentences: npt.NDArray[np.bool_]
    partial: int | None
    truncated: bool


def must_read(
    scores: npt.NDArray[np.float64],
    tokens: npt.NDArray[np.int64],
    last_message: int,
    found: npt.NDArray[np.int64],
    found_room: int,
) -> list[int]:
    """List the sentences that are read whatever their score, the most important first.

    They are the last and the first sentence of the last message, the first sentence of the text,
    and those with a finding of the pattern scan: the best scored of these, as far as they fit into
    ``found_room`` tokens. (The others' findings are reported all the same.)

    Args:
        scores: Relevance, float64 [S].
        tokens: Tokens of each sentence, int64 [S].
        last_message: Index of the sentence that begins the last message.
        found: Indices of sentences with findings, int64 [F], ascending.
        found_room: Tokens that sentences with findings may take, independent of the budget.
    """
    forced = dict.fromkeys([len(tokens) - 1, last_message, 0])
    for sentence in found[np.argsort(-scores[found], kind="stable")].tolist():
        size = int(tokens[sentence])
        if sentence not in forced and size <= found_room:
            forced[sentence] = None
            found_room -= size
    return list(forced)


def retrieve(
    scores: npt.NDArray[np.float64],
    tokens: npt.NDArray[np.int64],
    forced: list[int],
    room: int,
) -> Kept:
    """Keep the forced sentences, then the best scored ones, as far as each fits.

    Each sentence in that order is taken if it fits into what is left. So more room never keeps
    fewer tokens: the first sentence that only the larger room takes fills it to the last token.

    Args:
        scores: Relevance, float64 [S].
        tokens: Tokens of each sentence, int64 [S].
        forced: Sentences that come before all others, in order.
        room: Tokens to fill, at least 1.
    """
    kept = np.zeros(len(tokens), np.bool_)
    truncated = False
    left = room
    for sentence in forced:
        if tokens[sentence] <= left:
            kept[sentence] = True
            left -= int(tokens[sentence])
        else:
            truncated = True
    order = np.argsort(-scores, kind="stable")
    order = order[~kept[order] & (tokens[order] <= left)]
    sizes = tokens[order].tolist()
    smallest = min(sizes, default=0)
    for sentence, size in zip(order.tolist(), sizes, strict=True):
        if size <= left:
            kept[sentence] = True
            left -= size
        if left < smallest:
            break
    if kept.any():
        return Kept(kept, None, truncated)
    kept[forced[0]] = True
    return Kept(kept, forced[0], True)
