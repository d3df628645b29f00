"""Tables and the picture of what perf/attention.py measured, made from its JSON alone.

Usage: ``python perf/attention_report.py [FILE.json]`` prints the tables as Markdown and draws
docs/images/attention.svg.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "perf" / "results" / "attention.json"
PICTURE = ROOT / "docs" / "images" / "attention.svg"
PEERS = ("unfused", "mha", "sdpa")
TITLES = {
    "op": "CKFlashAttention",
    "op_bhsd": "CKFlashAttention, heads first",
    "op_bf16": "CKFlashAttention, bf16 products",
    "unfused": "MatMul, Softmax, MatMul",
    "mha": "ONNX Runtime MultiHeadAttention",
    "sdpa": "PyTorch SDPA",
}
COLOURS = {
    "op": "#2563a8",
    "op_bf16": "#1f7a4d",
    "unfused": "#8a5a9e",
    "mha": "#a85b12",
    "sdpa": "#5b6b7a",
}
Results = dict[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, the first column left and the others right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def milliseconds(value: float | None) -> str:
    """Return three significant digits, or a dash."""
    if value is None:
        return "–"
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{digits}f}"


def fastest_peer(ratio: dict[str, list[float]], suffix: str = "") -> tuple[str, float] | None:
    """Return the peer that takes the least time, and how many times the op's time that is."""
    known = {name: ratio[name + suffix][0] for name in PEERS if name + suffix in ratio}
    if not known:
        return None
    name = min(known, key=known.__getitem__)
    return name, known[name]


