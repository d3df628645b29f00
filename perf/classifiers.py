"""The shipped classifiers, encoder and head in one, with the attention op and without it.

Without: the op's nodes replaced by what exporters write (Transpose, MatMul, masks, Softmax, MatMul,
Transpose). Both run in this process, in turn, on the same real text; ratios are medians of the
ratios within each round. A profiled run says which operators the time goes to.

Usage: ``python perf/classifiers.py [--output FILE.json]``
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import machine
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import typer
from independent import merged
from onnx import helper, numpy_helper
from prose import Prose
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tokenizers import Tokenizer

from pointsman import paths

NAMES = ("safety", "domain", "pii")
LENGTHS = (128, 256, 512)
ROUNDS = 25
WARM_UP = 3
PROFILED_RUNS = 10
SEED = 30
RESULTS = Path(__file__).parent / "results"
Floats = npt.NDArray[np.float32]


def shipped(name: str) -> onnx.ModelProto:
    """Return a head of the model repository behind the encoder: token ids to logits."""
    encoder, head = (
        onnx.load(str(paths.model_repository() / folder / "1" / "model.onnx"))
        for folder in ("encoder", f"{name}_classifier")
    )
    return merged(encoder, head)


def without_op(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with each CKFlashAttention (layout BSHD, one bias) as ONNX's own operators.

    Windows are masks [S, S], added to the bias once for each width.

    Raises:
        ValueError: the model has none, or one of another form.
    """
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    nodes = list(plain.graph.node)
    del plain.graph.node[:]
    masks: dict[tuple[str, int], str] = {}
    for node in nodes:
        if node.op_type != "CKFlashAttention":
            plain.graph.node.append(node)
            continue
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        left, right = (attributes.get(f"window_size_{side}", -1) for side in ("left", "right"))
        if attributes.get("layout") != b"BSHD" or left != right or len(node.input) != 4:
            raise ValueError(f"{node.name}: only layout BSHD, a bias, and windows of equal sides")
        if (node.input[3], left) not in masks:
            masks[node.input[3], left] = _add_window(plain.graph, node.input[3], left)
        mask = masks[node.input[3], left]
        plain.graph.node.extend(_unfused(node, mask, float(attributes["scale"])))
    if len(plain.graph.node) == len(nodes):
        raise ValueError("the model has no CKFlashAttention")
    return plain


def _add_window(graph: onnx.GraphProto, bias: str, width: int) -> str:
    """Add the nodes of a mask [B, 1, S, S] that hides padding and what is over `width` away."""
    if width < 0:
        return bias
    prefix = f"{bias}/window{width}/"

    def constant(name: str, value: Any) -> str:  # noqa: ANN401 - a number or a list
        graph.initializer.append(numpy_helper.from_array(np.array(value), prefix + name))
        return prefix + name

    def step(op: str, *inputs: str, **options: int) -> str:
        output = f"{prefix}{op}{len(graph.node)}"
        graph.node.append(helper.make_node(op, inputs, [output], name=f"{output}/node", **options))
        return output

    tokens = step("Squeeze", step("Shape", "input_ids", start=1, end=2))
    places = step("Range", constant("zero", 0), tokens, constant("one", 1))
    column = step("Unsqueeze", places, constant("last", [1]))
    far = step("Greater", step("Abs", step("Sub", column, places)), constant("width", width))
    hidden = constant("hidden", np.float32(-np.inf)), constant("seen", np.float32(0))
    return step("Add", bias, step("Where", far, *hidden))


def _unfused(node: onnx.NodeProto, bias: str, scale: float) -> Iterator[onnx.NodeProto]:
    query, key, value, _ = node.input
    name = node.output[0]

    def step(op: str, inputs: list[str], to: str, **options: Any) -> onnx.NodeProto:  # noqa: ANN401
        return helper.make_node(op, inputs, [to], name=f"{to}/node", **options)

    yield helper.make_node("Constant", [], [f"{name}/scale"], value_float=scale)
    yield step("Transpose", [query], f"{name}/q", perm=[0, 2, 1, 3])
    yield step("Transpose", [key], f"{name}/k", perm=[0, 2, 3, 1])
    yield step("Transpose", [value], f"{name}/v", perm=[0, 2, 1, 3])
    yield step("MatMul", [f"{name}/q", f"{name}/k"], f"{name}/products")
    yield step("Mul", [f"{name}/products", f"{name}/scale"], f"{name}/scaled")
    yield step("Add", [f"{name}/scaled", bias], f"{name}/scores")
    yield step("Softmax", [f"{name}/scores"], f"{name}/weights", axis=-1)
    yield step("MatMul", [f"{name}/weights", f"{name}/v"], f"{name}/heads")
    yield step("Transpose", [f"{name}/heads"], name, perm=[0, 2, 1, 3])


