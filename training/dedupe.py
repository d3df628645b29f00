"""What keeps measured texts out of training: shares by hash, near-duplicates by word 8-grams."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"\w+")


def bucket(text: str, buckets: int) -> int:
    """A number in ``range(buckets)`` that depends on the words of ``text`` alone."""
    words = " ".join(_WORD.findall(text.lower()))
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big") % buckets


def grams(text: str, size: int = 8) -> frozenset[tuple[str, ...]]:
    """Lower-case word n-grams; a text of fewer words is one gram of all of them."""
    words = _WORD.findall(text.lower())
    if len(words) <= size:
        return frozenset({tuple(words)} if words else ())
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def overlaps(
    candidates: Iterable[str], held_out: Iterable[str], threshold: float = 0.0, size: int = 8
) -> list[bool]:
    """Whether each candidate shares n-grams with some held-out text.

    Args:
        candidates: texts that may be trained on.
        held_out: texts that must stay unseen.
        threshold: a candidate overlaps when the grams it shares with one held-out text are
            more than this share of the smaller of the two; 0 means that one shared gram is
            enough (right for attacks; exam questions share stock phrases and need more).
        size: words of a gram.
    """
    owners: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    sizes: list[int] = []
    for number, text in enumerate(held_out):
        found = grams(text, size)
        sizes.append(len(found))
        for gram in found:
            owners[gram].append(number)
    out: list[bool] = []
    for text in candidates:
        mine = grams(text, size)
        shared: Counter[int] = Counter()
        for gram in mine:
            shared.update(owners.get(gram, ()))
        out.append(any(count > threshold * min(len(mine), sizes[n]) for n, count in shared.items()))
    return out


def without_overlap(
    candidates: Sequence[str], held_out: Iterable[str], threshold: float = 0.0, size: int = 8
) -> list[int]:
    """Indices of the candidates to keep: no overlap with ``held_out``, no exact repetition."""
    seen: set[str] = set()
    kept: list[int] = []
    flags = overlaps(candidates, held_out, threshold, size)
    for index, (text, overlap) in enumerate(zip(candidates, flags, strict=True)):
        key = " ".join(_WORD.findall(text.lower())) or text
        if not overlap and key not in seen:
            seen.add(key)
            kept.append(index)
    return kept
