"""Tables and the picture of what perf/curve.py measured, made from its JSON alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fits
import numpy as np
import pictures
from attention_report import milliseconds, over_tokens, table

Value = dict[str, Any]

TITLES = {"whole": "all of it read", "compressed": "compressed to 512 tokens"}
FROM = {"all from 512 tokens": lambda _: 512, "the last three doublings": lambda top: top / 8.5}
"""Ranges of fits, each from a length that may depend on the longest: below 512 tokens a request is
mostly fixed cost, and in both modes the same."""
GROWN_MIB = 2.0
"""Less than that above the idle server is not growth, but noise."""


def sizes_of(mode: Value) -> dict[int, float]:
    """Return by how much each length is above the idle server, in MiB, where that is growth."""
    grown = {row["tokens"]: row["peak_mib"] - mode["idle_mib"] for row in mode["rows"]}
    return {tokens: size for tokens, size in grown.items() if size >= GROWN_MIB}


def exponents(mode: Value) -> list[list[str]]:
    """Return rows of the exponents of time and memory, one for each range."""
    times = {row["tokens"]: row["samples_ms"] for row in mode["rows"]}
    sizes = {tokens: [size] for tokens, size in sizes_of(mode).items()}
    rows = []
    for name, start in FROM.items():
        least = start(max(times))
        fitted = [
            fit({tokens: values for tokens, values in each.items() if tokens >= least})
            for each in (times, sizes)
        ]
        rows.append([f"{TITLES[mode['mode']]}: {name}", *fitted])
    return rows


def fit(samples: dict[int, list[float]]) -> str:
    """Return an exponent and its interval, or a dash for fewer than three lengths."""
    if len(samples) < 3:
        return "–"
    found = fits.exponent(samples)
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def costs(value: Value) -> str:
    """Return the table of both modes, a line for each length."""
    rows = {mode["mode"]: {row["tokens"]: row for row in mode["rows"]} for mode in value["modes"]}
    lines = []
    for tokens in sorted({tokens for each in rows.values() for tokens in each}):
        line = [f"{tokens:,}"]
        for mode in TITLES:
            row = rows.get(mode, {}).get(tokens)
            line += ["–"] * 3 if row is None else cells(row)
        lines.append(line)
    head = ["tokens"]
    for title in TITLES.values():
        head += [f"{title}, ms", "requests", "MiB"]
    return table(head, lines)


def cells(row: Value) -> list[str]:
    """Return median and range of the times, how many there are, and the memory."""
    low, middle, high = np.quantile(row["samples_ms"], [0, 0.5, 1])
    times = f"{milliseconds(middle)} ({milliseconds(low)}-{milliseconds(high)})"
    return [times, str(len(row["samples_ms"])), f"{row['peak_mib']:,.0f}"]


def markdown(value: Value) -> str:
    """Return the section on cost by length."""
    idle = " and ".join(f"{mode['idle_mib']:,.0f}" for mode in value["modes"])
    return "\n".join(
        [
            "## Cost by length\n",
            "Whole decisions on bare texts, one at a time: median (least to most) of texts that "
            "are all different, and the highest PSS of the whole server while one such text is "
            f"judged; the two servers held {idle} MiB when idle.\n",
            costs(value),
            "Cost grows with the tokens to the power of (in brackets: 95 %, by bootstrap over "
            "lengths and texts; memory: what is above the idle server; a dash: fewer than three "
            f"lengths, or no growth of {GROWN_MIB:g} MiB)\n",
            table(
                ["", "time", "memory"], [row for mode in value["modes"] for row in exponents(mode)]
            ),
        ]
    )


def draw(value: Value, folder: Path) -> list[Path]:
    """Draw time and memory over the tokens."""
    figure, (time, memory) = pictures.subplots(1, 2, size=(11, 4.2))
    for mode, colour in zip(value["modes"], pictures.COLOURS, strict=False):
        title = TITLES[mode["mode"]]
        tokens = [row["tokens"] for row in mode["rows"]]
        for row in mode["rows"]:
            dots = row["samples_ms"]
            time.plot([row["tokens"]] * len(dots), dots, ".", color=colour, ms=4, alpha=0.35)
        medians = [np.median(row["samples_ms"]) for row in mode["rows"]]
        time.plot(tokens, medians, "-", color=colour, lw=1.6, label=title)
        peaks = [row["peak_mib"] for row in mode["rows"]]
        memory.plot(tokens, peaks, "o-", color=colour, lw=1.6, ms=4, label=title)
    time.set(title="time of one decision", ylabel="milliseconds")
    memory.set(title="whole server while one text is judged", ylabel="MiB, highest PSS")
    every = sorted({row["tokens"] for mode in value["modes"] for row in mode["rows"]})
    for axis in (time, memory):
        over_tokens(axis, every[:: -(-len(every) // 6)])
        axis.legend(frameon=False, fontsize=8)
    memory.set_yscale("linear")
    memory.set_ylim(0)
    memory.yaxis.set_major_formatter("{x:,.0f}")
    return pictures.save(figure, folder, "curve")
