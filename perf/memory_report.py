"""Tables and the picture of what perf/memory.py measured, made from its JSON alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fits
import numpy as np
import pictures
from attention_report import table

Value = dict[str, Any]

HEADS = ("safety_classifier", "domain_classifier", "pii_classifier")
GROUPS = {
    "encoder": ("encoder",),
    "three heads": HEADS,
    "compressor": ("compressor",),
    "router": ("router",),
    "tritonserver": ("tritonserver",),
    "pointsman serve": ("pointsman serve", "guardian"),
}
"""What stands together in the picture."""
AIM_MB, PUBLISHED_MB = 600, 800
SETTLED = 0.5
"""Share of the many requests after which the memory should not grow any more."""
FEWEST = 1000
"""Requests; of fewer nothing is said on growth, since the first ones fill caches."""
MB_IN_MIB = 2**20 / 1e6


def mib(size: float | None) -> str:
    """Return a size, or a dash."""
    return "–" if size is None else f"{size:,.1f}"


def name_of(row: Value) -> str:
    """Return what a row of `lengths` is of."""
    return f"{row['tokens']:,} {row['mode']}"


def below(row: Value) -> str:
    """Return the same in two short lines, to stand below a bar."""
    return f"{row['tokens']:,}\n{'→ 512' if row['mode'] == 'compressed' else 'whole'}"


def holdings(title: str, held: Value, files: Value) -> str:
    """Return the table of what each process holds, beside the size of its model's files."""
    keys = ("pss", "anonymous", "files", "shared_memory", "private")
    held = dict(sorted(held.items(), key=lambda item: -item[1]["pss"]))
    rows = [
        [role, *(mib(each[key]) for key in keys), mib(files.get(role))]
        for role, each in held.items()
    ]
    sums = [mib(sum(each[key] for each in held.values())) for key in keys]
    rows.append(["**together**", *sums, mib(sum(files.values()))])
    head = [f"{title}, MiB", "PSS", "heaps", "files", "shared memory", "private", "model's files"]
    return table(head, rows)


def peaks(value: Value) -> str:
    """Return the table of each process while one request runs, and of all together after it."""
    rows = value["lengths"]
    roles = sorted(value["idle"], key=lambda role: -max(row["peak_mib"][role] for row in rows))
    lines = [
        [role, mib(value["idle"][role]["pss"]), *(mib(row["peak_mib"][role]) for row in rows)]
        for role in roles
    ]
    total = total_idle(value)
    ends = {
        "**together**": [total, *(row["peak_mib"]["total"] for row in rows)],
        "together, after it": [None, *(row["after_mib"]["total"] for row in rows)],
        "missed between two looks, at most": [None, *(row["missed_mib"] for row in rows)],
    }
    lines += [[title, *map(mib, sizes)] for title, sizes in ends.items()]
    return table(["highest PSS, MiB", "idle", *map(name_of, rows)], lines)


def total_idle(value: Value) -> float:
    """Return the PSS of the idle server in MiB."""
    return sum(float(each["pss"]) for each in value["idle"].values())


def bounds(value: Value) -> str:
    """Return the table of the whole server against what is asked of it, in MB."""
    sizes = {"idle": total_idle(value)}
    sizes |= {name_of(row): row["peak_mib"]["total"] for row in value["lengths"]}
    sizes["over the mixed texts, at most"] = max(value["many"]["total_mib"])
    rows = []
    for name, size in sizes.items():
        mb = size * MB_IN_MIB
        within = ["yes" if mb <= limit else "**no**" for limit in (AIM_MB, PUBLISHED_MB)]
        rows.append([name, f"{mb:,.0f}", *within])
    head = ["whole server", "MB (10^6 bytes)", f"within our {AIM_MB} MB"]
    return table([*head, f"within the published {PUBLISHED_MB} MB"], rows)


def slopes(value: Value) -> str:
    """Return the table of KiB a token; a dash where too few lengths were measured."""
    rows = []
    for mode in ("compressed", "whole"):
        chosen = [row for row in value["lengths"] if row["mode"] == mode]
        tokens = [float(np.median(row["counted"])) for row in chosen]
        sizes = {
            "peak": [float(np.median(row["samples_mib"])) for row in chosen],
            "after": [row["after_mib"]["total"] for row in chosen],
        }
        rows.append([mode, *(slope(tokens, each) for each in sizes.values())])
    return table(["KiB a token", "at the peak", "held after it"], rows)


def slope(tokens: Sequence[float], sizes: Sequence[float]) -> str:
    """Return KiB a token with its interval, of sizes in MiB, or a dash."""
    if len(tokens) < 3:
        return "–"
    return interval(*(1024 * figure for figure in fits.line(tokens, sizes)))


def interval(middle: float, low: float, high: float) -> str:
    """Return a figure and its interval."""
    return f"{middle:,.2f} ({low:,.2f} to {high:,.2f})"


