"""Tables and the picture of what perf/load.py measured, made from its JSON alone."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pictures
from attention_report import milliseconds, table

SHOWN = (1, 8, 32)
"""Requests at a time for which each model's times are told."""
HEADS = ("safety_classifier", "domain_classifier", "pii_classifier")
MODELS = ("compressor", "encoder", *HEADS, "router")
PROCESSES = ("compressor", "router", "tritonserver", "load generator")
SHORT = {"safety_classifier": "safety", "domain_classifier": "domain", "pii_classifier": "PII"}

Row = dict[str, Any]


def markdown(value: Any) -> str:  # noqa: ANN401 - JSON
    """Return the section on load."""
    if "not_measured" in value:
        return f"## Load\n\nNot measured: {value['not_measured']}\n"
    plan, objective = value["plan"], value["objective_ms"]
    method = (
        f"{plan['texts']} texts of each mix, none twice, in turn, to one server with its shipped "
        "settings. So many at a time: NVIDIA's `perf_analyzer`, without its first window, in "
        "which queues fill. By chance: a Poisson process, its rate a share of saturation, the "
        "median throughput with four and more at a time in the same run; by `perf_analyzer`, "
        "which stops when a request is refused, and by `perf/open_loop.py`, which counts that. "
        f"Over saturation the server had {value['admitted']} requests, as many as it admits, from "
        "the start. Every answer was the one that the same text gets when nothing else is under "
        "way. Classifiers alone: encoder and heads in one process, the heads on one text while "
        "the encoder reads the next, on the token ids that the compressor gives, between the "
        "other measurements.\n"
    )
    parts = ["## Load\n", method, saturation(value["mixes"], objective)]
    parts += [cells(mix, objective) for mix in value["mixes"]]
    parts += [
        "Of one request in the mean, by Triton's statistics: wait for the model + the model's own "
        "time.\n",
        models(value["mixes"]),
        "Processor time of one request, in the mean; classifiers alone: of one text, before and "
        "after.\n",
        processor(value["mixes"]),
    ]
    return "\n".join(parts)


def saturation(mixes: Sequence[Row], objective_ms: float) -> str:
    """Return the table of what the whole reaches of what the classifiers alone could."""
    rows = []
    for mix in mixes:
        busy = [row for row in mix["closed"] if "alone_per_s" in row and "stopped" not in row]
        alone = [value for row in busy for value in row["alone_per_s"]]
        shares = [row["per_s"] / statistics.mean(row["alone_per_s"]) for row in busy]
        best = max([*mix["closed"], *mix["poisson"]], key=lambda row: row.get("goodput_per_s", 0))
        in_time = best.get("goodput_per_s", 0)
        rows.append(
            [
                mix["mix"],
                range_of(mix["tokens_sent"]),
                range_of(mix["tokens_read"]),
                f"{mix['saturation_per_s']:.1f}",
                f"{statistics.median(alone):.1f}",
                f"{statistics.median(shares):.0%} ({min(shares):.0%}-{max(shares):.0%})",
                f"{in_time:.1f} ({load_of(best)})" if in_time else "none",
            ]
        )
    head = [
        "mix",
        "tokens sent: least, median, most",
        "tokens read",
        "saturation: answers/s",
        "classifiers alone: texts/s",
        "whole by alone, in turn",
        f"most within {objective_ms:g} ms, per s",
    ]
    return table(head, rows)


def range_of(counts: Sequence[int]) -> str:
    """Return the least, the median and the most."""
    return ", ".join(f"{count:,}" for count in counts)


def cells(mix: Row, objective_ms: float) -> str:
    """Return the table of all loads of a mix, and why there are no figures where there are none."""
    rows, notes = [], []
    for row in [*mix["closed"], *mix["poisson"]]:
        if "stopped" in row:
            rows.append([load_of(row), wanted(row), "stopped", *["–"] * 7])
            notes.append(f"\n{load_of(row)}: it stopped, {row['stopped']}\n")
            continue
        rows.append(
            [
                load_of(row),
                wanted(row),
                f"{row['per_s']:.1f}",
                *(milliseconds(row.get(f"{name}_ms")) for name in ("p50", "p95", "p99")),
                f"{row['goodput_per_s']:.1f}",
                f"{row['refused'] / sent(row):.0%}",
                f"{row['failed'] / sent(row):.0%}",
                str(row["answered"]),
            ]
        )
    head = [
        f"{mix['mix']}: load",
        "come/s",
        "answered/s",
        "p50, ms",
        "p95, ms",
        "p99, ms",
        f"within {objective_ms:g} ms, per s",
        "refused",
        "failed",
        "requests timed",
    ]
    return table(head, rows) + "".join(notes)


