"""Tables and picture of what perf/stages.py measured, made from its JSON alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pictures
from attention_report import milliseconds, over_tokens, table

STAGES = ("unfused attention", "+ flash-attention op", "+ compression", "+ body handling")
PUBLISHED_MS: dict[int, tuple[float | None, ...]] = {
    8_192: (4918.0, 127.0, 62.0, 50.0),
    16_384: (None, None, None, 108.0),
}
"""Of arXiv 2603.12646 on an MI300X, by tokens. Cited as published, not measured here."""

_ABOUT = """## Stages

From the bytes of a chat request to its decision, end to end through the server, one request at a
time; every text is asked of each stage in turn, a slow stage gets the first ones alone. Each stage
adds one thing to the one before: unfused attention over the whole prompt with the body parsed and
written by `json`; the flash-attention op; compression to the default budget; the shipped handling
of bodies. A stage agrees on a text where action, safety label and domain are those of the first
stage that could run, which read the whole prompt.

p50 / p95 / p99 in ms; then agreement, of how many texts; then the number of samples:
"""

_MEMORY = """Stage 0 runs the same weights on as many threads, with ONNX Runtime's memory arena,
which makes it faster, where it fits, and without where not. Peak memory of its encoder's process
beyond what it holds idle, beside two float32 copies of one layer's scores [heads, tokens, tokens]:
"""

Row = dict[str, Any]


def size(octets: float) -> str:
    """Return octets as MiB, or as GiB where they are many."""
    return f"{octets / 2**20:,.0f} MiB" if octets < 2**30 else f"{octets / 2**30:,.1f} GiB"


def cell(row: Row) -> str:
    """Return one stage at one length."""
    if row["p50_ms"] is None:
        return f"refused: needs {row['needs_bytes']:,} B, {row['free_bytes']:,} B are free"
    times = " / ".join(milliseconds(row[f"p{q}_ms"]) for q in (50, 95, 99))
    agreement = f"{row['agreement']:.0%} of {row['compared']}"
    return f"{times}; {agreement}; {len(row['samples_ms'])}"


def by_length(rows: Sequence[Row]) -> dict[int, dict[int, Row]]:
    """Return the rows by tokens and stage."""
    found: dict[int, dict[int, Row]] = {}
    for row in rows:
        found.setdefault(row["tokens"], {})[row["stage"]] = row
    return found


def times_faster(slow: Row | None, fast: Row | None) -> str:
    """Return the median of one cell by that of another, or a dash."""
    if not slow or not fast or slow["p50_ms"] is None or fast["p50_ms"] is None:
        return "–"
    ratio = slow["p50_ms"] / fast["p50_ms"]
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:,.1f}"


def published(tokens: int) -> str:
    """Return what the paper says of a length."""
    return " / ".join(milliseconds(ms) for ms in PUBLISHED_MS.get(tokens, (None,)))


def gains(rows: Sequence[Row]) -> str:
    """Return how many times faster the last stage is than those before it."""
    lines = []
    for tokens, stages in by_length(rows).items():
        last = stages.get(len(STAGES) - 1)
        gained = [times_faster(stages.get(stage), last) for stage in range(len(STAGES) - 1)]
        lines.append([f"{tokens:,}", *gained, published(tokens)])
    head = [f"{stage} by {len(STAGES) - 1}" for stage in range(len(STAGES) - 1)]
    return table(["tokens", *head, "published on an MI300X: stages 0 / 1 / 2 / 3, ms"], lines)


def memory(rows: Sequence[Row]) -> str:
    """Return what stage 0 held, or would have needed."""
    lines = []
    for row in rows:
        if row["stage"] != 0:
            continue
        if row["p50_ms"] is None:
            held = f"would need {size(row['needs_bytes'])}; {size(row['free_bytes'])} free"
        else:
            held = f"{size(row['peak_bytes'])} ({row['memory']})"
        lines.append([f"{row['tokens']:,}", held, size(row["scores_bytes"])])
    return table(["tokens", "stage 0", "two copies of the scores"], lines)


def markdown(value: Sequence[Row]) -> str:
    """Return the section."""
    names = [f"{stage}: {name}" for stage, name in enumerate(STAGES)]
    cells = [
        [
            f"{tokens:,}",
            *(cell(stages[each]) if each in stages else "–" for each in range(len(STAGES))),
        ]
        for tokens, stages in by_length(value).items()
    ]
    return "\n".join(
        [
            _ABOUT,
            table(["tokens", *names], cells),
            "Median time by that of the last stage; published (arXiv 2603.12646), not measured "
            "here, for comparison:\n",
            gains(value),
            _MEMORY,
            memory(value),
        ]
    )


def draw(value: Sequence[Row], folder: Path) -> list[Path]:
    """Draw the median time over the tokens, a line for each stage."""
    from matplotlib.ticker import LogLocator

    figure, axis = pictures.subplots(size=(7.5, 4.4))
    lengths = sorted(by_length(value))
    over_tokens(axis, lengths)
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    order = (4, 1, 0, 2)
    for stage, name in enumerate(STAGES):
        rows = [row for row in value if row["stage"] == stage and row["p50_ms"] is not None]
        axis.plot(
            [row["tokens"] for row in rows],
            [row["p50_ms"] for row in rows],
            # The last two lie upon each other.
            linestyle="--" if stage == len(STAGES) - 1 else "-",
            marker="o",
            label=f"{stage}: {name}",
            color=pictures.COLOURS[order[stage]],
        )
    top = axis.get_ylim()[1]
    for row in value:
        if row["stage"] == 0 and row["p50_ms"] is None:
            axis.annotate(
                f"stage 0 needs\n{size(row['needs_bytes'])}",
                (row["tokens"], top),
                ha="center",
                va="top",
                color=pictures.COLOURS[order[0]],
                fontsize=8,
            )
    axis.set(title="from body bytes to decision, median", ylabel="milliseconds")
    axis.legend(frameon=False, fontsize=8)
    return pictures.save(figure, folder, "stages")
