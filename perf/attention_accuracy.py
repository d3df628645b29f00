"""The attention op's fp32 errors beside the unfused graph's, both against float64.

Of several draws of a shape: the largest error, relative to the largest result, and the root mean
square of all errors, both averaged over the draws. Neither wins each draw: both are fp32, with the
products summed in another order. The instruction set is the machine's best, or the one that
``CK_FLASH_ATTENTION_ISA`` names.

Usage: ``python perf/attention_accuracy.py [--output FILE.json]``
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import attention_candidates as candidates
import machine
import numpy as np
import typer
from attention_candidates import Problem
from rich.console import Console
from rich.progress import track
from rich.table import Table

LENGTHS = (32, 64, 128, 256, 512, 1024, 2048, 4096)
HEAD_SIZES = (32, 64)
DRAWS = 8
NAMES = ("op_bhsd", "unfused")
RESULTS = Path(__file__).parent / "results"


def errors(name: str, problem: Problem) -> tuple[float, float]:
    """Return the largest error and the root mean square of all, of the first head.

    `answer` is [1,H,S,D], or [1,S,H*D] where the transposes count.
    """
    candidate = candidates.prepare(name, problem)
    candidate.run()
    answer = candidate.answer()
    got = answer[0, 0] if answer.ndim == 4 else answer[0, :, : problem.head_size]
    exact = problem.expected(np.arange(problem.length))
    error = (got - exact) / np.abs(exact).max()
    return float(np.abs(error).max()), float(np.sqrt((error**2).mean()))


def compare(length: int, head_size: int) -> dict[str, Any]:
    """Return the mean errors of one shape, and the op's by the unfused graph's."""
    means = {}
    for name in NAMES:
        draws = [errors(name, Problem(length, head_size, 1, seed=seed)) for seed in range(DRAWS)]
        means[name] = np.mean(draws, axis=0)
    ratio = means["op_bhsd"] / means["unfused"]
    return {
        "length": length,
        "head_size": head_size,
        "largest": {name: float(mean[0]) for name, mean in means.items()},
        "rms": {name: float(mean[1]) for name, mean in means.items()},
        "ratio": {"largest": round(float(ratio[0]), 3), "rms": round(float(ratio[1]), 3)},
    }


def main(
    output: Annotated[Path, typer.Option(help="JSON to write.")] = RESULTS
    / "attention_accuracy.json",
) -> None:
    """Measure, print a table and write the JSON."""
    shapes = [(length, size) for size in HEAD_SIZES for length in LENGTHS]
    rows = [compare(*shape) for shape in track(shapes, "comparing")]
    table = Table("D", "S", "largest error", "unfused", "ratio", "rms", "unfused", "ratio")
    for row in rows:
        cells = [
            text
            for kind in ("largest", "rms")
            for text in (*(f"{row[kind][name]:.2e}" for name in NAMES), f"{row['ratio'][kind]:.2f}")
        ]
        table.add_row(str(row["head_size"]), str(row["length"]), *cells)
    console = Console()
    console.print(table)
    means = {
        kind: round(float(np.exp(np.mean([np.log(row["ratio"][kind]) for row in rows]))), 3)
        for kind in ("largest", "rms")
    }
    console.print(f"geometric means of the ratios: {means}")
    report = {"machine": machine.describe(), "geometric_mean_ratio": means, "rows": rows}
    output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
