"""Tables and pictures of what perf/compression.py measured, made from its JSON alone.

Usage: ``PYTHONPATH=. python perf/compression_report.py [FILE.json]`` writes
docs/compression_results.md and draws docs/images/compression_{time,agreement}.svg.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import compression_counts as counts
import typer
from attention_report import milliseconds, over_tokens, table
from compression_counts import WAYS, WHOLE, Share

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "perf" / "results" / "compression.json"
PAGE = ROOT / "docs" / "compression_results.md"
TIME_PICTURE = ROOT / "docs" / "images" / "compression_time.svg"
AGREEMENT_PICTURE = ROOT / "docs" / "images" / "compression_agreement.svg"
PUBLISHED_MS = {13_400: 26.0, 27_000: 47.0}
"""Of the implementation of arXiv 2603.12646, on one thread; at 27K tokens it scores a sample of 500
sentences. Cited as published, not measured by perf/compression.py."""
TICKS = (1_000, 10_000, 100_000, 1_000_000)
"""Marked on the axis of tokens."""
COLOURS = {"ours": "#2563a8", "reference": "#a85b12", "reference, 512 tokens": "#8a5a9e"}
Results = dict[str, Any]


def percent(found: Share, spread: bool = True) -> str:
    """Return a share as a percentage with its interval and its counts, or a dash."""
    if not found.of:
        return "–"
    if not spread:
        return f"{found.value:.1%} ({found.kept:,} of {found.of:,})"
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}] of {found.of:,}"


def spread(found: dict[str, Any]) -> str:
    """Return a median with its quartiles."""
    low, high = found["quartiles"]
    return f"{milliseconds(found['p50'])} ({milliseconds(low)}-{milliseconds(high)})"


def time_tables(part: Results) -> list[str]:
    """Return the tables of time and memory, and what grows how."""
    rows = part["rows"]
    steps = list(dict.fromkeys(step for row in rows for step in row["steps_ms"]))
    main = table(
        [
            "tokens",
            "p50 (quartiles), ms",
            "processor time (lowest), ms",
            "first text after a start, ms",
            "published, ms",
            "peak memory, bytes a character",
        ],
        [
            [
                f"{row['tokens']:,}",
                spread(row["wall_ms"]),
                f"{milliseconds(row['cpu_ms']['p50'])} ({milliseconds(row['lowest_cpu_ms'])})",
                milliseconds(row["first_ms"]),
                milliseconds(PUBLISHED_MS.get(row["wanted"])),
                f"{row['peak_bytes_per_character']:.1f}",
            ]
            for row in rows
        ],
    )
    detail = table(
        ["tokens", *(f"{step}, ms" for step in steps)],
        [
            [f"{row['tokens']:,}", *(milliseconds(row["steps_ms"].get(step)) for step in steps)]
            for row in rows
        ],
    )
    growth = ", ".join(
        f"{value:.2f} ({'wall clock' if key == 'wall_ms' else 'processor time'})"
        for key, value in part["growth_exponent"].items()
    )
    return [
        main,
        f"From 8,000 tokens on, time grows with the tokens to the power of {growth}.\n",
        detail,
    ]


def by_way(
    first: str, figures: dict[str, dict[str, Share]], ways: Sequence[str], intervals: bool = True
) -> str:
    """Return a table of shares: a line for each figure, a column for each way."""
    names = {WHOLE: "whole text"}
    lines = [
        [name, *(percent(found[way], intervals) for way in ways)]
        for name, found in figures.items()
        if any(share.of for share in found.values())
    ]
    return table([first, *(names.get(way, way) for way in ways)], lines)


def bucket_table(rows: Sequence[counts.Row], by: str) -> str:
    """Return what is kept in each bucket of length, depth or filler."""
    parts = counts.buckets(rows, by)
    head = [by]
    for way in WAYS[:2]:
        head += [f"safety the same, {way}", f"unsafe kept, {way}", f"domain the same, {way}"]
    lines = []
    for name, inside in parts.items():
        figures = counts.agreement(inside)
        cells = [name]
        for way in WAYS[:2]:
            cells += [
                percent(figures[figure][way], False)
                for figure in (
                    "safety verdict the same (benign or unsafe), all prompts",
                    "unsafe verdicts kept",
                    "domain the same, prompts with a question",
                )
            ]
        lines.append(cells)
    return table(head, lines)


def mean_read(rows: Sequence[counts.Row]) -> str:
    """Return how many tokens each way reads, and how much of what was planted."""
    lines = []
    for kind in ("attack", "pii", "topic"):
        chosen = [row for row in rows if row["kind"] == kind]
        if chosen:
            lines.append(
                [
                    f"planted {kind}: share of its characters read",
                    *(f"{mean(row[way]['planted_read'] for row in chosen):.1%}" for way in WAYS),
                ]
            )
    lines.append(
        ["tokens read", *(f"{mean(row[way]['read'] for row in rows):,.0f}" for way in WAYS)]
    )
    lines.append(
        [
            "flagged as truncated",
            *(f"{mean(row[way]['truncated'] for row in rows):.1%}" for way in WAYS),
        ]
    )
    return table(["mean over prompts", *WAYS], lines)


def mean(values: Iterable[float]) -> float:
    """Return the mean, nan of nothing."""
    found = list(values)
    return sum(found) / len(found) if found else math.nan


def agreement_parts(part: Results) -> list[str]:
    """Return the tables of agreement and correctness."""
    rows = part["rows"]
    tokens = sorted(row["tokens"] for row in rows)
    return [
        f"{len(rows)} prompts of {tokens[0]:,} to {tokens[-1]:,} tokens. Shares with a 95 % "
        "interval (Wilson's; of spans, bootstrapped over prompts).\n",
        "### Compressed against whole\n",
        by_way("compressed against whole", counts.agreement(rows), WAYS),
        "### Against the truth\n",
        "Compression can be right where the whole text is not.\n",
        by_way("against the truth", counts.correctness(rows), (WHOLE, *WAYS)),
        "### What is read\n",
        mean_read(rows),
        *(f"### By {by}\n\n{bucket_table(rows, by)}" for by in ("filler", "length", "depth")),
    ]


def profile_tables(part: Results) -> list[str]:
    """Return the tables of agreement and correctness by profile."""
    names = list(part["truncated"])
    tables = [
        by_way(
            first,
            {
                figure: {name: Share(**found[name]) for name in names}
                for figure, found in part[key].items()
            },
            names,
        )
        for key, first in (
            ("agreement", "compressed against whole"),
            ("correctness", "against the truth"),
        )
    ]
    truncated = table(
        ["", *names],
        [
            [
                "flagged as truncated",
                *(f"{found / part['prompts']:.1%}" for found in part["truncated"].values()),
            ]
        ],
    )
    return [*tables, truncated]


def adversarial_table(rows: Sequence[Results]) -> str:
    """Return the table of texts made to hurt."""
    lines = []
    for row in rows:
        found = row["recall"]
        recall = ["–", "–", "–"]
        if found:
            recall = [
                f"{found['share_read']:.0%}",
                f"{found['unsafe']} of {found['attacks']} ({found['unsafe_alone']} alone)",
                str(found["truncated"]),
            ]
        low, high = row["ratio"]["quartiles"]
        lines.append(
            [
                row["text"],
                f"{row['bytes']:,}",
                milliseconds(row["wall_ms"]["p50"]),
                milliseconds(row["plain_wall_ms"]["p50"]),
                f"{row['ratio']['p50']:.2f} ({low:.2f}-{high:.2f})",
                f"{milliseconds(row['first_ms'])} ({row['first_ms'] / row['plain_first_ms']:.1f})",
                *recall,
            ]
        )
    head = ["text", "bytes", "p50, ms", "plain English, ms", "ratio", "first time, ms (ratio)"]
    head += ["attack read", "found unsafe", "flagged as truncated"]
    return table(head, lines)


def machine_line(part: Results) -> str:
    """Return what a part was measured on."""
    machine = part["machine"]
    load = ", ".join(f"{value:g}" for value in machine["load_average"])
    return f"{machine['cpu']}, {machine['cores']} cores, load average {load} at the start.\n"


def markdown(results: Results) -> str:
    """Return the page."""
    parts = [
        "# Compression, measured\n",
        "<!-- Written by perf/compression.py from perf/results/compression.json. -->\n",
        "What `compressor` keeps of long prompts within 512 tokens, and how long it takes, beside "
        "the compression that arXiv 2603.12646 publishes. That one is **re-implemented** in "
        "`perf/compression_reference.py` from its description (its four signals and weights, its "
        "estimate of tokens, its sample of 500 sentences) to compare verdicts; its times are its "
        "own, as published. `reference` reads all that it keeps, `reference, 512 tokens` the first "
        "512 real tokens of that, as a classifier of that length does.\n",
    ]
    if "time" in results:
        parts += ["## Time and memory\n", machine_line(results["time"])]
        parts += [
            "One thread, English text, another one at each call, pattern scan included. The first "
            "text of a process pays for words not seen before.\n",
            *time_tables(results["time"]),
            "\n![Time over length](images/compression_time.svg)\n",
        ]
    if "agreement" in results:
        parts += ["## Verdicts\n", machine_line(results["agreement"])]
        parts += [*agreement_parts(results["agreement"])]
        parts += ["\n![Agreement over length and depth](images/compression_agreement.svg)\n"]
    if "profiles" in results:
        part = results["profiles"]
        parts += ["## Profiles\n", machine_line(part)]
        parts += [
            f"The same {part['prompts']:,} prompts compressed with each of the shipped profiles "
            "([compressor.md](compressor.md#parameters)).\n",
            *profile_tables(part),
        ]
    if "adversarial" in results:
        part = results["adversarial"]
        parts += ["## Texts made to hurt\n", machine_line(part)]
        parts += [
            "Ratio: processor time by that of plain English of as many bytes, in turn. First time: "
            "with words that the process has not seen, in brackets by the plain text's first time. "
            "Attacks are held-out ones, each hidden alone; in brackets, how many are found unsafe "
            "by themselves.\n",
            adversarial_table(part["rows"]),
        ]
    return "\n".join(parts)


def draw_time(part: Results, picture: Path) -> None:
    """Draw time and its steps over the tokens."""
    figure, (whole, steps) = _figure(1, 2)
    rows = part["rows"]
    tokens = [row["tokens"] for row in rows]
    whole.plot(
        tokens, [row["wall_ms"]["p50"] for row in rows], "o-", color=COLOURS["ours"], label="p50"
    )
    edges = list(zip(*(row["wall_ms"]["quartiles"] for row in rows), strict=True))
    whole.fill_between(tokens, *edges, color=COLOURS["ours"], alpha=0.2, lw=0)
    whole.plot(
        tokens, [row["first_ms"] for row in rows], "o:", ms=3, color="#5b6b7a", label="first text"
    )
    whole.plot(
        *zip(*PUBLISHED_MS.items(), strict=True), "s", color=COLOURS["reference"], label="published"
    )
    whole.set(title="compression to 512 tokens, one thread", ylabel="milliseconds")
    for name in dict.fromkeys(step for row in rows for step in row["steps_ms"]):
        steps.plot(
            tokens, [row["steps_ms"].get(name) or math.nan for row in rows], "o-", ms=3, label=name
        )
    steps.set(title="its steps, p50", ylabel="milliseconds")
    for axis in (whole, steps):
        over_tokens(axis, [length for length in TICKS if min(tokens) <= length <= max(tokens)])
        axis.legend(frameon=False)
    _save(figure, picture)


def draw_agreement(part: Results, picture: Path) -> None:
    """Draw what stays of unsafe verdicts and of domains, over length, depth and filler."""
    figure, axes = _figure(2, 3)
    kinds: tuple[tuple[str, counts.Pick, counts.Hit], ...] = (
        ("unsafe verdicts kept", counts.unsafe_whole, counts.flagged),
        ("domain of a question the same", counts.of_kind(counts.TOPIC), counts.same("domain")),
    )
    for line, (title, pick, hit) in zip(axes, kinds, strict=True):
        chosen = [row for row in part["rows"] if pick(row)]
        for axis, by in zip(line, ("length", "depth", "filler"), strict=True):
            _shares(axis, counts.buckets(chosen, by), hit)
            axis.set_xlabel(by)
        line[0].set_ylabel(title)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    _save(figure, picture)


def _shares(
    axis: Any,  # noqa: ANN401 - matplotlib's
    found: dict[str, list[counts.Row]],
    hit: counts.Hit,
) -> None:
    """Draw the share of hits of each way in each bucket, with intervals."""
    for number, way in enumerate(WAYS):
        shares = [counts.share([hit(row, way) for row in inside]) for inside in found.values()]
        values = [share.value for share in shares]
        below = [share.value - share.low for share in shares]
        above = [share.high - share.value for share in shares]
        at = [place + (number - 1) * 0.15 for place in range(len(shares))]
        colour = COLOURS[way]
        axis.errorbar(at, values, [below, above], fmt="o", ms=4, color=colour, label=way, lw=1)
    axis.set_xticks(range(len(found)), list(found))
    axis.set(ylim=(-0.03, 1.03), xlim=(-0.5, len(found) - 0.5))
    axis.grid(axis="y", alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _figure(rows: int, columns: int) -> Any:  # noqa: ANN401 - matplotlib's
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "compression", "font.size": 9, "svg.fonttype": "path"})
    from matplotlib import pyplot as plt

    return plt.subplots(rows, columns, figsize=(10, 1 + 3.2 * rows), layout="constrained")


def _save(figure: Any, picture: Path) -> None:  # noqa: ANN401 - matplotlib's
    from matplotlib import pyplot as plt

    picture.parent.mkdir(parents=True, exist_ok=True)
    # No date: the same figures give the same file.
    figure.savefig(picture, metadata={"Date": None})
    plt.close(figure)


def write(results: Results) -> None:
    """Write the page and draw the pictures of all parts that were measured."""
    PAGE.write_text(markdown(results), encoding="utf-8")
    if "time" in results:
        draw_time(results["time"], TIME_PICTURE)
    if "agreement" in results:
        draw_agreement(results["agreement"], AGREEMENT_PICTURE)


def main(
    source: Annotated[Path, typer.Argument(help="What perf/compression.py wrote.")] = RESULTS,
) -> None:
    """Write the page and draw the pictures."""
    write(json.loads(source.read_text(encoding="utf-8")))


if __name__ == "__main__":
    typer.run(main)
