"""The ways to compute attention that perf/attention.py compares, each ready to run.

All have the same inputs and the same answer. Up to `TRANSPOSED_UP_TO` tokens each candidate starts
from the projections, FLOAT [1,S,H*D], and ends there, with the transposes that it needs: there they
weigh. Beyond, each gets the layout it likes best, and the op both.
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from pointsman import paths

Tensor = NDArray[np.float32]
HEADS = 12
TRANSPOSED_UP_TO = 512
NAMES = ("op", "op_bhsd", "op_bf16", "unfused", "mha", "sdpa")
PEERS = ("unfused", "mha", "sdpa")
ROOT = Path(__file__).parents[1]
# numpy works these out once, and must do so while denormals are numbers.
LOWEST = np.finfo(np.float32).min
np.finfo(np.float64)


@dataclass(frozen=True)
class Problem:
    """Self-attention of one text.

    Attributes:
        length: S, tokens.
        head_size: D.
        threads: of ONNX Runtime's pool, or PyTorch's.
        window: keys seen to each side of a query, or None for all.
        denormals_as_zero: whether the processor counts denormals as zero, decided for the process
            by the first problem. By default it does not, and ONNX Runtime's Softmax turns what a
            mask takes away into denormals, which slow its MatMul down.
        seed: of the random inputs.
    """

    length: int
    head_size: int
    threads: int
    window: int | None = None
    denormals_as_zero: bool = True
    seed: int = 30

    @property
    def scale(self) -> float:
        """The factor of the products."""
        return float(self.head_size**-0.5)

    @property
    def flops(self) -> float:
        """Operations of the two products, over the pairs that see each other."""
        pairs = self.length**2
        if self.window is not None:
            half = min(self.window, self.length - 1)
            pairs = self.length * (2 * half + 1) - half * (half + 1)
        return 4.0 * HEADS * pairs * self.head_size

    @cached_property
    def projections(self) -> list[Tensor]:
        """Q, K and V, FLOAT [1,S,H*D]."""
        rng = np.random.default_rng(self.seed)
        shape = (1, self.length, HEADS * self.head_size)
        return [rng.standard_normal(shape, dtype=np.float32) for _ in range(3)]

    @cached_property
    def heads_first(self) -> list[Tensor]:
        """The same, FLOAT [1,H,S,D]."""
        shape = (1, self.length, HEADS, self.head_size)
        return [np.ascontiguousarray(x.reshape(shape).swapaxes(1, 2)) for x in self.projections]

    @cached_property
    def mask(self) -> Tensor:
        """The window as exporters write it, FLOAT [1,1,S,S]: 0 or finfo.min. Not for the op."""
        if self.window is None:
            raise ValueError("there is no window")
        mask = np.full((1, 1, self.length, self.length), LOWEST, np.float32)
        for row in range(self.length):
            mask[0, 0, row, max(0, row - self.window) : row + self.window + 1] = 0
        return mask

    def expected(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the answer of head 0 at some rows in float64, [rows,D]."""
        q, k, v = (x[0, 0].astype(np.float64) for x in self.heads_first)
        logits = self.scale * (q[rows] @ k.T)
        if self.window is not None:
            logits[np.abs(rows[:, None] - np.arange(self.length)) > self.window] = -np.inf
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray((weights / weights.sum(axis=1, keepdims=True)) @ v)


@dataclass(frozen=True)
class Candidate:
    """Something that solves a problem.

    Attributes:
        run: solves it once.
        answer: returns the last answer, [1,S,H*D] or [1,H,S,D].
        own_output: whether each run allocates the memory of its answer.
    """

    run: Callable[[], None]
    answer: Callable[[], Tensor]
    own_output: bool = False

    def check(self, problem: Problem, tolerance: float) -> None:
        """Raise RuntimeError when the last answer is wrong at sampled rows of the first head."""
        length = problem.length
        rows = np.unique(np.linspace(0, length - 1, 16).astype(np.int64))
        answer = self.answer()
        if answer.shape[1] == length and answer.ndim == 3:
            got = answer[0, rows, : problem.head_size]
        else:
            got = answer[0, 0, rows]
        error = float(np.abs(got - problem.expected(rows)).max())
        if not error <= tolerance:
            raise RuntimeError(f"wrong answer on {problem}: off by {error:.2g}")


