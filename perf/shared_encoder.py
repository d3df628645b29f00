"""One encoder and three heads against three models that each carry the encoder.

The latter are made of the former (encoder and head in one file), so both compute the same.

- In this process, ONNX Runtime alone: all three verdicts. Shared: the encoder on two threads, then
  the heads; independent: three sessions of one thread side by side.
- In Triton: whole decisions of both, and the encoder with one thread or two, one instance or two,
  under one request at a time and four. Memory of the whole server (PSS) after each length.
- The peak memory and the time of encoder and heads over the tokens, each in a fresh process.

What is compared is asked in turn, and every answer is checked: logits of both ways alike, all of a
text read, no check left out. ``perf/shared_encoder_report.py`` makes tables and picture.

Usage: ``python perf/shared_encoder.py [--calls N] [--longest TOKENS] [--models DIR]``
"""

from __future__ import annotations

import json
import re
import shutil
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
import shared_encoder_report as report
import typer
from prose import Prose
from rich.progress import track
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
ROUNDS = 4
"""In which the settings take turns."""
SEED = 40
TIMEOUT_S = 600.0

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


def summary(ms: list[float]) -> dict[str, Any]:
    """Return the median, the quartiles and the 95th percentile of times in milliseconds."""
    low, middle, high, late = (round(float(q), 2) for q in np.quantile(ms, [0.25, 0.5, 0.75, 0.95]))
    return {"calls": len(ms), "p50_ms": middle, "quartiles_ms": [low, high], "p95_ms": late}


def rows_of(tokens: int, ms: dict[str, list[float]]) -> list[dict[str, Any]]:
    """Return a row for each way; its ratio to the first is that within each turn."""
    first = next(iter(ms.values()))
    return [
        {
            "way": way,
            "tokens": tokens,
            **summary(times),
            "ratio": [
                round(float(q), 3) for q in np.quantile(np.divide(times, first), [0.5, 0.25, 0.75])
            ],
        }
        for way, times in ms.items()
    ]


def in_process(
    ways: dict[str, Callable[[Inputs], Any]], ids: list[int], calls: int
) -> list[dict[str, Any]]:
    """Time all three verdicts of each way, in turn; RuntimeError unless all say the same."""
    rows = []
    for length in track(LENGTHS, "in this process"):
        array = np.array([ids[:length]], np.int64)
        inputs = {"input_ids": array, "attention_mask": np.ones_like(array)}
        ms: dict[str, list[float]] = {way: [] for way in ways}
        warm_up, timed = turns(length, calls)
        for turn in range(warm_up + timed):
            logits = []
            for way, run in ways.items():
                begin = time.perf_counter()
                logits.append(run(inputs))
                if turn >= warm_up:
                    ms[way].append((time.perf_counter() - begin) * 1e3)
            check_alike(logits, length)
        rows += rows_of(length, ms)
    return rows


def check_alike(logits: list[list[npt.NDArray[np.float32]]], tokens: int) -> None:
    """Raise RuntimeError unless all ways gave the same logits, and numbers."""
    for other in logits:
        for one, two in zip(logits[0], other, strict=True):
            numbers = one.shape == two.shape and np.isfinite([one, two]).all()
            # int8 activations: a last bit moves one across a step.
            if not numbers or np.abs(one - two).max() > 0.05 * np.ptp(one):
                raise RuntimeError(f"the ways disagree at {tokens} tokens")


def ask(router: Router, text: str) -> float:
    """Return the milliseconds of one decision; RuntimeError unless all of the text was read."""
    begin = time.perf_counter()
    decision = router.route_text(text, budget=-1)
    ms = (time.perf_counter() - begin) * 1e3
    if decision.errors:
        raise RuntimeError(f"checks did not run: {', '.join(decision.errors)}")
    coverage = decision.coverage
    if coverage.truncated or not 0 < coverage.classified_tokens == coverage.tokens:
        raise RuntimeError(f"{coverage.classified_tokens} of {coverage.tokens} tokens were read")
    return ms


def decisions(ways: dict[str, Path], prose: Prose, calls: int) -> list[dict[str, Any]]:
    """Ask one server for each way, in turn, the same texts."""
    rows = []
    with ExitStack() as stack:
        servers = {way: stack.enter_context(EmbeddedTriton(ways[way])) for way in ways}
        routers = {
            way: stack.enter_context(Router(server.grpc_url, timeout_s=TIMEOUT_S))
            for way, server in servers.items()
        }
        for size in track(ENSEMBLE_SIZES, "decisions"):
            ms: dict[str, list[float]] = {way: [] for way in ways}
            warm_up, timed = turns(size, calls)
            for turn in range(warm_up + timed):
                text = prose.draw(size)
                for way, router in routers.items():
                    taken = ask(router, text)
                    if turn >= warm_up:
                        ms[way].append(taken)
            for row in rows_of(size, ms):
                mib = round(servers[row["way"]].pss_bytes() / 2**20, 1)
                rows.append({**row, "server_mib": mib})
    return rows