def settled(many: Value, sizes: Sequence[float]) -> tuple[list[int], list[float]]:
    """Return the readings from where the memory should stay the same, and when they were made."""
    points = [
        (asked, size)
        for asked, size in zip(many["asked"], sizes, strict=True)
        if asked >= SETTLED * many["requests"]
    ]
    return [asked for asked, _ in points], [size for _, size in points]


def flatness(many: Value) -> str:
    """Return what the many requests did to the memory: a paragraph and a table."""
    _, totals = settled(many, many["total_mib"])
    shares = ", ".join(f"{share} % of {tokens:,}" for tokens, share in many["mixed"])
    text = (
        f"{many['requests']:,} requests of other texts each ({shares} tokens), {many['callers']} "
        f"at a time, in {many['seconds']:,.0f} s: {many['total_mib'][0]:,.1f} MiB before them, "
        f"{many['total_mib'][-1]:,.1f} MiB after them, between {min(totals):,.1f} and "
        f"{max(totals):,.1f} MiB after the first {SETTLED:.0%} of them. Heaps and shared memory, "
        "which alone can grow, from then on:\n"
    )
    rows = []
    for role, sizes in many["growing_mib"].items():
        asked, later = settled(many, sizes)
        name = "**together**" if role == "total" else role
        says = grown(asked, later) if many["requests"] >= FEWEST else ("–", "too few requests")
        rows.append([name, mib(sizes[0]), mib(min(later)), mib(max(later)), *says])
    head = ["heaps and shared memory", "before, MiB", "least", "most", "KiB a request", ""]
    return f"{text}\n{table(head, rows)}"


def grown(asked: Sequence[int], sizes: Sequence[float]) -> tuple[str, str]:
    """Return KiB a request with its interval, and what that says."""
    growth = fits.drift(asked, [1024 * size for size in sizes])
    return interval(*growth), "**grows**" if growth.low > 0 else "no growth beyond the noise"


def markdown(value: Value) -> str:
    """Return the section on memory."""
    files = value["model_files_mib"]
    longest = name_of(value["lengths"][-1])
    return "\n".join(
        [
            "## Memory\n",
            "Proportional set size (PSS) of all processes of `pointsman serve`; each model is one "
            "process. Heaps hold the weights, too: ONNX Runtime reads a model's file rather than "
            "mapping it. Compressed: the shipped configuration, which reads 512 tokens of any "
            "text; whole: all of the text is read. Processes need not have their highest PSS at "
            "once: these do not add up.\n",
            holdings("idle", value["idle"], files),
            peaks(value),
            holdings(f"after all of it, {longest} last", value["last"], files),
            slopes(value),
            bounds(value),
            "### Many requests\n",
            flatness(value["many"]),
        ]
    )


def draw(value: Value, folder: Path) -> list[Path]:
    """Draw what processes hold under each length, and the memory over many requests."""
    figure, (bars, series) = pictures.subplots(1, 2, size=(12, 4.4))
    states = {"idle": {role: each["pss"] for role, each in value["idle"].items()}}
    states |= {below(row): row["at_peak_mib"] for row in value["lengths"]}
    bottom = np.zeros(len(states))
    for (group, roles), colour in zip(GROUPS.items(), pictures.COLOURS, strict=True):
        sizes = [sum(state.get(role, 0.0) for role in roles) for state in states.values()]
        bars.bar(list(states), sizes, bottom=bottom, color=colour, label=group, width=0.7)
        bottom += sizes
    bars.axhline(AIM_MB / MB_IN_MIB, color=pictures.INK, ls=":", lw=1)
    aim = {"ha": "left", "va": "bottom", "fontsize": 8}
    bars.text(-0.35, AIM_MB / MB_IN_MIB, f"{AIM_MB} MB", **aim)
    bars.set(title="whole server at its peak (→ 512: compressed)", ylabel="MiB, PSS")
    bars.yaxis.set_major_formatter("{x:,.0f}")
    bars.set_ylim(0, 1.35 * max(*bottom, AIM_MB / MB_IN_MIB))
    bars.tick_params(axis="x", labelsize=7.5)
    bars.grid(visible=False, axis="x")
    bars.legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
    many = value["many"]
    lines = {"PSS": many["total_mib"], "heaps and shared memory": many["growing_mib"]["total"]}
    for (label, sizes), colour in zip(lines.items(), pictures.COLOURS, strict=False):
        series.plot(many["asked"], sizes, color=colour, lw=1.4, label=label)
    series.legend(frameon=False, fontsize=8, loc="lower right")
    series.set(title="whole server over mixed requests", xlabel="requests", ylabel="MiB")
    series.set_ylim(0, 1.25 * max(many["total_mib"]))
    series.xaxis.set_major_formatter("{x:,.0f}")
    return pictures.save(figure, folder, "memory")
