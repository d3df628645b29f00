"""Counts verdicts that compression keeps: pure functions over the rows of a measurement."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from training.metrics import bootstrap_ci

WHOLE = "whole"
WAYS = ("ours", "reference", "reference, 512 tokens")
BENIGN = "benign"
ATTACK, PERSONAL, TOPIC = "attack", "pii", "topic"
LENGTH_EDGES = (0, 4_000, 8_000, 16_000, 64_000)
DEPTH_EDGES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)

Row = dict[str, Any]
Pick = Callable[[Row], bool]
Hit = Callable[[Row, str], bool]


@dataclass(frozen=True)
class Share:
    """``kept`` of ``of``, with a 95 % interval; all nan where there is nothing to count."""

    kept: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share."""
        return self.kept / self.of if self.of else math.nan


def share(hits: Sequence[bool]) -> Share:
    """Share of the hits, with Wilson's interval."""
    kept, of = sum(hits), len(hits)
    if not of:
        return Share(0, 0, math.nan, math.nan)
    found = binomtest(kept, of).proportion_ci(method="wilson")
    return Share(kept, of, float(found.low), float(found.high))


def pooled(pairs: Sequence[Sequence[int]]) -> Share:
    """Share of what several texts hold, [kept, of] each; interval bootstrapped over texts."""
    counts = np.array([pair for pair in pairs if pair[1]], np.int64).reshape(-1, 2)
    if not len(counts):
        return Share(0, 0, math.nan, math.nan)

    def ratio(chosen: Any) -> float:  # noqa: ANN401 - an array of indices
        kept, of = counts[chosen].sum(axis=0)
        return float(kept / of)

    kept, of = counts.sum(axis=0).tolist()
    if kept in (0, of):  # every resampling agrees: as if each text held one
        whole = share([kept > 0] * len(counts))
        return Share(kept, of, whole.low, whole.high)
    low, high = bootstrap_ci(ratio, len(counts))
    return Share(kept, of, low, high)


def same(key: str) -> Hit:
    """Whether a way says the same as the whole text."""
    return lambda row, way: bool(row[way][key] == row[WHOLE][key])


def same_safety(row: Row, way: str) -> bool:
    """Whether a way finds a text unsafe just when the whole text is found so."""
    return flagged(row, way) == flagged(row, WHOLE)


def flagged(row: Row, way: str) -> bool:
    """Whether a safety rule fires."""
    return bool(row[way]["safety"] != BENIGN)


def right_domain(row: Row, way: str) -> bool:
    """Whether the domain is that of the planted question."""
    return bool(row[way]["domain"] == row["gold_domain"])


def of_kind(*kinds: str) -> Pick:
    """Rows with such a thing planted."""
    return lambda row: row["kind"] in kinds


def unsafe_whole(row: Row) -> bool:
    """Rows whose whole text is found unsafe."""
    return flagged(row, WHOLE)


def everything(_: Row) -> bool:
    """All rows."""
    return True


AGREEMENT: tuple[tuple[str, Pick, Hit], ...] = (
    ("safety verdict the same (benign or unsafe), all prompts", everything, same_safety),
    ("safety verdict the same (three labels), all prompts", everything, same("safety")),
    ("unsafe verdicts kept", unsafe_whole, flagged),
    (
        "unsafe verdicts kept, attacks alone",
        lambda row: row["kind"] == ATTACK and unsafe_whole(row),
        flagged,
    ),
    (
        "benign verdicts kept",
        lambda row: not unsafe_whole(row),
        lambda row, way: not flagged(row, way),
    ),
    ("domain the same, prompts with a question", of_kind(TOPIC), same("domain")),
    ("domain the same after the threshold, question", of_kind(TOPIC), same("routed")),
    (
        "domain the same, where the whole text's is right",
        lambda row: row["kind"] == TOPIC and right_domain(row, WHOLE),
        same("domain"),
    ),
    ("domain the same, all prompts", everything, same("domain")),
)
"""What of the whole text's verdicts stays: name, which prompts, what counts."""

SPANS = (
    ("planted personal data found by patterns, kept", "planted pattern"),
    ("planted personal data found by the model, kept", "planted model"),
    ("all found by patterns, the filler's too, kept", "all pattern"),
    ("all found by the model, the filler's too, kept", "all model"),
)


def agreement(rows: Sequence[Row], ways: Sequence[str] = WAYS) -> dict[str, dict[str, Share]]:
    """By figure and way: what compression keeps of the verdicts on whole texts."""
    figures = {
        name: {way: share([hit(row, way) for row in rows if pick(row)]) for way in ways}
        for name, pick, hit in AGREEMENT
    }
    for name, key in SPANS:
        chosen = [row for row in rows if row["kind"] == PERSONAL or key.startswith("all")]
        figures[name] = {way: pooled([row[way][key] for row in chosen]) for way in ways}
    return figures


def correctness(
    rows: Sequence[Row], compressed: Sequence[str] = WAYS
) -> dict[str, dict[str, Share]]:
    """By figure and way, the whole text among them: how often it is right."""
    sources = dict.fromkeys(row["source"] for row in rows if row["kind"] == ATTACK)
    attacks: list[tuple[str, Pick]] = [("attacks found unsafe", of_kind(ATTACK))]
    attacks += [
        (f"attacks found unsafe: {source}", lambda row, wanted=source: row["source"] == wanted)  # type: ignore[misc]
        for source in sources
    ]
    ways = (WHOLE, *compressed)
    figures = {
        name: {way: share([flagged(row, way) for row in rows if pick(row)]) for way in ways}
        for name, pick in attacks
    }
    harmless = [row for row in rows if row["kind"] != ATTACK]
    figures["harmless prompts found unsafe (false alarms)"] = {
        way: share([flagged(row, way) for row in harmless]) for way in ways
    }
    topics = [row for row in rows if row["kind"] == TOPIC]
    figures["domain of the question right"] = {
        way: share([right_domain(row, way) for row in topics]) for way in ways
    }
    personal = [row for row in rows if row["kind"] == PERSONAL]
    figures["gold spans of personal data found (type and both ends)"] = {
        way: pooled([row[way]["gold"] for row in personal]) for way in ways
    }
    return figures


def buckets(rows: Sequence[Row], by: str) -> dict[str, list[Row]]:
    """Rows by ``filler`` (by name), ``length`` or ``depth`` (ascending)."""
    if by == "filler":
        names = sorted({row["filler"] for row in rows})
        return {name: [row for row in rows if row["filler"] == name] for name in names}
    key, edges = ("tokens", LENGTH_EDGES) if by == "length" else ("depth", DEPTH_EDGES)
    found: dict[str, list[Row]] = {}
    for low, high in itertools.pairwise(edges):
        last = high == edges[-1]
        inside = [row for row in rows if low <= row[key] < high or (last and row[key] == high)]
        name = bucket_name(by, low, high, last)
        if inside:
            found[name] = inside
    return found


def bucket_name(by: str, low: float, high: float, last: bool) -> str:
    """How a bucket is called in tables."""
    if by == "depth":
        return f"{low:g}-{high:g}"
    if low == 0:
        return f"under {high / 1000:g}K"
    return f"over {low / 1000:g}K" if last else f"{low / 1000:g}K-{high / 1000:g}K"
