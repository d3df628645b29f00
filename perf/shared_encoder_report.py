"""Tables and the picture of what perf/shared_encoder.py measured, made from its JSON alone.

Usage: ``python perf/shared_encoder_report.py [FILE.json]`` prints the tables as Markdown and draws
docs/images/shared_encoder.svg.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from attention_report import exponent, milliseconds, over_tokens, table

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "perf" / "results" / "shared_encoder.json"
PICTURE = ROOT / "docs" / "images" / "shared_encoder.svg"
COLOURS = {"shared": "#2563a8", "independent": "#a85b12"}
TITLES = {"shared": "one encoder, three heads", "independent": "three models"}
Results = dict[str, Any]


def spread(row: dict[str, Any]) -> str:
    """Return a row's median and quartiles in milliseconds."""
    low, high = row["quartiles_ms"]
    return f"{milliseconds(row['p50_ms'])} ({milliseconds(low)}-{milliseconds(high)})"


def times(title: str, rows: list[dict[str, Any]]) -> str:
    """Return a table of both ways, a line for each length, and the ratio within each turn."""
    lines = []
    for shared, other in zip(of(rows, "shared"), of(rows, "independent"), strict=True):
        middle, low, high = other["ratio"]
        cells = [spread(shared), spread(other), f"{middle:.2f} ({low:.2f}-{high:.2f})"]
        if "server_mib" in shared:
            cells += [f"{row['server_mib']:,.0f}" for row in (shared, other)]
        lines.append([f"{shared['tokens']:,}", *cells])
    head = [f"{title}, tokens", *(f"{name}, ms" for name in TITLES.values()), "ratio"]
    if "server_mib" in rows[0]:
        head += [f"{name}, MiB" for name in TITLES.values()]
    return table(head, lines)


def of(rows: list[dict[str, Any]], way: str) -> list[dict[str, Any]]:
    """Return the rows of one way, in the order of their lengths."""
    return sorted((row for row in rows if row["way"] == way), key=lambda row: row["tokens"])


def markdown(results: Results) -> str:
    """Return every table. In brackets: quartiles, or the least and the most of the rounds."""
    settings = []
    for row in results["encoder_instances"]:
        low, high = row["decisions_per_s_range"]
        settings.append(
            [
                *(str(row[key]) for key in ("threads", "instances", "callers")),
                spread(row),
                milliseconds(row["p95_ms"]),
                f"{row['decisions_per_s']:g} ({low:g}-{high:g})",
            ]
        )
    head = ["encoder: threads", "instances", "callers", "ms", "p95, ms", "decisions a second"]
    memory = results["memory"]
    growth = [
        [
            f"{row['tokens']:,}",
            f"{row['growth_mib']:,.1f}",
            f"{1024 * row['growth_mib'] / row['tokens']:.1f}",
            f"{row['kept_mib']:,.1f}",
            f"{row['seconds']:g}",
        ]
        for row in memory
    ]
    parts = [
        times("all three verdicts in one process", results["in_process"]),
        times("decisions", results["decisions"]),
        table(head, settings),
        table(["tokens", "peak growth, MiB", "KiB a token", "kept, MiB", "seconds"], growth),
    ]
    if len(memory) > 1:
        lengths = [row["tokens"] for row in memory]
        slopes = [
            exponent(lengths, [row[key] for row in memory]) for key in ("growth_mib", "seconds")
        ]
        parts.append(
            f"Memory grows with the tokens to the power of {slopes[0]:.2f}, time {slopes[1]:.2f}.\n"
        )
    return "\n".join(parts)


def draw(results: Results, picture: Path) -> None:
    """Draw time and memory over the tokens."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "shared", "font.size": 9, "svg.fonttype": "path"})
    from matplotlib import pyplot as plt

    figure, (time, memory) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for way, colour in COLOURS.items():
        for rows, style in ((results["in_process"], "-"), (results["decisions"], "o")):
            points = [(row["tokens"], row["p50_ms"]) for row in of(rows, way)]
            label = TITLES[way] if style == "-" else None
            time.plot(*zip(*points, strict=True), style, color=colour, label=label, lw=1.6, ms=5)
    time.plot([], [], "o", color="#1c2733", ms=5, label="whole decision, in Triton")
    time.set(title="all three verdicts", ylabel="milliseconds, median")
    points = [(row["tokens"], row["growth_mib"]) for row in results["memory"]]
    memory.plot(*zip(*points, strict=True), "o-", color=COLOURS["shared"], lw=1.6, ms=4)
    # Through the last point: what growth in proportion to the tokens looks like.
    tokens, last = points[-1]
    line = [(count, last * count / tokens) for count, _ in points]
    memory.plot(*zip(*line, strict=True), ":", color="#5b6b7a", label="in proportion")
    memory.set(title="peak memory while reading, encoder and heads", ylabel="MiB")
    for axis, rows in ((time, results["in_process"]), (memory, results["memory"])):
        over_tokens(axis, sorted({row["tokens"] for row in rows}))
        axis.legend(frameon=False)
    # No date: the same figures give the same file.
    figure.savefig(picture, metadata={"Date": None})
    plt.close(figure)


def main(
    source: Annotated[Path, typer.Argument(help="What perf/shared_encoder.py wrote.")] = RESULTS,
    picture: Annotated[Path, typer.Option(help="Where the picture goes.")] = PICTURE,
) -> None:
    """Print the tables and draw the picture."""
    results = json.loads(source.read_text())
    sys.stdout.write(markdown(results))
    draw(results, picture)


if __name__ == "__main__":
    typer.run(main)
