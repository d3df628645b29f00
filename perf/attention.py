"""The attention op beside its peers: time, share of the cores' peak, memory.

All candidates run in this process, in turn, on the same inputs and as many threads, so that what
slows the machine down slows all of them: ratios are medians of the ratios within each round. Every
answer is compared with float64. Between the rounds the cores' multiply-add peak is measured, too.

Peers: the unfused graph (MatMul, Softmax, MatMul) and MultiHeadAttention in ONNX Runtime, and
PyTorch's scaled_dot_product_attention where it can be imported. With a window they get a mask,
made beforehand, and denormals count as zero, which makes them faster than they are by default
("denormals" in the JSON). Times are of 12 heads and one text; `PADDING_CASES` are batches.

Usage: ``python perf/attention.py [--quick] [--output FILE.json]``
"""

from __future__ import annotations

import functools
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypedDict

import attention_alone
import attention_candidates as candidates
import attention_report
import machine
import numpy as np
import psutil
import typer
from attention_candidates import HEADS, NAMES, PEERS, Problem
from fma_peak import FmaPeak, cpu_flags, instruction_set
from onnx import TensorProto, helper
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

LENGTHS = tuple(2**n for n in range(7, 16))
QUICK_LENGTHS = (128, 512, 1024, 2048)
HEAD_SIZES = (32, 64)
# Local attention over 128 tokens, as ModernBERT has it: 64 to each side.
WINDOW = 64
THREADS = (1, 2)
# For each set of candidates at one length.
SET_BUDGET_S = 3.0
MOST_ROUNDS = 41
FEWEST_ROUNDS = 3
# How many rounds there are where one takes so many seconds or more.
FEWER_ROUNDS = ((45.0, 1), (15.0, 2))
# What is not worth waiting for: with full attention, and of a masked peer.
LONGEST_RUN_S = (45.0, 15.0)
# Where the op's second layout says nothing new.
LONGEST_TWICE = 8192
# Of the memory that is free at the start, what one candidate may need: four hold it at once.
MEMORY_SHARE = 0.2
PADDING_CASES = ((8, 512), (8, 2048))
DENORMALS_LENGTH = 1024
TOLERANCE = {"op_bf16": 3e-2}
EXACT = 3e-5
MEMORY_LENGTHS = (2048, 4096, 8192, 16384, 32768)
RESULTS = Path(__file__).parent / "results"

Runs = dict[str, Callable[[], None]]


class Times(TypedDict):
    """What the rounds of one set of candidates took."""

    fma_peak_gflops: list[float]
    ms: dict[str, list[float]]


class Cell(TypedDict):
    """All candidates on one problem, full and with the window. Names: `op`, `op@window`, ...

    `ratio` is how many times longer than `op` (or `op@window`) each took, median of the rounds, and
    the quartiles; `share_of_peak` is of the multiply-add peak of as many cores.
    """

    length: int
    head_size: int
    threads: int
    rounds: int
    median_ms: dict[str, float]
    quartiles_ms: dict[str, list[float]]
    ratio: dict[str, list[float]]
    window_ratio: dict[str, list[float]]
    share_of_peak: dict[str, float]
    not_run: dict[str, str]
    times: Times


def settle() -> None:
    """Return when no thread of this process spins any more, after waking for nothing."""
    deadline = time.monotonic() + 0.1
    while time.monotonic() < deadline:
        used = time.process_time()
        time.sleep(0.002)
        if time.process_time() - used < 0.001:
            return


