"""One encoder and three heads against three models that each carry the encoder.

The latter are made of the former (encoder and head in one file), so both compute the same.

- In this process, ONNX Runtime alone: all three verdicts. Shared: the encoder on two threads, then
  the heads; independent: three sessions of one thread side by side.
- In Triton: whole decisions of both, asked in turn; and the encoder with one thread or two, one
  instance or two, under one request at a time and four.
- The peak memory of encoder and heads against the tokens, each in a fresh process.

Usage: ``python perf/shared_encoder.py [--calls N] [--longest TOKENS] [--output FILE.json]``
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import independent
import machine
import numpy as np
import numpy.typing as npt
import onnxruntime
import typer
from prose import Prose
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tokenizers import Tokenizer

from pointsman import Router, paths
from pointsman.embedded import EmbeddedTriton

HEADS = independent.HEADS
LENGTHS = (128, 512, 2048, 8192)
ENSEMBLE_SIZES = (512, 8192)
MEMORY_LENGTHS = (1024, 2048, 4096, 8192, 16384, 32768)
INSTANCES = ((1, 1), (2, 1), (1, 2))
"""(threads, instances) of the encoder."""
CALLERS = (1, 4)
SEED = 40
TIMEOUT_S = 600.0
RESULTS = Path(__file__).parent / "results"

Inputs = dict[str, npt.NDArray[Any]]


def session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    """Return a session as the server makes it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.register_custom_ops_library(str(paths.kernels() / paths.ATTENTION_LIBRARY))
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


class Shared:
    """The encoder, then the heads, one after the other."""

    def __init__(self, repository: Path, threads: int = 2) -> None:
        self._encoder = session(repository / "encoder" / "1" / "model.onnx", threads)
        self._heads = [session(repository / name / "1" / "model.onnx", 1) for name in HEADS]

    def __call__(self, inputs: Inputs) -> list[npt.NDArray[np.float32]]:
        """Return the logits of each head."""
        (states,) = self._encoder.run(None, inputs)
        mask = inputs["attention_mask"]
        return [
            head.run(None, {"hidden_states": states, "attention_mask": mask})[0]
            for head in self._heads
        ]


class Independent:
    """Three models side by side, one thread each."""

    def __init__(self, repository: Path) -> None:
        self._models = [session(repository / name / "1" / "model.onnx", 1) for name in HEADS]
        self._pool = ThreadPoolExecutor(len(HEADS))

    def __call__(self, inputs: Inputs) -> list[npt.NDArray[np.float32]]:
        """Return the logits of each model."""
        return list(self._pool.map(lambda model: model.run(None, inputs)[0], self._models))


