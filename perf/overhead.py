"""What a decision costs beside the classifiers: client, gRPC, ensemble, compressor, router.

Two servers run side by side and are asked in turn: one on the shipped model repository, one on a
copy in which encoder and heads are constants of the same inputs and outputs. The time of the second
is the overhead. Each call carries another text; each answer is checked: no error in it, and the
token count equals the tokenizer's own.

Usage: ``python perf/overhead.py [--output FILE.json]``
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, TypedDict

import machine
import numpy as np
import onnx
import processes
import typer
from onnx import TensorProto, helper, numpy_helper
from prose import Prose
from rich.console import Console
from rich.table import Table

from pointsman import Decision, Router, paths
from pointsman.embedded import EmbeddedTriton

SIZES = (512, 2048, 8192, 16384)
# Logit of the label that a constant classifier answers.
CERTAIN = 8.0
# Of the encoder's hidden states.
WIDTH = 384
WARM_UP = 8
SEED = 20
RESULTS = Path(__file__).parent / "results"


class Call(TypedDict):
    """One request: who answered, in how many milliseconds, and the backends' own step times.

    `client_cpu_ms` is the processor time of all threads of the client.
    """

    cores: int
    classifiers: str
    size: int
    tokens: int
    ms: float
    steps_us: dict[str, int]
    client_cpu_ms: float


class Summary(TypedDict):
    """Median and 95th percentile of the calls that differ in nothing but their text.

    `cpu_ms` is the mean processor time of each process for one call.
    """

    cores: int
    size: int
    classifiers: str
    calls: int
    p50_ms: float
    p95_ms: float
    steps_p50_us: dict[str, int]
    cpu_ms: dict[str, float]


def constant_classifier(labels: list[str], answer: str, *, per_token: bool) -> onnx.ModelProto:
    """Return a classifier without weights that always gives the same answer.

    Args:
        labels: in logit order.
        answer: the label whose logit is `CERTAIN`; the others are 0.
        per_token: whether the logits are FLOAT [B,S,labels] rather than [B,labels].

    Returns:
        A model with inputs hidden_states FLOAT [B,S,WIDTH] and attention_mask INT64 [B,S].
    """
    logits = np.zeros(len(labels), dtype=np.float32)
    logits[labels.index(answer)] = CERTAIN
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "zero"], ["zeros"]),
    ]
    constants = {"logit": logits, "zero": np.zeros((), dtype=np.float32)}
    if per_token:
        constants["axes"] = np.array([2], dtype=np.int64)
        nodes.append(helper.make_node("Unsqueeze", ["zeros", "axes"], ["column"]))
    else:
        constants["axes"] = np.array([1], dtype=np.int64)
        nodes.append(helper.make_node("ReduceSum", ["zeros", "axes"], ["column"], keepdims=1))
    nodes.append(helper.make_node("Add", ["column", "logit"], ["logits"]))
    shape: list[str | int | None] = ["B", "S", len(labels)] if per_token else ["B", len(labels)]
    states = helper.make_tensor_value_info("hidden_states", TensorProto.FLOAT, ["B", "S", WIDTH])
    logits_info = helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)
    return _model(nodes, [states, _ids("attention_mask")], logits_info, constants)


def constant_encoder() -> onnx.ModelProto:
    """Return an encoder whose hidden states are 0: input_ids and attention_mask, INT64 [B,S]."""
    nodes = [
        helper.make_node("Mul", ["input_ids", "attention_mask"], ["masked"]),
        helper.make_node("Cast", ["masked"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["floats", "axes"], ["column"]),
        helper.make_node("Mul", ["column", "zeros"], ["hidden_states"]),
    ]
    constants = {"axes": np.array([2], dtype=np.int64), "zeros": np.zeros(WIDTH, np.float32)}
    states = helper.make_tensor_value_info("hidden_states", TensorProto.FLOAT, ["B", "S", WIDTH])
    return _model(nodes, [_ids("input_ids"), _ids("attention_mask")], states, constants)


def _ids(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "S"])


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    output: onnx.ValueInfoProto,
    constants: dict[str, np.ndarray],
) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "constant", inputs, [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


@contextmanager
def without_classifiers() -> Iterator[Path]:
    """Copy the model repository, put constants in place of encoder and heads, yield the copy."""
    with tempfile.TemporaryDirectory(prefix="pointsman-overhead-") as scratch:
        copy = Path(shutil.copytree(paths.model_repository(), Path(scratch) / "model_repository"))
        onnx.save(constant_encoder(), copy / "encoder" / "1" / "model.onnx")
        for kind, answer in (("safety", "benign"), ("domain", "other"), ("pii", "O")):
            folder = copy / f"{kind}_classifier" / "1"
            labels = json.loads((folder / "labels.json").read_text())["labels"]
            model = constant_classifier(labels, answer, per_token=kind == "pii")
            onnx.save(model, folder / "model.onnx")
        yield copy


def check(decision: Decision, tokens: int) -> None:
    """Raise RuntimeError unless the decision is a complete one on the text that was sent."""
    if decision.errors:
        raise RuntimeError(f"checks did not run: {', '.join(decision.errors)}")
    if decision.coverage.tokens != tokens:
        raise RuntimeError(
            f"the server counted {decision.coverage.tokens} tokens, the tokenizer {tokens}"
        )
    if not 0 < decision.coverage.classified_tokens <= min(tokens, 512):
        raise RuntimeError(f"{decision.coverage.classified_tokens} tokens were classified")


class Server:
    """A running server and the client that asks it."""

    def __init__(self, repository: Path | None, stack: ExitStack) -> None:
        triton = stack.enter_context(EmbeddedTriton(repository))
        self.router = stack.enter_context(Router(triton.grpc_url, timeout_s=30))
        self._roles = processes.tree(triton.pid)

    def cpu_ms(self) -> dict[str, float]:
        """Return the processor time used so far, by role."""
        return {role: processes.cpu_ms(pid) for pid, role in self._roles.items()}


def ask(server: Server, name: str, prose: Prose, size: int) -> Call:
    """Ask a server about one new text of about `size` tokens, and check what it says."""
    text = prose.draw(size)
    tokens = prose.count(text)
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]}).encode()
    cpu, begin = time.process_time(), time.perf_counter()
    decision = server.router.route(body)
    end, cpu_end = time.perf_counter(), time.process_time()
    check(decision, tokens)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "classifiers": name,
        "size": size,
        "tokens": tokens,
        "ms": round((end - begin) * 1e3, 3),
        "steps_us": decision.timings_us,
        "client_cpu_ms": round((cpu_end - cpu) * 1e3, 3),
    }


def measure(
    servers: dict[str, Server], prose: Prose, size: int, calls: int
) -> tuple[list[Call], list[Summary]]:
    """Ask the servers in turn, `calls` times each, and summarise."""
    for name, server in servers.items():
        for _ in range(WARM_UP):
            ask(server, name, prose, size)
    before = {name: server.cpu_ms() for name, server in servers.items()}
    rows = [
        ask(server, name, prose, size) for _ in range(calls) for name, server in servers.items()
    ]
    after = {name: server.cpu_ms() for name, server in servers.items()}
    summaries = []
    for name in servers:
        cpu = {role: (after[name][role] - before[name][role]) / calls for role in after[name]}
        summaries.append(summarise([row for row in rows if row["classifiers"] == name], cpu))
    return rows, summaries


def summarise(rows: list[Call], cpu_ms: dict[str, float]) -> Summary:
    """Return what `rows`, calls of one server with texts of one size, come to."""
    times = [row["ms"] for row in rows]
    cpu_ms = {"client": statistics.mean(row["client_cpu_ms"] for row in rows), **cpu_ms}
    return {
        "cores": rows[0]["cores"],
        "size": rows[0]["size"],
        "classifiers": rows[0]["classifiers"],
        "calls": len(rows),
        "p50_ms": round(float(np.percentile(times, 50)), 2),
        "p95_ms": round(float(np.percentile(times, 95)), 2),
        "steps_p50_us": {
            step: round(statistics.median(row["steps_us"][step] for row in rows))
            for step in rows[0]["steps_us"]
        },
        "cpu_ms": {role: round(ms, 2) for role, ms in cpu_ms.items()},
    }


def on_cores(cores: set[int], calls: int) -> tuple[list[Call], list[Summary]]:
    """Measure every size with the client and both servers bound to the given cores."""
    everything = os.sched_getaffinity(0)
    rows: list[Call] = []
    summaries: list[Summary] = []
    # Processes started from here on inherit it.
    os.sched_setaffinity(0, cores)
    try:
        with ExitStack() as stack:
            copy = stack.enter_context(without_classifiers())
            repositories = {"shipped": None, "none": copy}
            servers = {name: Server(path, stack) for name, path in repositories.items()}
            prose = Prose(SEED)
            for size in SIZES:
                new_rows, new_summaries = measure(servers, prose, size, calls)
                rows += new_rows
                summaries += new_summaries
    finally:
        os.sched_setaffinity(0, everything)
    return rows, summaries


def table(summary: list[Summary]) -> Table:
    """Return the summary for the terminal."""
    shown = Table(title="milliseconds for one decision, seen from the client")
    for column in ("cores", "tokens", "overhead p50", "overhead p95", "whole p50", "whole p95"):
        shown.add_column(column, justify="right")
    shown.add_column("processor time of the overhead, mean")
    cells = {(row["cores"], row["size"], row["classifiers"]): row for row in summary}
    for (cores, size, classifiers), none in cells.items():
        if classifiers != "none":
            continue
        whole = cells[cores, size, "shipped"]
        cpu = none["cpu_ms"]
        constants = [role for role in cpu if role.endswith("_classifier")]
        parts = {role: ms for role, ms in cpu.items() if role not in constants}
        parts["constants"] = sum(cpu[role] for role in constants)
        shown.add_row(
            str(cores),
            f"{size:,}",
            f"{none['p50_ms']:.1f}",
            f"{none['p95_ms']:.1f}",
            f"{whole['p50_ms']:.1f}",
            f"{whole['p95_ms']:.1f}",
            ", ".join(f"{role} {ms:.1f}" for role, ms in parts.items()),
        )
    return shown


def main(
    output: Annotated[Path, typer.Option(help="Where the figures go, raw ones too.")] = (
        RESULTS / "overhead.json"
    ),
    calls: Annotated[int, typer.Option(min=5, help="Calls for each size and server.")] = 60,
) -> None:
    """Measure the overhead of a decision on one core, and on all."""
    cores = sorted(os.sched_getaffinity(0))
    choices = [{cores[0]}, *([set(cores)] if len(cores) > 1 else [])]
    head = machine.describe()
    rows: list[Call] = []
    summary: list[Summary] = []
    for choice in choices:
        new_rows, new_summary = on_cores(choice, calls)
        rows += new_rows
        summary += new_summary
    output.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": head, "seed": SEED, "summary": summary, "calls": rows}
    output.write_text(json.dumps(document, indent=1) + "\n")
    Console(width=None if sys.stdout.isatty() else 160).print(table(summary))


if __name__ == "__main__":
    typer.run(main)