def measure(runs: Runs, peak: Callable[[], float], *, budget_s: float = SET_BUDGET_S) -> Times:
    """Run each in turn, round after round, and time it.

    The first round warms up, unless it is longer than the budget: then it counts, and few follow.
    """
    times: Times = {"fma_peak_gflops": [], "ms": {name: [] for name in runs}}

    def one_round(first: int) -> None:
        times["fma_peak_gflops"].append(round(peak(), 2))
        names = list(runs)
        # Nobody always comes after the same neighbour.
        for name in names[first % len(names) :] + names[: first % len(names)]:
            settle()
            begin = time.perf_counter()
            runs[name]()
            times["ms"][name].append(round((time.perf_counter() - begin) * 1e3, 4))

    begin = time.perf_counter()
    one_round(0)
    took = time.perf_counter() - begin
    if took > budget_s:
        rounds = (count for limit, count in FEWER_ROUNDS if took >= limit)
        more = next(rounds, FEWEST_ROUNDS) - 1
    else:
        more = min(max(round(budget_s / took), FEWEST_ROUNDS), MOST_ROUNDS)
        for values in (times["fma_peak_gflops"], *times["ms"].values()):
            values.clear()
    for number in range(more):
        one_round(number + 1)
    return times


def quartiles(values: list[float], digits: int) -> list[float]:
    """Return the first and the third."""
    return [round(float(q), digits) for q in np.percentile(values, (25, 75))]


def ratios(times: Times, base: str) -> dict[str, list[float]]:
    """Return median and quartiles of each candidate's time by that of `base` in its round."""
    found = {}
    for name, values in times["ms"].items():
        each = [value / own for value, own in zip(values, times["ms"][base], strict=True)]
        found[name] = [round(statistics.median(each), 3), *quartiles(each, 3)]
    return found


def shares_of_peak(times: Times, flops: Mapping[str, float]) -> dict[str, float]:
    """Return the median over the rounds of each candidate's rate by the peak just measured."""
    return {
        name: round(
            statistics.median(
                flops[name] / (ms * 1e6) / peak
                for ms, peak in zip(values, times["fma_peak_gflops"], strict=True)
            ),
            4,
        )
        for name, values in times["ms"].items()
    }


@functools.cache
def memory_limit() -> float:
    """Return how many bytes a candidate may need, decided at the first call."""
    return float(psutil.virtual_memory().available * MEMORY_SHARE)


def excuse(name: str, problem: Problem, shorter: Cell | None) -> str | None:
    """Return why a candidate does not run on this machine, or None."""
    if name == "sdpa" and candidates.find_torch() is None:
        return "PyTorch is not installed"
    if name == "op_bf16" and "avx512_bf16" not in cpu_flags():
        return "this CPU has no AVX512-BF16"
    if name == "op_bhsd" and problem.window is None and problem.length > LONGEST_TWICE:
        return f"as op; measured up to {LONGEST_TWICE:,}"
    needed = candidates.score_bytes(name, problem)
    if needed > memory_limit():
        return f"needs {needed / 2**30:.1f} GiB (limit {memory_limit() / 2**30:.1f})"
    label = name if problem.window is None else f"{name}@window"
    if shorter and name in PEERS and label in shorter["not_run"]:
        reason = shorter["not_run"][label].removeprefix("not run: ")
        return (
            reason if reason.startswith("already") else f"already at {shorter['length']:,} {reason}"
        )
    if shorter and name in PEERS and label in shorter["median_ms"]:
        seconds = shorter["median_ms"][label] * (problem.length / shorter["length"]) ** 2 / 1e3
        limit = LONGEST_RUN_S[problem.window is not None]
        if seconds > limit:
            return f"too long: about {seconds:.0f} s (limit {limit:.0f})"
    return None


def compare(
    length: int, head_size: int, threads: int, fma: FmaPeak, shorter: Cell | None, budget_s: float
) -> Cell:
    """Measure all candidates on one problem."""
    runs: Runs = {}
    flops = {}
    not_run = {}
    checks: list[Callable[[], None]] = []
    whole = Problem(length, head_size, threads)
    for problem in (whole, Problem(length, head_size, threads, WINDOW)):
        for name in NAMES:
            label = name if problem.window is None else f"{name}@window"
            if reason := excuse(name, problem, shorter):
                not_run[label] = f"not run: {reason}"
                continue
            made = candidates.prepare(name, problem)
            runs[label] = made.run
            flops[label] = problem.flops
            checks.append(
                lambda made=made, problem=problem, name=name: made.check(  # type: ignore[misc]
                    problem, TOLERANCE.get(name, EXACT)
                )
            )
    peak_s = 0.01 if length <= 4096 else 0.1
    times = measure(runs, lambda: fma.gflops(threads, peak_s), budget_s=budget_s)
    for check in checks:
        check()
    return {
        "length": length,
        "head_size": head_size,
        "threads": threads,
        "rounds": len(times["fma_peak_gflops"]),
        "median_ms": {n: round(statistics.median(ms), 4) for n, ms in times["ms"].items()},
        "quartiles_ms": {n: quartiles(ms, 4) for n, ms in times["ms"].items()},
        "ratio": ratios(times, "op"),
        "window_ratio": ratios(times, "op@window"),
        "share_of_peak": shares_of_peak(times, flops),
        "not_run": not_run,
        "times": times,
    }