def turns(tokens: int, calls: int) -> tuple[int, int]:
    """Return how often to ask in vain, and how often to be timed: long texts less often."""
    return (3, calls) if tokens <= 512 else (1, max(3, calls // 8))


def quantiles(ms: list[float]) -> dict[str, float]:
    """Return the median and the 95th percentile of times in milliseconds."""
    return {
        "p50_ms": round(statistics.median(ms), 2),
        "p95_ms": round(float(np.quantile(ms, 0.95)), 2),
    }


def in_process(
    ways: dict[str, Callable[[Inputs], Any]], ids: list[int], calls: int
) -> list[dict[str, Any]]:
    """Time all three verdicts of each way, in turn; both must say the same."""
    rows = []
    for length in track(LENGTHS, "in this process"):
        array = np.array([ids[:length]], np.int64)
        inputs = {"input_ids": array, "attention_mask": np.ones_like(array)}
        ms: dict[str, list[float]] = {way: [] for way in ways}
        warm_up, timed = turns(length, calls)
        for turn in range(warm_up + timed):
            logits = {}
            for way, run in ways.items():
                begin = time.perf_counter()
                logits[way] = run(inputs)
                if turn >= warm_up:
                    ms[way].append((time.perf_counter() - begin) * 1e3)
        first, *others = logits.values()
        for other in others:
            for one, two in zip(first, other, strict=True):
                # int8 activations: a last bit moves one across a step.
                if one.shape != two.shape or np.abs(one - two).max() > 0.05 * np.ptp(one):
                    raise RuntimeError(f"the ways disagree at {length} tokens")
        rows += [{"way": way, "tokens": length, **quantiles(times)} for way, times in ms.items()]
    return rows


def ask(router: Router, text: str, budget: int) -> float:
    """Return the milliseconds of one decision; RuntimeError unless it is complete."""
    begin = time.perf_counter()
    decision = router.route_text(text, budget=budget)
    ms = (time.perf_counter() - begin) * 1e3
    if decision.errors or not decision.coverage.classified_tokens:
        raise RuntimeError(f"checks did not run: {', '.join(decision.errors)}")
    return ms


def decisions(ways: dict[str, Path], prose: Prose, calls: int) -> list[dict[str, Any]]:
    """Ask one server for each way, in turn, the same texts."""
    rows = []
    with ExitStack() as stack:
        routers = {}
        for way, repository in ways.items():
            triton = stack.enter_context(EmbeddedTriton(repository))
            routers[way] = stack.enter_context(Router(triton.grpc_url, timeout_s=TIMEOUT_S))
        for size in track(ENSEMBLE_SIZES, "decisions"):
            ms: dict[str, list[float]] = {way: [] for way in ways}
            warm_up, timed = turns(size, calls)
            for turn in range(warm_up + timed):
                text = prose.draw(size)
                for way, router in routers.items():
                    taken = ask(router, text, -1)
                    if turn >= warm_up:
                        ms[way].append(taken)
            rows += [{"way": way, "tokens": size, **quantiles(t)} for way, t in ms.items()]
    return rows


def instances(repository: Path, prose: Prose, calls: int) -> list[dict[str, Any]]:
    """Ask about 512 tokens, with one or more callers, for each setting of the encoder."""
    rows = []
    texts = [prose.draw(512) for _ in range(calls)]
    for threads, count in track(INSTANCES, "threads and instances"):
        with tempfile.TemporaryDirectory(prefix="pointsman-instances-") as scratch:
            copy = Path(shutil.copytree(repository, Path(scratch) / "models"))
            config = independent.config_of(copy / "encoder")
            config.parameters["intra_op_thread_count"].string_value = str(threads)
            config.instance_group[0].count = count
            independent.write_config(copy / "encoder", config)
            with (
                EmbeddedTriton(copy) as triton,
                Router(triton.grpc_url, timeout_s=TIMEOUT_S) as router,
            ):
                for callers in CALLERS:
                    with ThreadPoolExecutor(callers) as pool:
                        list(
                            pool.map(
                                lambda text: ask(router, text, -1), texts[: turns(512, calls)[0]]
                            )
                        )
                        begin = time.perf_counter()
                        ms = list(pool.map(lambda text: ask(router, text, -1), texts))
                        seconds = time.perf_counter() - begin
                    rows.append(
                        {
                            "threads": threads,
                            "instances": count,
                            "callers": callers,
                            **quantiles(ms),
                            "decisions_per_s": round(len(texts) / seconds, 1),
                        }
                    )
    return rows


def memory(longest: int) -> list[dict[str, float]]:
    """Return what encoder and heads take at their peak, beyond their weights, for each length."""
    rows = []
    for length in track([n for n in MEMORY_LENGTHS if n <= longest], "memory"):
        command = [sys.executable, __file__, "--peak-of", str(length)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        rows.append(json.loads(done.stdout))
    return rows


def peak(length: int) -> dict[str, float]:
    """Run encoder and heads once, in this process; return the growth of its peak, in MiB."""
    run = Shared(paths.model_repository())
    ids = np.random.default_rng(SEED).integers(1000, 30000, (1, length))
    before = _status_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    begin = time.perf_counter()
    run({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return {
        "tokens": length,
        "seconds": round(time.perf_counter() - begin, 2),
        "loaded_mib": round(before, 1),
        "growth_mib": round(_status_mib("VmHWM") - before, 1),
        "kept_mib": round(_status_mib("VmRSS") - before, 1),
    }


def _status_mib(key: str) -> float:
    found = re.search(rf"^{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    if found is None:
        raise RuntimeError(f"/proc/self/status has no {key}")
    return int(found[1]) / 1024


def show(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows of the same keys."""
    table = Table(title=title)
    for column in rows[0]:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console.print(table)


def main(
    output: Annotated[Path, typer.Option(help="JSON to write.")] = RESULTS / "shared_encoder.json",
    calls: Annotated[int, typer.Option(min=1, help="Timed calls at 512 tokens.")] = 40,
    longest: Annotated[int, typer.Option(help="Longest text of the memory curve.")] = 32768,
    peak_of: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Measure, print tables and write the JSON."""
    if peak_of:
        print(json.dumps(peak(peak_of)))
        return
    repository = paths.model_repository()
    prose = Prose(SEED)
    tokenizer = Tokenizer.from_file(str(repository / "encoder" / "1" / "tokenizer.json"))
    ids = tokenizer.encode(prose.draw(max(LENGTHS) + 200)).ids
    results: dict[str, Any] = {"machine": machine.describe(), "calls": calls}
    with tempfile.TemporaryDirectory(prefix="pointsman-shared-") as scratch:
        three = independent.write_independent(repository, Path(scratch) / "models")
        ways = {"shared": Shared(repository), "independent": Independent(three)}
        results["in_process"] = in_process(ways, ids, calls)
        results["decisions"] = decisions({"shared": repository, "independent": three}, prose, calls)
    results["encoder_instances"] = instances(repository, prose, calls)
    results["memory"] = memory(longest)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1) + "\n")
    console = Console()
    for key, rows in results.items():
        if isinstance(rows, list):
            show(console, key.replace("_", " "), rows)


if __name__ == "__main__":
    typer.run(main)