def sent(row: Row) -> int:
    """Return the requests of a cell; perf_analyzer tells of those alone that were answered."""
    return max(1, row.get("sent", row["answered"]))


def wanted(row: Row) -> str:
    """Return how many requests a second are to come, where that does not depend on answers."""
    return f"{row['wanted_per_s']:.1f}" if "wanted_per_s" in row else "–"


def load_of(row: Row) -> str:
    """Return in words how requests came."""
    if row["name"] == "closed":
        return f"{row['concurrency']} at a time"
    return f"{row['share']:.0%} of saturation, {row['generator']}"


def models(mixes: Sequence[Row]) -> str:
    """Return the table of each model's queue and computing."""
    rows = []
    for mix in mixes:
        for row in mix["closed"]:
            if row["concurrency"] in SHOWN and "stopped" not in row:
                found = [row["models"].get(model) for model in MODELS]
                rows.append([f"{mix['mix']}, {load_of(row)}", *map(waiting_and_computing, found)])
    return table(["load", *(f"{SHORT.get(model, model)}, ms" for model in MODELS)], rows)


def processor(mixes: Sequence[Row]) -> str:
    """Return the table of the processor time that a request takes, by process."""
    rows = []
    for mix in mixes:
        for row in mix["closed"]:
            if row["concurrency"] in SHOWN and row.get("cpu_ms"):
                used = row["cpu_ms"]
                heads = sum(used.get(model, 0.0) for model in HEADS)
                parts = [used.get("encoder", 0.0), heads]
                parts += [used.get(role, 0.0) for role in PROCESSES]
                parts.append(sum(used.values()) - sum(parts))
                alone = statistics.mean(row["alone_cpu_ms"]) if "alone_cpu_ms" in row else None
                rows.append(
                    [
                        f"{mix['mix']}, {load_of(row)}",
                        *(f"{ms:.1f}" for ms in [*parts, sum(used.values())]),
                        "–" if alone is None else f"{alone:.1f}",
                    ]
                )
    head = ["load", "encoder, ms", "heads", *PROCESSES, "others", "all", "classifiers alone"]
    return table(head, rows)


def waiting_and_computing(model: Row | None) -> str:
    """Return "queue + compute" in milliseconds."""
    if model is None:
        return "–"
    return f"{model['queue_ms']:.1f} + {model['compute_ms']:.1f}"


def draw(value: Any, folder: Path) -> list[Path]:  # noqa: ANN401 - JSON
    """Draw latency against throughput, and what is answered in time against what comes."""
    if "not_measured" in value:
        return []
    from matplotlib.ticker import LogLocator

    figure, (latency, goodput) = pictures.subplots(columns=2, size=(11.5, 4.6))
    for mix, colour in zip(value["mixes"], pictures.COLOURS, strict=False):
        closed = [row for row in mix["closed"] if "stopped" not in row]
        throughput = [row["per_s"] for row in closed]
        for name, style in (("p50", "o-"), ("p99", "o--")):
            times = [row[f"{name}_ms"] for row in closed]
            label = f"{mix['mix']}, {name}"
            latency.plot(throughput, times, style, color=colour, lw=1.6, ms=3.5, label=label)
        for row in closed:
            latency.annotate(
                str(row["concurrency"]),
                (row["per_s"], row["p50_ms"]),
                xytext=(5, -8),
                textcoords="offset points",
                fontsize=7,
                color=colour,
            )
        for generator, marker in (("perf_analyzer", "o-"), ("open loop", "s--")):
            points = [
                (100 * row["share"], 100 * row["goodput_per_s"] * row["seconds"] / sent(row))
                for row in mix["poisson"]
                if row["generator"] == generator and "stopped" not in row
            ]
            if points:
                label = f"{mix['mix']}, {generator}"
                goodput.plot(*zip(*points, strict=True), marker, color=colour, ms=4.5, label=label)
    objective = value["objective_ms"]
    latency.axhline(objective, color=pictures.INK, lw=0.8, ls=":")
    latency.set(
        title="latency against throughput (numbers: requests at a time)",
        xscale="log",
        yscale="log",
        xlabel="answers a second",
        ylabel="milliseconds",
    )
    latency.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (latency.xaxis, latency.yaxis):
        axis.set_major_formatter("{x:,g}")
    latency.minorticks_off()
    goodput.set(
        title=f"answered within {objective:g} ms",
        xlabel="requests that come by chance, % of saturation",
        ylabel="% of requests",
        ylim=(-3, 103),
    )
    for axis in (latency, goodput):
        axis.legend(frameon=False, fontsize=8)
    return pictures.save(figure, folder, "load")