def instances(repository: Path, prose: Prose, calls: int) -> list[dict[str, Any]]:
    """Ask about 512 tokens, with one or more callers, for each setting of the encoder, in turn."""
    rows = []
    texts = [prose.draw(512) for _ in range(max(calls, ROUNDS * max(CALLERS)))]
    with ExitStack() as stack:
        routers = {}
        for threads, count in INSTANCES:
            scratch = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="pointsman-instances-")
            )
            copy = Path(shutil.copytree(repository, Path(scratch) / "models"))
            config = independent.config_of(copy / "encoder")
            config.parameters["intra_op_thread_count"].string_value = str(threads)
            config.instance_group[0].count = count
            independent.write_config(copy / "encoder", config)
            triton = stack.enter_context(EmbeddedTriton(copy))
            routers[threads, count] = stack.enter_context(
                Router(triton.grpc_url, timeout_s=TIMEOUT_S)
            )
        for callers in track(CALLERS, "threads and instances"):
            ms: dict[tuple[int, int], list[float]] = {setting: [] for setting in routers}
            rates: dict[tuple[int, int], list[float]] = {setting: [] for setting in routers}
            with ThreadPoolExecutor(callers) as pool:
                for turn in range(-1, ROUNDS):  # the first one warms up
                    asked = texts[turn % ROUNDS :: ROUNDS]
                    for setting, router in routers.items():
                        begin = time.perf_counter()
                        taken = list(pool.map(ask, [router] * len(asked), asked))
                        if turn >= 0:
                            ms[setting] += taken
                            rates[setting].append(len(asked) / (time.perf_counter() - begin))
            rows += [
                {
                    "threads": threads,
                    "instances": count,
                    "callers": callers,
                    **summary(ms[threads, count]),
                    "decisions_per_s": round(float(np.median(rates[threads, count])), 1),
                    "decisions_per_s_range": [
                        round(q(rates[threads, count]), 1) for q in (min, max)
                    ],
                }
                for threads, count in routers
            ]
    return rows


def memory(repository: Path, longest: int) -> list[dict[str, float]]:
    """Return what encoder and heads take at their peak, beyond their weights, for each length."""
    rows = []
    for length in track([n for n in MEMORY_LENGTHS if n <= longest], "memory"):
        command = [sys.executable, __file__, "--peak-of", str(length), "--models", str(repository)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        rows.append(json.loads(done.stdout))
    return rows


def peak(repository: Path, length: int) -> dict[str, float]:
    """Run encoder and heads once, in this process; return the growth of its peak, in MiB."""
    run = Shared(repository)
    ids = np.random.default_rng(SEED).integers(1000, 30000, (1, length))
    before = _status_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    begin = time.perf_counter()
    logits = run({"input_ids": ids, "attention_mask": np.ones_like(ids)})
    seconds = time.perf_counter() - begin
    check_alike([logits], length)
    return {
        "tokens": length,
        "seconds": round(seconds, 2),
        "loaded_mib": round(before, 1),
        "growth_mib": round(_status_mib("VmHWM") - before, 1),
        "kept_mib": round(_status_mib("VmRSS") - before, 1),
    }


def _status_mib(key: str) -> float:
    found = re.search(rf"^{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    if found is None:
        raise RuntimeError(f"/proc/self/status has no {key}")
    return int(found[1]) / 1024


def main(
    output: Annotated[Path, typer.Option(help="JSON to write.")] = report.RESULTS,
    picture: Annotated[Path, typer.Option(help="Picture to draw.")] = report.PICTURE,
    calls: Annotated[int, typer.Option(min=1, help="Timed calls at 512 tokens.")] = 40,
    longest: Annotated[
        int, typer.Option(min=1024, help="Longest text of the memory curve.")
    ] = 32768,
    models: Annotated[Path | None, typer.Option(help="Another model repository.")] = None,
    peak_of: Annotated[int, typer.Option(hidden=True)] = 0,
) -> None:
    """Measure, write the JSON, print tables and draw the picture."""
    repository = paths.model_repository(models)
    if peak_of:
        print(json.dumps(peak(repository, peak_of)))
        return
    prose = Prose(SEED)
    tokenizer = Tokenizer.from_file(str(repository / "encoder" / "1" / "tokenizer.json"))
    ids = tokenizer.encode(prose.draw(max(LENGTHS) + 200)).ids
    results: dict[str, Any] = {"machine": machine.describe()}
    with tempfile.TemporaryDirectory(prefix="pointsman-shared-") as scratch:
        three = independent.write_independent(repository, Path(scratch) / "models")
        ways = {"shared": Shared(repository), "independent": Independent(three)}
        results["in_process"] = in_process(ways, ids, calls)
        results["decisions"] = decisions({"shared": repository, "independent": three}, prose, calls)
    results["encoder_instances"] = instances(repository, prose, calls)
    results["memory"] = memory(repository, longest)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1) + "\n")
    sys.stdout.write(report.markdown(results))
    report.draw(results, picture)


if __name__ == "__main__":
    typer.run(main)
