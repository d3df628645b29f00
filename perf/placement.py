"""Fit the compressor's schedule: how long its steps take on the CPU, and on a GPU if there is one.

Real English texts of several lengths are compressed with every step on each device in turn. A line
is fitted to the medians of each step over what its size is known by, and to the times of transfers
over their bytes. The answers of all devices are compared: they must be equal to the last digit.
What was measured is written to ``placement.json`` beside the compressor's code, from which it
chooses.

Usage: ``python perf/placement.py [--output FILE.json]``
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import machine
import numpy as np
import typer
from prose import Prose
from threadpoolctl import threadpool_limits

from pointsman import paths
from pointsman_backends.compressor import Compressor, Explained, Tokenizer, placement
from pointsman_backends.compressor.placement import CPU, STEPS, Cost, Device, Schedule

OUTPUT = Path(placement.__file__).with_suffix(".json")
SIZES = (1000, 4000, 16_000, 64_000, 128_000)  # tokens of the texts
BUDGET = 512
BUDGETS = (64, 256, 1024, 4096, 8192)  # by which the words kept differ
BYTES = (1 << 10, 1 << 14, 1 << 18, 1 << 22)
CALLS = 15
SEED = 71

_Result = TypeVar("_Result")
Points = dict[str, list[tuple[int, float]]]
"""Of each step its size and microseconds."""


class Stopwatch(Schedule):
    """Runs every step on one device, and notes how long it takes where its inputs already are.

    Attributes:
        spent: Of each step its size and microseconds, for one text.
    """

    def __init__(self, device: Device) -> None:
        super().__init__({}, None if device is CPU else device)
        self._device = device
        self.spent: dict[str, tuple[int, float]] = {}

    def run(
        self,
        step: str,
        size: int,
        work: Callable[..., _Result],
        *inputs: Any,  # noqa: ANN401 (whatever the step takes)
    ) -> _Result:
        """Run a step; what takes several calls of it counts as one."""
        inputs = self._device.put(inputs)
        wait_for(self._device)
        begin = time.perf_counter()
        result = work(self._device, *inputs)
        wait_for(self._device)
        us = (time.perf_counter() - begin) * 1e6
        self.spent[step] = size, self.spent.get(step, (0, 0.0))[1] + us
        return result


def main(output: Annotated[Path, typer.Option(help="JSON to write.")] = OUTPUT) -> None:
    """Measure and write the schedule."""
    tokenizer = Tokenizer(paths.model_repository() / "encoder" / "1" / "tokenizer.json", seed=SEED)
    compressor = Compressor(tokenizer, max(BUDGETS))
    prose = Prose(SEED)
    texts = [prose.draw(size).encode() for size in SIZES]
    devices = [device for device in (CPU, placement.gpu()) if device is not None]
    medians: dict[str, Points] = {device.name: {step: [] for step in STEPS} for device in devices}
    with threadpool_limits(1):
        for number, text in enumerate(texts):
            # A number's budget counts for apply alone, its text for the other steps.
            expected = told(on(compressor, CPU).explain(text, budget=BUDGETS[number]))
            for device in devices:
                got = told(on(compressor, device).explain(text, budget=BUDGETS[number]))
                check(expected, got, device)
            measured = {
                device.name: measure(compressor, device, text, BUDGET) for device in devices
            }
            of_apply = {
                device.name: measure(compressor, device, texts[-1], BUDGETS[number])
                for device in devices
            }
            for name, points in medians.items():
                for step in STEPS:
                    points[step].append((of_apply if step == "apply" else measured)[name][step])
        transfer = None if len(devices) == 1 else fitted(list(BYTES), moved(devices[1]))
    document = {
        "machine": machine.describe(),
        "sizes": {step: [size for size, _ in medians["cpu"][step]] for step in STEPS},
        "medians": {
            name: {step: [round(us, 1) for _, us in points[step]] for step in STEPS}
            for name, points in medians.items()
        },
        "microseconds": {
            step: {name: vars(line(points[step])) for name, points in medians.items()}
            for step in STEPS
        },
        "transfer": None if transfer is None else vars(transfer),
    }
    output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document["microseconds"]))
    if len(devices) == 1:
        print("no GPU was found (CuPy): only the CPU is measured, and everything runs there")


def wait_for(device: Device) -> None:
    """Wait until a device has done what it was told to."""
    if device is not CPU:
        device.xp.cuda.get_current_stream().synchronize()


def on(compressor: Compressor, device: Device) -> Compressor:
    """Let a compressor run everything on a device; its ``_schedule`` tells the times."""
    compressor._schedule = Stopwatch(device)
    return compressor


def measure(
    compressor: Compressor, device: Device, text: bytes, budget: int
) -> dict[str, tuple[int, float]]:
    """Compress a text some times; of each step the size and the median time in microseconds."""
    calls = []
    for _ in range(CALLS):
        on(compressor, device).compress(text, budget=budget)
        calls.append(compressor._schedule.spent)  # type: ignore[attr-defined]
    return {
        step: (calls[0][step][0], float(np.median([call[step][1] for call in calls])))
        for step in STEPS
    }


def moved(device: Device) -> list[float]:
    """Median microseconds to move some bytes to a device, or back, for each of ``BYTES``."""
    medians = []
    for size in BYTES:
        here = np.zeros(size, np.uint8)
        times = []
        for _ in range(CALLS):
            begin = time.perf_counter()
            there = device.put(here)
            wait_for(device)
            CPU.put(there)
            times.append((time.perf_counter() - begin) * 1e6 / 2)
        medians.append(float(np.median(times)))
    return medians


def told(explained: Explained) -> dict[str, np.ndarray]:
    """Everything that a device may not change."""
    compressed = explained.compressed
    return {
        "scores": explained.scores,
        "spans": explained.spans,
        "tokens": explained.tokens,
        "sentences kept": explained.kept,
        "input_ids": compressed.input_ids,
        "token_offsets": compressed.token_offsets,
        "kept": compressed.kept,
        **explained.signals,
    }


def check(expected: dict[str, np.ndarray], got: dict[str, np.ndarray], device: Device) -> None:
    """Raise RuntimeError unless a device gives what the CPU gives."""
    for name, values in expected.items():
        if got[name].tolist() != values.tolist():
            raise RuntimeError(f"{name} differs between the CPU and the {device.name}")


def line(points: list[tuple[int, float]]) -> Cost:
    """Return the line through some points."""
    return fitted([size for size, _ in points], [us for _, us in points])


def fitted(sizes: list[int], us: list[float]) -> Cost:
    """A line through times, fitted to relative errors; neither part of it is negative."""
    of = np.array(sizes, float)
    weights = 1 / np.array(us)
    design = np.column_stack([np.ones(len(of)), of]) * weights[:, None]
    fixed, per_item = np.linalg.lstsq(design, np.ones(len(of)), rcond=None)[0]
    return Cost(round(float(max(fixed, 0.0)), 2), round(float(max(per_item, 0.0)), 5))


if __name__ == "__main__":
    typer.run(main)
