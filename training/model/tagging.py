"""BIO classes of tokens from spans of characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

IGNORED = -100
"""Class of a token that has no part in the loss (special tokens, padding)."""


def tag(
    offsets: Iterable[tuple[int, int]],
    spans: Iterable[tuple[str, int, int]],
    labels: Sequence[str],
) -> list[int]:
    """BIO class of each token: B- for the first token of a span, I- for its others.

    Args:
        offsets: [start, end) of each token in code points, ascending; special tokens are empty.
        spans: (type, start, end) in code points, half-open, in order, disjoint.
        labels: names of the classes, "O" and "B-X", "I-X" of every type.
    """
    numbers = {name: number for number, name in enumerate(labels)}
    waiting = iter(spans)
    span = next(waiting, None)
    begun = False
    found = []
    for start, end in offsets:
        if start == end:
            found.append(IGNORED)
            continue
        while span is not None and span[2] <= start:
            span, begun = next(waiting, None), False
        if span is not None and end > span[1]:
            found.append(numbers[f"{'I' if begun else 'B'}-{span[0]}"])
            begun = True
        else:
            found.append(numbers["O"])
    return found
