"""Table and picture of what perf/waterfall.py measured, made from its JSON alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pictures
from attention_report import milliseconds, table

HEADS = ("safety_classifier", "domain_classifier", "pii_classifier")
ORDER = (("compressor",), ("encoder",), HEADS, ("router",))
"""The models of the ensemble; those that run side by side together."""
MODELS = tuple(model for together in ORDER for model in together)
CLASSIFIERS = ("encoder", *HEADS)
LEAST_MS = 0.1

_ABOUT = """## Where the time of a request goes

{requests} requests of {tokens:,} tokens (median {counted:,}; {read:,} are read after compression),
one at a time, every text another one, default settings, from the bytes of the body to the decision.
By the client's clock, Triton's statistics after each request, and the steps that the decision
tells. Each part took its median over all requests, and begins where the medians of those before
it end; shares are medians, too. The heads run side by side. Classifiers are the `compute_infer` of
the encoder and of the longest head, everything else is everything else. A model's `compute_output`
can overlap with the next model, so `between models` can be below 0. Parts of under {least} ms that
are part of a model are left out here.
"""

Row = dict[str, Any]
Value = dict[str, Any]


def by_name(value: Value) -> dict[str, Row]:
    """Return the rows by name, in their order."""
    return {row["name"]: row for row in value["rows"]}


def samples(value: Value, name: str) -> np.ndarray:
    """Return the milliseconds of a part, of each request."""
    row = by_name(value)[name]
    return np.array(row["samples_ms"] if "samples_ms" in row else row["parts_ms"])


def classifiers(value: Value) -> np.ndarray:
    """Return the milliseconds that the classifiers compute, of each request."""
    heads = [samples(value, f"{head} compute_infer") for head in HEADS]
    return samples(value, "encoder compute_infer") + np.max(heads, axis=0)


def figures(value: Value) -> dict[str, float]:
    """Return p50, p95 and p99 of the request in ms, and the median share of all but classifiers."""
    total = samples(value, "request")
    p50, p95, p99 = (float(each) for each in np.percentile(total, [50, 95, 99]))
    others = float(np.median(1 - classifiers(value) / total))
    return {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "others": others}


def depth(rows: dict[str, Row], name: str) -> int:
    """Return how many parts a part is in."""
    parent = rows[name]["parent"]
    return 0 if parent is None else 1 + depth(rows, parent)


def markdown(value: Value) -> str:
    """Return the section."""
    found = figures(value)
    asked = table(
        ["figure", "measured", "aim"],
        [
            ["p50 / p95 / p99 of a request, ms", _percentiles(found), "p50 under 40"],
            ["p99 by p50", f"{found['p99_ms'] / found['p50_ms']:.2f}", "under 1.5"],
            [
                "classifiers, ms (share)",
                f"{milliseconds(float(np.median(classifiers(value))))} ({1 - found['others']:.1%})",
                "–",
            ],
            ["everything but the classifiers, share", f"{found['others']:.1%}", "under 25 %"],
        ],
    )
    rows = by_name(value)
    total = samples(value, "request")
    parts = table(
        ["part", "begins, ms", "takes, ms", "share"],
        [
            [
                f"{'· ' * depth(rows, name)}{name}",
                f"{row['start_ms']:.2f}",
                f"{row['ms']:.2f}",
                f"{np.median(samples(value, name) / total):.1%}",
            ]
            for name, row in rows.items()
            if depth(rows, name) <= 2 or abs(row["ms"]) >= LEAST_MS
        ],
    )
    return "\n".join([_ABOUT.format(**value, least=LEAST_MS), asked, parts])


def _percentiles(found: dict[str, float]) -> str:
    return " / ".join(milliseconds(found[f"p{q}_ms"]) for q in (50, 95, 99))


def draw(value: Value, folder: Path) -> list[Path]:
    """Draw a line for each part that is in no other but ensemble and request, over the time."""
    rows = by_name(value)
    top = [
        name
        for name, row in rows.items()
        if row["parent"] in ("request", "ensemble") and name != "ensemble"
    ]
    found = figures(value)
    figure, axis = pictures.subplots(size=(10, 4.2))
    for line, name in enumerate(top):
        inner = [row for row in rows.values() if row["parent"] == name]
        for row in inner or [rows[name]]:
            computing = row["name"].endswith(" compute_infer") and name in CLASSIFIERS
            axis.barh(
                line,
                max(row["ms"], 0.0),
                left=row["start_ms"],
                height=0.62,
                color=pictures.COLOURS[0 if computing else 1],
            )
        _label(axis, line, rows[name], found["p50_ms"])
    axis.set_yticks(range(len(top)), top)
    axis.invert_yaxis()
    axis.grid(visible=False, axis="y")
    for colour, what, share in (
        (0, "encoder and heads compute", 1 - found["others"]),
        (1, "everything else", found["others"]),
    ):
        axis.barh([0], [0], color=pictures.COLOURS[colour], label=f"{what}: {share:.0%}")
    axis.legend(frameon=False, loc="upper right")
    axis.set(
        xlabel="milliseconds since the first byte",
        title=f"one request of {value['tokens']:,} tokens, median of {value['requests']}: "
        f"{found['p50_ms']:.0f} ms",
    )
    return pictures.save(figure, folder, "waterfall")


def _label(axis: Any, line: int, row: Row, total: float) -> None:  # noqa: ANN401 - has no types
    """Write a part's time into its bar where it is wide, and else beside it where there is room."""
    begin, ms = row["start_ms"], max(row["ms"], 0.0)
    if ms > 0.15 * total:
        where: dict[str, Any] = {"x": begin + ms / 2, "ha": "center", "color": "white"}
    elif begin + ms < 0.85 * total:
        where = {"x": begin + ms, "ha": "left"}
    else:
        where = {"x": begin, "ha": "right"}
    axis.text(y=line, s=f" {row['ms']:.1f} ms ", va="center", fontsize=8, **where)