def exponent(lengths: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of values over lengths, both logarithmic, by least squares."""
    return float(np.polyfit(np.log(lengths), np.log(values), 1)[0])


def cells(results: Results, **wanted: int) -> list[dict[str, Any]]:
    """Return the cells with the wanted head size, threads or length."""
    return [c for c in results["cells"] if all(c[key] == value for key, value in wanted.items())]


def figures(results: Results) -> list[tuple[str, str]]:
    """Return what is claimed of the op, each with the figure measured."""
    found: list[tuple[str, str]] = []
    for size in (32, 64):
        for title, lengths in (
            ("S >= 1,024", range(1024, 2**16)),
            ("S = 128 to 512", range(1024)),
        ):
            chosen = [c for c in cells(results, head_size=size) if c["length"] in lengths]
            peers = [fastest_peer(c["ratio"]) for c in chosen]
            ratios = [peer[1] for peer in peers if peer]
            if ratios:
                name = f"full, D = {size}, {title}: fastest peer's time by the op's"
                found.append((name, f"{min(ratios):.2f} to {max(ratios):.2f}"))
            shares = [c["share_of_peak"]["op"] for c in chosen if c["threads"] == 1]
            if shares and lengths.stop > 1024:
                name = f"full, D = {size}, {title}: share of the core's multiply-add peak"
                found.append((name, f"{min(shares):.0%} to {max(shares):.0%}"))
        found += window_figures(results, size)
    found += [("bf16 products, S >= 1,024: fastest fp32 peer's time by the op's", bf16(results))]
    for case in results["padding"]:
        what = f"padding, {case['batch']} x {case['length']:,}, {case['threads']} thread(s)"
        ratio = ", ".join(f"{name} {case['ratio'][name][0]:.2f}" for name in ("half", "mixed"))
        found.append((f"{what}: time by the full batch's", ratio))
    for case in results["denormals"]:
        name = f"{TITLES[case['candidate']]}, masked, S = {case['length']:,}: processor time with "
        name += "denormals (the default) by that without"
        found.append((name, f"{case['kept_ms'] / case['zero_ms']:.2f}"))
    return found + memory_figures(results)


def window_figures(results: Results, size: int) -> list[tuple[str, str]]:
    """Return the figures of local attention at one head size."""
    found = []
    width = 2 * results["window"]
    for cell in cells(results, head_size=size, length=8192):
        times = cell["median_ms"]
        for op, layout in (("op@window", "layout BSHD"), ("op_bhsd@window", "heads first")):
            for what, suffix in (("full", ""), ("masked", "@window")):
                found_peers = {n: times[n + suffix] for n in PEERS if n + suffix in times}
                if op in times and found_peers:
                    peer = min(found_peers, key=found_peers.__getitem__)
                    name = f"window {width}, D = {size}, S = 8,192, {cell['threads']} thread(s), "
                    name += f"{layout}: fastest {what} peer's time by the op's"
                    found.append((name, f"{found_peers[peer] / times[op]:.1f} ({TITLES[peer]})"))
    for threads in (1, 2):
        for op, layout in (("op@window", "layout BSHD"), ("op_bhsd@window", "heads first")):
            long = [
                c
                for c in cells(results, head_size=size, threads=threads)
                if c["length"] >= 512 and op in c["median_ms"]
            ]
            if len(long) > 2:
                slope = exponent([c["length"] for c in long], [c["median_ms"][op] for c in long])
                name = f"window {width}, D = {size}, S >= 512, {threads} thread(s), {layout}: "
                found.append((name + "exponent of time", f"{slope:.3f}"))
    return found


def bf16(results: Results) -> str:
    """Return the ratio of the bf16 compute mode, or why there is none."""
    if not results["machine"]["avx512_bf16"]:
        return "not measurable here: this CPU has no AVX512-BF16"
    ratios = []
    for cell in results["cells"]:
        peer = fastest_peer(cell["ratio"])
        if cell["length"] >= 1024 and peer and "op_bf16" in cell["ratio"]:
            ratios.append(peer[1] / cell["ratio"]["op_bf16"][0])
    return f"{min(ratios):.2f} to {max(ratios):.2f}" if ratios else "not run"


def memory_figures(results: Results) -> list[tuple[str, str]]:
    """Return peak memory at 8,192 tokens, and how it grows."""
    found = []
    for window in (None, results["window"]):
        kind = "full" if window is None else f"window {2 * window}"
        for name in TITLES:
            rows = [
                row
                for row in results["memory"]
                if row["candidate"] == name and row["window"] == window
            ]
            known = {row["length"]: row["mib"] for row in rows if row["mib"] is not None}
            if 8192 in known:
                text = f"{known[8192]:,.1f} MiB"
                if len(known) > 3:
                    points = sorted(known.items())[-4:]
                    lengths, sizes = zip(*points, strict=True)
                    slope, base = np.polyfit(lengths, sizes, 1)
                    grows = f"{slope * 1024:.2f} MiB for each 1,024 tokens"
                    text += f"; from {lengths[0]:,} tokens on {base:.1f} MiB and {grows}"
                found.append((f"memory, {kind}, S = 8,192, D = 32: {TITLES[name]}", text))
    return found


def markdown(results: Results) -> str:
    """Return all tables."""
    parts = [table(("figure", "measured"), figures(results))]
    names = [name for name in TITLES if any(name in c["median_ms"] for c in results["cells"])]
    window = 2 * results["window"]
    for suffix, kind in (("", "full attention"), ("@window", f"window {window}")):
        for threads in (1, 2):
            rows = []
            for cell in cells(results, threads=threads):
                times = [cell["median_ms"].get(name + suffix) for name in names]
                peer = fastest_peer(cell["ratio" if not suffix else "window_ratio"], suffix)
                share = cell["share_of_peak"][f"op{suffix}"]
                rows.append(
                    (
                        f"D = {cell['head_size']}, S = {cell['length']:,}",
                        *map(milliseconds, times),
                        f"{peer[1]:.2f}" if peer else "–",
                        f"{share:.0%}",
                    )
                )
            head = [f"{kind}, {threads} thread(s), ms", *(TITLES[name] for name in names)]
            parts.append(table([*head, "fastest peer by op", "op's share of peak"], rows))
    left_out = {
        f"{TITLES[label.partition('@')[0]]}, {'window' if '@' in label else 'full'}, "
        f"D = {c['head_size']}, S = {c['length']:,}, {c['threads']} thread(s): {why}"
        for c in results["cells"]
        for label, why in c["not_run"].items()
        if not label.startswith("op_bf16")
    }
    parts += ["".join(f"- {line}\n" for line in sorted(left_out))] if left_out else []
    return "\n".join(parts)


def over_tokens(axis: Any, lengths: Sequence[int]) -> None:  # noqa: ANN401 - has no types
    """Give a picture's axis both scales logarithmic, and a tick at each length in tokens."""
    axis.set(xscale="log", yscale="log", xlabel="tokens")
    axis.set_xticks(lengths, [f"{length:,}" for length in lengths])
    axis.yaxis.set_major_formatter("{x:,g}")
    axis.minorticks_off()
    axis.grid(alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def draw(results: Results, picture: Path) -> None:
    """Draw time over length on one thread, for each head size, and memory."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "attention", "font.size": 9, "svg.fonttype": "path"})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
    for axis, size in zip(axes, (32, 64), strict=False):
        for name, colour in COLOURS.items():
            for suffix, style in (("", "-"), ("@window", "--")):
                points = [
                    (c["length"], c["median_ms"][name + suffix])
                    for c in cells(results, head_size=size, threads=1)
                    if name + suffix in c["median_ms"]
                ]
                if points:
                    label = TITLES[name] if not suffix else None
                    axis.plot(*zip(*points, strict=True), style, color=colour, label=label, lw=1.6)
        axis.set(title=f"12 heads of {size}, one thread", ylabel="milliseconds")
    axes[0].plot([], [], "--", color="#1c2733", label=f"window of {2 * results['window']}")
    axes[0].legend(frameon=False, fontsize=8)
    for name, colour in COLOURS.items():
        points = [
            (row["length"], row["mib"])
            for row in results["memory"]
            if row["candidate"] == name and row["window"] is None and row["mib"]
        ]
        if points:
            axes[2].plot(*zip(*points, strict=True), "-", color=colour, lw=1.6)
    axes[2].set(title="peak extra memory, 12 heads of 32", ylabel="MiB")
    for axis in axes:
        over_tokens(axis, sorted({c["length"] for c in results["cells"]})[::2])
    # No date: the same figures give the same file.
    figure.savefig(picture, metadata={"Date": None})


def main(
    source: Annotated[Path, typer.Argument(help="What perf/attention.py wrote.")] = RESULTS,
    picture: Annotated[Path, typer.Option(help="Where the picture goes.")] = PICTURE,
) -> None:
    """Print the tables and draw the picture."""
    results = json.loads(source.read_text())
    sys.stdout.write(markdown(results))
    draw(results, picture)


if __name__ == "__main__":
    typer.run(main)