def score_bytes(name: str, problem: Problem) -> int:
    """Return the size of the S x S tensors that a candidate cannot do without."""
    square = problem.length**2 * 4
    mask = square if problem.window is not None and name in PEERS else 0
    unfused = name == "unfused" or (name == "mha" and problem.window is not None)
    return mask + (HEADS * square if unfused else 0)


def prepare(name: str, problem: Problem) -> Candidate:
    """Make a candidate, one of `NAMES`; its inputs exist and its memory is touched."""
    if name == "sdpa":
        return _sdpa(problem)
    projections = name != "op_bhsd" and name != "unfused"
    inputs = problem.projections if projections else problem.heads_first
    if problem.length <= TRANSPOSED_UP_TO:
        inputs = problem.projections
    feeds = dict(zip(("q", "k", "v"), inputs, strict=True))
    if problem.window is not None and name in PEERS:
        feeds["mask"] = problem.mask
    graph = _graph(name, problem, from_projections=inputs[0].ndim == 3)
    return on_ort(
        graph,
        feeds,
        np.zeros_like(inputs[0]),
        problem.threads,
        denormals_as_zero=problem.denormals_as_zero,
    )


def on_ort(
    graph: ModelProto,
    feeds: Mapping[str, NDArray[np.generic]],
    output: Tensor,
    threads: int,
    *,
    denormals_as_zero: bool = True,
) -> Candidate:
    """Run a graph on ONNX Runtime's CPU provider, from and into memory that is already there.

    Args:
        graph: has an output `o`.
        feeds: its inputs.
        output: gets the answer.
        threads: of the session's pool.
        denormals_as_zero: see `Problem`.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Its threads spin within a run, as they do by default, and not into the next candidate's.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if denormals_as_zero:
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.register_custom_ops_library(str(paths.kernels() / paths.ATTENTION_LIBRARY))
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    output.fill(0)
    binding = session.io_binding()
    kept = {key: onnxruntime.OrtValue.ortvalue_from_numpy(feed) for key, feed in feeds.items()}
    for key, value in kept.items():
        binding.bind_ortvalue_input(key, value)
    binding.bind_output("o", "cpu", 0, np.float32, output.shape, output.ctypes.data)

    # The binding has addresses alone: whoever has `run` must have the memory.
    def run(_: object = (feeds, kept, output)) -> None:
        session.run_with_iobinding(binding)

    return Candidate(run, lambda: output)


def _graph(name: str, problem: Problem, *, from_projections: bool) -> ModelProto:
    """Return the graph of a candidate with inputs q, k, v and perhaps mask, and output o."""
    masked = problem.window is not None and name in PEERS
    nodes: list[NodeProto] = []
    if name == "mha":
        names = ["q", "k", "v", "", "", "mask"] if masked else ["q", "k", "v"]
        nodes.append(
            helper.make_node(
                "MultiHeadAttention",
                names,
                ["o"],
                domain="com.microsoft",
                num_heads=HEADS,
                scale=problem.scale,
            )
        )
    elif name == "unfused":
        nodes += _unfused(masked=masked, from_projections=from_projections)
    else:
        nodes += _op(name, problem, from_projections=from_projections)
    shape: list[int | str | None] = ["B", "S", HEADS * problem.head_size]
    if not from_projections:
        shape = ["B", HEADS, "S", problem.head_size]
    inputs = [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape) for x in "qkv"]
    if masked:
        inputs.append(helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, "S", "S"]))
    constants = {
        "split": [0, 0, HEADS, problem.head_size],
        "join": [0, 0, HEADS * problem.head_size],
    }
    initializers = [
        helper.make_tensor(key, TensorProto.INT64, [len(value)], value)
        for key, value in constants.items()
    ]
    initializers.append(helper.make_tensor("scale", TensorProto.FLOAT, [], [problem.scale]))
    return as_model(nodes, inputs, shape, initializers)


def as_model(
    nodes: list[NodeProto],
    inputs: list[ValueInfoProto],
    shape: list[int | str | None],
    initializers: list[TensorProto],
) -> ModelProto:
    """Return a model with one output `o`, FLOAT of the given shape."""
    output = helper.make_tensor_value_info("o", TensorProto.FLOAT, shape)
    used = {name for node in nodes for name in node.input}
    needed = [each for each in initializers if each.name in used]
    graph = helper.make_graph(nodes, "attention", inputs, [output], needed)
    domains = {"": 17, "com.microsoft": 1, "com.ck": 1}
    opsets = [helper.make_opsetid(domain, version) for domain, version in domains.items()]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def _op(name: str, problem: Problem, *, from_projections: bool) -> list[NodeProto]:
    window = -1 if problem.window is None else problem.window
    attributes = {
        "scale": problem.scale,
        "window_size_left": window,
        "window_size_right": window,
        "layout": "BHSD" if name == "op_bhsd" else "BSHD",
        "compute_type": "bfloat16" if name == "op_bf16" else "float32",
    }
    if not from_projections:
        names, output = ["q", "k", "v"], "o"
        return [_op_node(names, output, attributes)]
    before = [helper.make_node("Reshape", [x, "split"], [f"{x}4"]) for x in "qkv"]
    names, output = ["q4", "k4", "v4"], "o4"
    after = []
    if name == "op_bhsd":
        before += [
            helper.make_node("Transpose", [f"{x}4"], [f"{x}h"], perm=[0, 2, 1, 3]) for x in "qkv"
        ]
        after.append(helper.make_node("Transpose", ["oh"], ["o4"], perm=[0, 2, 1, 3]))
        names, output = ["qh", "kh", "vh"], "oh"
    after.append(helper.make_node("Reshape", ["o4", "join"], ["o"]))
    return [*before, _op_node(names, output, attributes), *after]


def _op_node(names: list[str], output: str, attributes: Mapping[str, Any]) -> NodeProto:
    return helper.make_node("CKFlashAttention", names, [output], domain="com.ck", **attributes)


def _unfused(*, masked: bool, from_projections: bool) -> list[NodeProto]:
    names, before, after = ["q", "k", "v"], [], []
    output = "o"
    keys_last = [0, 1, 3, 2]
    if from_projections:
        before = [helper.make_node("Reshape", [x, "split"], [f"{x}4"]) for x in "qkv"]
        before += [
            helper.make_node("Transpose", [f"{x}4"], [f"{x}h"], perm=[0, 2, 1, 3]) for x in "qv"
        ]
        names, output = ["qh", "k4", "vh"], "oh"
        keys_last = [0, 2, 3, 1]
        after = [
            helper.make_node("Transpose", ["oh"], ["o4"], perm=[0, 2, 1, 3]),
            helper.make_node("Reshape", ["o4", "join"], ["o"]),
        ]
    middle = [
        helper.make_node("Transpose", [names[1]], ["kt"], perm=keys_last),
        helper.make_node("MatMul", [names[0], "kt"], ["products"]),
        helper.make_node("Mul", ["products", "scale"], ["scaled"]),
    ]
    if masked:
        middle.append(helper.make_node("Add", ["scaled", "mask"], ["masked"]))
    middle += [
        helper.make_node("Softmax", [middle[-1].output[0]], ["weights"], axis=-1),
        helper.make_node("MatMul", ["weights", names[2]], [output]),
    ]
    return [*before, *middle, *after]


def find_torch() -> ModuleType | None:
    """Return PyTorch, of this environment or of the training one (.venv-train); None without."""
    try:
        return importlib.import_module("torch")
    except ImportError:
        pass
    packages = sysconfig.get_path("purelib", vars={"base": str(ROOT / ".venv-train")})
    if not (Path(packages) / "torch").is_dir():
        return None
    sys.path.append(packages)  # behind our own
    return importlib.import_module("torch")


def _sdpa(problem: Problem) -> Candidate:
    torch = find_torch()
    if torch is None:
        raise RuntimeError("PyTorch is not installed")
    torch.set_num_threads(problem.threads)
    mask = None if problem.window is None else torch.from_numpy(problem.mask)
    from_projections = problem.length <= TRANSPOSED_UP_TO
    inputs = problem.projections if from_projections else problem.heads_first
    tensors = [torch.from_numpy(x) for x in inputs]
    attend = torch.nn.functional.scaled_dot_product_attention
    last: list[Tensor] = []

    def run() -> None:
        with torch.inference_mode():
            if from_projections:
                split = (1, problem.length, HEADS, problem.head_size)
                q, k, v = (x.view(split).transpose(1, 2) for x in tensors)
                answer = attend(q, k, v, attn_mask=mask, scale=problem.scale)
                answer = answer.transpose(1, 2).reshape(1, problem.length, -1)
            else:
                q, k, v = tensors
                answer = attend(q, k, v, attn_mask=mask, scale=problem.scale)
        last[:] = [answer.numpy()]

    return Candidate(run, lambda: last[0], own_output=True)
