"""The pictures of docs/evaluation.md, drawn from the results alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Results = dict[str, Any]
COLOURS = ("#2563a8", "#a85b12", "#1f7a4d", "#8a5a9e")
LENGTH_LINES = {
    ("attack at five depths", "recall at 2 % false positives"): "attack: recall at 2 % FP",
    ("question at the end", "accuracy"): "question at the end: accuracy",
    ("personal data at five depths", "strict recall"): "personal data: strict recall",
}


def draw(results: Results, folder: Path) -> None:
    """Write confusion.svg, roc.svg, reliability.svg and length.svg."""
    folder.mkdir(parents=True, exist_ok=True)
    # The same results give the same bytes.
    with mpl.rc_context({"svg.hashsalt": "pointsman", "svg.fonttype": "path", "font.size": 9}):
        for name, picture in (
            ("confusion", confusion(results["domain"]["confusion"])),
            ("roc", roc(results["safety"]["roc"])),
            ("reliability", reliability(results["domain"]["reliability"])),
            ("length", length(results["length"])),
        ):
            path = folder / f"{name}.svg"
            picture.savefig(path, metadata={"Date": None}, bbox_inches="tight")
            lines = path.read_text(encoding="utf-8").splitlines()
            path.write_text("\n".join(map(str.rstrip, lines)) + "\n", encoding="utf-8")


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    picture = Figure(figsize=(width, height), facecolor="white")
    axes = picture.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return picture, axes


def confusion(measured: Results) -> Figure:
    """Share of each true label's questions by the label found, mmlu_pro_dev."""
    counts = np.array(measured["counts"], dtype=np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = measured["labels"]
    picture, axes = _axes(7, 6)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    for row, column in zip(*np.nonzero(counts), strict=True):
        value = shares[row, column]
        axes.text(
            column,
            row,
            f"{100 * value:.0f}",
            ha="center",
            va="center",
            fontsize=7,
            color="white" if value > 0.55 else "black",
        )
    axes.set_xlabel("found")
    axes.set_ylabel("true")
    axes.set_title("mmlu_pro_dev: % of each subject's questions")
    return picture


def roc(curves: Results) -> Figure:
    """Recall by false-positive rate of the safety sets."""
    picture, axes = _axes(5.5, 4)
    for (name, curve), colour in zip(curves.items(), COLOURS, strict=False):
        axes.plot(curve["fpr"], curve["tpr"], color=colour, label=name, drawstyle="steps-post")
    axes.axvline(0.02, color="#999999", lw=0.8, ls=":")
    axes.set_xlim(-0.01, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("false-positive rate (dotted: 2 %)")
    axes.set_ylabel("recall")
    axes.set_title("Safety")
    axes.legend(frameon=False, loc="lower right")
    return picture


def reliability(bins: Results) -> Figure:
    """Accuracy by confidence of the domain's label."""
    picture, axes = _axes(4.5, 4)
    axes.plot([0, 1], [0, 1], color="#999999", lw=0.8, ls=":")
    for (name, curve), colour in zip(bins.items(), COLOURS, strict=False):
        axes.plot(curve["confidence"], curve["accuracy"], "o-", ms=4, color=colour, label=name)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence (bins of equal mass)")
    axes.set_ylabel("accuracy")
    axes.set_title("Domain, as served")
    axes.legend(frameon=False, loc="upper left")
    return picture


def _line(
    entries: list[Results], key: tuple[str, str]
) -> Iterator[tuple[int, float, float, float]]:
    for entry in entries:
        for row in entry["figures"]:
            if (row["set"], row["metric"]) == key:
                low, high = row["ci95"] or (row["value"], row["value"])
                yield entry["tokens"], row["value"], low, high


def length(entries: list[Results]) -> Figure:
    """What is found in long texts by their length, with 95 % intervals."""
    picture, axes = _axes(5.5, 4)
    for (key, label), colour in zip(LENGTH_LINES.items(), COLOURS, strict=False):
        tokens, values, low, high = np.array(list(_line(entries, key))).T
        axes.plot(tokens, values, "o-", ms=4, color=colour, label=label)
        axes.fill_between(tokens, low, high, color=colour, alpha=0.15, lw=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks([e["tokens"] for e in entries], [f"{e['tokens']:,}" for e in entries])
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("tokens of the text")
    axes.set_title("In long benign texts")
    axes.legend(frameon=False, loc="lower left")
    return picture