def session(
    model: onnx.ModelProto, threads: int, profile: str | None = None
) -> onnxruntime.InferenceSession:
    """Return a session as the server makes it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.register_custom_ops_library(str(paths.kernels() / paths.ATTENTION_LIBRARY))
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = profile
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def feed(ids: list[int]) -> dict[str, npt.NDArray[np.int64]]:
    """Return a batch of one text."""
    array = np.array([ids], np.int64)
    return {"input_ids": array, "attention_mask": np.ones_like(array)}


def probabilities(logits: Floats) -> Floats:
    """Return the softmax over the last dimension."""
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True), np.float32)


def operators(model: onnx.ModelProto, inputs: dict[str, npt.NDArray[np.int64]]) -> dict[str, float]:
    """Return the milliseconds of each operator type in one run on one thread, largest first."""
    with tempfile.TemporaryDirectory() as folder:
        profiled = session(model, 1, str(Path(folder) / "profile"))
        for _ in range(PROFILED_RUNS):
            profiled.run(None, inputs)
        events = json.loads(Path(profiled.end_profiling()).read_text())
    total: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            total[event["args"]["op_name"]] += event["dur"] / 1000 / PROFILED_RUNS
    return {name: round(ms, 3) for name, ms in total.most_common()}


def compare(name: str, threads: int, length: int, text: list[int]) -> dict[str, Any]:
    """Time one classifier with and without the op, in turn."""
    model = shipped(name)
    sessions = {"op": session(model, threads), "unfused": session(without_op(model), threads)}
    inputs = feed(text[:length])
    ms: dict[str, list[float]] = {key: [] for key in sessions}
    logits: dict[str, Floats] = {}
    for round_ in range(WARM_UP + ROUNDS):
        for key, runner in sessions.items():
            begin = time.perf_counter()
            (logits[key],) = runner.run(["logits"], inputs)
            if round_ >= WARM_UP:
                ms[key].append((time.perf_counter() - begin) * 1000)
    ratios = [b / a for a, b in zip(ms["op"], ms["unfused"], strict=True)]
    moved = np.abs(probabilities(logits["op"]) - probabilities(logits["unfused"])).max()
    return {
        "classifier": name,
        "threads": threads,
        "tokens": length,
        "median_ms": {key: round(statistics.median(values), 2) for key, values in ms.items()},
        "ratio": [round(q, 3) for q in np.quantile(ratios, [0.5, 0.25, 0.75])],
        "largest_probability_difference": round(float(moved), 4),
    }


def main(
    output: Annotated[Path, typer.Option(help="JSON to write.")] = RESULTS / "classifiers.json",
) -> None:
    """Measure, print tables and write the JSON."""
    console = Console()
    text = Prose(SEED)
    ids = Tokenizer.from_file(
        str(paths.model_repository() / "encoder" / "1" / "tokenizer.json")
    ).encode(text.draw(600)).ids  # fmt: skip
    results: dict[str, Any] = {"machine": machine.describe()}
    cases = [
        (n, t, length) for n in NAMES for t in (1, 2) for length in (LENGTHS if t == 1 else (512,))
    ]
    results["cells"] = [compare(*case, ids) for case in track(cases, "timing", console=console)]
    model = shipped(NAMES[0])
    results["operators_ms"] = {
        "op": operators(model, feed(ids[:512])),
        "unfused": operators(without_op(model), feed(ids[:512])),
    }

    table = Table("classifier", "threads", "tokens", "with the op", "without", "ratio (quartiles)")
    for cell in results["cells"]:
        times = [f"{cell['median_ms'][key]:.1f} ms" for key in ("op", "unfused")]
        middle, low, high = cell["ratio"]
        table.add_row(
            cell["classifier"],
            str(cell["threads"]),
            str(cell["tokens"]),
            *times,
            f"{middle:.2f} ({low:.2f}-{high:.2f})",
        )
    console.print(table)
    for key, found in results["operators_ms"].items():
        shares = ", ".join(f"{name} {ms:.1f}" for name, ms in list(found.items())[:9])
        console.print(f"{NAMES[0]}, 512 tokens, one thread, {key} (ms): {shares}")
    output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
