"""Fit the compressor's schedule: how long its array steps take on the CPU, and on a GPU if any.

Real English texts of several lengths are taken through the step on each device in turn, transfers
included; a line is fitted to the medians over the number of entries in the sentence-term matrix.
The results of all devices are compared: they must be equal to the last digit. What was measured is
written to ``placement.json`` beside the compressor's code, from which it chooses.

Usage: ``python perf/placement.py [--output FILE.json]``
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import typer
from prose import Prose
from threadpoolctl import threadpool_limits

from pointsman import paths
from pointsman_backends.compressor import Tokenizer, placement
from pointsman_backends.compressor.placement import CPU, Cost, Device
from pointsman_backends.compressor.prepare import prepare
from pointsman_backends.compressor.relevance import term_signals

OUTPUT = Path(placement.__file__).with_suffix(".json")
SIZES = (1000, 4000, 16000, 64000, 128000)
CALLS = 15
SEED = 71


def main(output: Annotated[Path, typer.Option(help="JSON to write.")] = OUTPUT) -> None:
    """Measure and write the schedule."""
    tokenizer = Tokenizer(paths.model_repository() / "encoder" / "1" / "tokenizer.json", seed=SEED)
    prose = Prose(SEED)
    texts = [tokenizer.read(prose.draw(size)) for size in SIZES]
    matrices = [prepare(text, np.zeros(1, np.int64)).terms for text in texts]
    devices = [device for device in (CPU, placement.gpu()) if device is not None]
    medians: dict[str, list[float]] = {device.name: [] for device in devices}
    with threadpool_limits(1):
        for terms in matrices:
            times: dict[str, list[float]] = {device.name: [] for device in devices}
            expected = term_signals(terms, CPU)
            for _ in range(CALLS):
                for device in devices:
                    begin = time.perf_counter()
                    signals = term_signals(terms, device)
                    times[device.name].append((time.perf_counter() - begin) * 1e6)
                    check(expected, signals, device)
            for name, measured in times.items():
                medians[name].append(float(np.median(measured)))
    entries = [terms.nnz for terms in matrices]
    costs = {name: fitted(entries, values) for name, values in medians.items()}
    document = {
        "machine": machine.describe(),
        "entries": entries,
        "medians": {name: np.round(values, 1).tolist() for name, values in medians.items()},
        "microseconds": {"relevance": {name: vars(cost) for name, cost in costs.items()}},
    }
    output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document["microseconds"]))
    if len(devices) == 1:
        print("no GPU was found (CuPy): only the CPU is measured, and everything runs there")


def check(expected: dict[str, np.ndarray], signals: dict[str, np.ndarray], device: Device) -> None:
    """Raise RuntimeError unless a device gives what the CPU gives."""
    for name, values in expected.items():
        if signals[name].tolist() != values.tolist():
            raise RuntimeError(f"{name} differs between the CPU and the {device.name}")


def fitted(entries: list[int], us: list[float]) -> Cost:
    """A line through times, fitted to relative errors."""
    sizes = np.array(entries, float)
    weights = 1 / np.array(us)
    design = np.column_stack([np.ones(len(sizes)), sizes]) * weights[:, None]
    fixed, per_entry = np.linalg.lstsq(design, np.ones(len(sizes)), rcond=None)[0]
    return Cost(round(float(max(fixed, 0.0)), 2), round(float(per_entry), 5))


if __name__ == "__main__":
    typer.run(main)
