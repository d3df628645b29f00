"""How long compression takes, and how much memory: by length of English text, on one thread.

Every call carries another text, drawn from the same paragraphs, so that words are known and texts
are not. What the first text after a start costs is told apart.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import compression_reference as reference
import numpy as np
from attention_report import exponent
from prose import PACKAGES, Prose
from rich.progress import track

from pointsman_backends.compressor import Compressed, Compressor

LENGTHS = (500, 2_000, 8_000, 13_400, 27_000, 55_000, 128_000, 256_000, 512_000, 1_000_000)
FROM = 8_000
"""Growth is fitted from here on: below, a text is mostly fixed cost."""
BUDGET = 512
ROUNDS = 5
TURNS, TOKENS = 8, 1_000_000
"""Most turns at one length in a round, and tokens of all of them together."""
TEXTS = 3
"""Compressed one after the other in each turn, before the published scoring, which leaves the
processor's caches full of its own, has its turn."""

Row = dict[str, Any]
Make = Callable[[], Compressor]


def turns_at(tokens: int) -> int:
    """Return how many turns are timed at a length in a round."""
    return max(1, min(TURNS, TOKENS // (tokens * TEXTS)))


def quartiles(values: Sequence[float]) -> dict[str, float | list[float]]:
    """Return the median and the quartiles."""
    low, middle, high = (round(float(q), 3) for q in np.quantile(values, [0.25, 0.5, 0.75]))
    return {"p50": middle, "quartiles": [low, high]}


def check(result: Compressed, tokens: int | None) -> None:
    """Raise RuntimeError unless the answer is possible, and its token count ``tokens`` if given."""
    if result.errors:
        raise RuntimeError(f"checks did not run: {', '.join(result.errors)}")
    if not 0 < len(result.input_ids) <= BUDGET:
        raise RuntimeError(f"{len(result.input_ids)} tokens were kept of a budget of {BUDGET}")
    if tokens is not None and result.tokens != tokens:
        raise RuntimeError(f"{result.tokens} tokens were counted, the tokenizer counts {tokens}")


def timed(compressor: Compressor, utf8: bytes) -> tuple[Compressed, float, float]:
    """Compress; return the result, wall-clock and processor time of this thread in ms."""
    cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
    result = compressor.compress(utf8, budget=BUDGET)
    took = (time.perf_counter_ns() - wall) / 1e6, (time.thread_time_ns() - cpu) / 1e6
    return result, *took


def first_ms(make: Make, utf8: bytes) -> float:
    """Return the wall-clock time of a text for a compressor that has seen but a few words."""
    fresh = make()
    fresh.compress(b"Line is clear. " * 200, budget=BUDGET)
    return round(timed(fresh, utf8)[1], 3)


def peak_bytes(compressor: Compressor, utf8: bytes) -> int:
    """Return the most memory that compressing takes beyond what it has, in bytes."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        compressor.compress(utf8, budget=BUDGET)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@dataclass
class Length:
    """What was measured of texts of one length, in ms but for ``texts``, the last ones drawn."""

    tokens: int
    first: float
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    published: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


def take_turns(compressor: Compressor, prose: Prose, length: Length, turns: int) -> None:
    """Measure some turns, after one that warms up: our texts, then the published scoring."""
    for turn in range(-1, turns):
        length.texts = [prose.draw(length.tokens) for _ in range(TEXTS)]
        encoded = [text.encode() for text in length.texts]
        answers = [timed(compressor, utf8) for utf8 in encoded]
        begin = time.perf_counter_ns()
        reference.compress(length.texts[-1], BUDGET)
        published = (time.perf_counter_ns() - begin) / 1e6
        for number, (result, wall, cpu) in enumerate(answers):
            is_first = turn < 0 and number == 0 and not length.walls
            check(result, prose.count(length.texts[number]) if is_first else None)
            if turn >= 0:
                length.walls.append(wall)
                length.cpus.append(cpu)
                for step, us in result.timings_us.items():
                    length.steps.setdefault(step, []).append(us / 1e3)
        if turn >= 0:
            length.published.append(published)


def summarise(compressor: Compressor, length: Length) -> Row:
    """What is told of a length."""
    text = length.texts[-1]
    utf8 = text.encode()
    return {
        "tokens": compressor.compress(utf8, budget=BUDGET).tokens,
        "wanted": length.tokens,
        "characters": len(text),
        "bytes": len(utf8),
        "calls": len(length.walls),
        "wall_ms": quartiles(length.walls),
        "cpu_ms": quartiles(length.cpus),
        "lowest_cpu_ms": round(min(length.cpus), 3),
        "first_ms": length.first,
        "steps_ms": {step: round(float(np.median(ms)), 3) for step, ms in length.steps.items()},
        "peak_bytes_per_character": round(peak_bytes(compressor, utf8) / len(text), 2),
        "reference_python_ms": quartiles(length.published),
    }


def measure(make: Make, seed: int) -> Row:
    """Measure all lengths, and how time grows with them.

    They are gone through in rounds, because a machine is now faster and now slower.
    """
    prose = Prose(seed, PACKAGES)
    compressor = make()
    lengths = [Length(tokens, first_ms(make, prose.draw(tokens).encode())) for tokens in LENGTHS]
    for _ in track(range(ROUNDS), "time"):
        for length in lengths:
            take_turns(compressor, prose, length, turns_at(length.tokens))
    rows = [summarise(compressor, length) for length in lengths]
    fitted = [row for row in rows if row["wanted"] >= FROM]
    growth = {
        key: round(
            exponent([row["tokens"] for row in fitted], [row[key]["p50"] for row in fitted]), 3
        )
        for key in ("wall_ms", "cpu_ms")
    }
    return {"budget": BUDGET, "rows": rows, "growth_exponent": growth}