class Padding(TypedDict):
    """A padded batch beside a full one. `ratio`: median and quartiles, by the full one's time.

    `unbiased` has no bias, `full` one of zeros; in `half` each text fills half of its row, in
    `mixed` the texts are of all lengths, and half of all tokens are padding.
    """

    batch: int
    length: int
    head_size: int
    threads: int
    rounds: int
    median_ms: dict[str, float]
    ratio: dict[str, list[float]]
    times: Times


def pad(batch: int, length: int, head_size: int, threads: int, budget_s: float) -> Padding:
    """Measure what keys cost that a bias [B,1,1,S] takes away."""
    lengths = {
        "full": np.full(batch, length),
        "half": np.full(batch, length // 2),
        "mixed": np.round(np.linspace(0, length, 2 * batch + 1)[1::2]).astype(np.int64),
    }
    rng = np.random.default_rng(31)
    shape = (batch, length, HEADS, head_size)
    q, k, v = (rng.standard_normal(shape, dtype=np.float32) for _ in range(3))
    runs: Runs = {}
    kept = []
    for name, filled in {"unbiased": None, **lengths}.items():
        feeds = {"q": q, "k": k, "v": v}
        kinds: list[tuple[str, list[int | str | None]]] = [(x, ["B", "S", "H", "D"]) for x in "qkv"]
        if filled is not None:
            bias = np.where(np.arange(length) < filled[:, None], 0, -np.inf).astype(np.float32)
            feeds["bias"] = bias[:, None, None]
            kinds.append(("bias", ["B", 1, 1, "S"]))
        node = helper.make_node(
            "CKFlashAttention",
            list(feeds),
            ["o"],
            domain="com.ck",
            layout="BSHD",
            scale=head_size**-0.5,
        )
        inputs = [helper.make_tensor_value_info(x, TensorProto.FLOAT, dims) for x, dims in kinds]
        graph = candidates.as_model([node], inputs, ["B", "S", "H", "D"], [])
        made = candidates.on_ort(graph, feeds, np.zeros_like(q), threads)
        runs[name] = made.run
        kept.append((made, filled))
    times = measure(runs, lambda: 0.0, budget_s=budget_s)
    for made, filled in kept:
        for item in range(batch):
            n = length if filled is None else int(filled[item])
            logits = (q[item, :4, 0].astype(np.float64) * head_size**-0.5) @ k[item, :n, 0].T
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            exact = (weights / weights.sum(axis=1, keepdims=True)) @ v[item, :n, 0]
            if not np.abs(made.answer()[item, :4, 0] - exact).max() < EXACT:
                raise RuntimeError(f"wrong answer in a padded batch, item {item}")
    return {
        "batch": batch,
        "length": length,
        "head_size": head_size,
        "threads": threads,
        "rounds": len(times["fma_peak_gflops"]),
        "median_ms": {n: round(statistics.median(ms), 4) for n, ms in times["ms"].items()},
        "ratio": ratios(times, "full"),
        "times": times,
    }


class Memory(TypedDict):
    """Peak memory of one run, without inputs and output, on one thread; None: see `not_run`."""

    candidate: str
    length: int
    head_size: int
    window: int | None
    mib: float | None
    not_run: str | None


def memory_cases(lengths: Sequence[int]) -> Iterator[tuple[str, int, int | None]]:
    """Yield what to measure memory of: candidate, length, window."""
    for length in lengths:
        for window in (None, WINDOW):
            yield "op", length, window
            if window or length <= LONGEST_TWICE:
                yield "op_bhsd", length, window
        if length <= LONGEST_TWICE:
            for peer in PEERS:
                yield peer, length, None


def remember(name: str, length: int, window: int | None) -> Memory:
    """Measure the memory of one candidate at the smaller head size."""
    head_size = HEAD_SIZES[0]
    reason = excuse(name, Problem(length, head_size, 1, window), None)
    mib = None
    if reason is None:
        mib = attention_alone.in_fresh_process(name, length, head_size, window)["mib"]
    return {
        "candidate": name,
        "length": length,
        "head_size": head_size,
        "window": window,
        "mib": mib,
        "not_run": f"not run: {reason}" if reason else None,
    }


class Denormals(TypedDict):
    """Processor time of a masked peer where denormals are numbers, and where they are zero."""

    candidate: str
    length: int
    head_size: int
    kept_ms: float
    zero_ms: float


def keep_denormals(name: str) -> Denormals:
    """Measure what ONNX Runtime's default costs a masked peer."""
    length, head_size = DENORMALS_LENGTH, HEAD_SIZES[-1]
    kept, zero = (
        attention_alone.in_fresh_process(name, length, head_size, WINDOW, denormals=kind)["cpu_ms"]
        for kind in ("kept", "zero")
    )
    return {
        "candidate": name,
        "length": length,
        "head_size": head_size,
        "kept_ms": kept,
        "zero_ms": zero,
    }


def main(
    output: Annotated[Path, typer.Option(help="Where the figures go, raw ones too.")] = (
        RESULTS / "attention.json"
    ),
    quick: Annotated[bool, typer.Option("--quick", help="Short texts, few rounds.")] = False,
) -> None:
    """Measure the op and its peers (10 to 15 minutes on two quiet cores)."""
    lengths = QUICK_LENGTHS if quick else LENGTHS
    budget_s = SET_BUDGET_S / 10 if quick else SET_BUDGET_S
    memory = list(memory_cases(lengths if quick else MEMORY_LENGTHS))
    memory_limit()
    torch = candidates.find_torch()
    if torch is None:
        Console(stderr=True).print("PyTorch is not installed here nor in .venv-train: left out")
    head = {
        **machine.describe(),
        "torch": torch.__version__ if torch else None,
        "instruction_set": instruction_set(),
        "avx512_bf16": "avx512_bf16" in cpu_flags(),
    }
    cells: list[Cell] = []
    padding: list[Padding] = []
    sets = [(d, t) for d in HEAD_SIZES for t in THREADS]
    total = len(memory) + len(sets) * len(lengths) + len(PADDING_CASES) * len(THREADS)
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
    with progress, tempfile.TemporaryDirectory(prefix="pointsman-attention-") as scratch:
        bar = progress.add_task("", total=total)
        memories = []
        for name, length, window in memory:
            progress.update(bar, description=f"memory of {name}, {length:,}")
            memories.append(remember(name, length, window))
            progress.advance(bar)
        denormals = [keep_denormals(name) for name in ("unfused", "mha")]
        fma = FmaPeak(Path(scratch))
        for threads in THREADS:
            for batch, length in PADDING_CASES:
                progress.update(bar, description=f"padding, {batch} x {length:,}")
                padding.append(pad(batch, length, HEAD_SIZES[0], threads, budget_s))
                progress.advance(bar)
        for head_size, threads in sets:
            shorter = None
            for length in lengths:
                progress.update(bar, description=f"{length:,} tokens, {head_size}, {threads} thr.")
                shorter = compare(length, head_size, threads, fma, shorter, budget_s)
                cells.append(shorter)
                gc.collect()
                progress.advance(bar)
    results = {"machine": head, "heads": HEADS, "window": WINDOW, "cells": cells}
    results |= {"padding": padding, "memory": memories, "denormals": denormals}
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1) + "\n")
    sys.stdout.write(attention_report.markdown(json.loads(output.read_text())))


if __name__ == "__main__":
    typer.run(main)
