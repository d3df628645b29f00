"""CKFlashAttention on the CPU against a float64 oracle, through real ONNX Runtime sessions.

The instruction set is the machine's best one, or what CK_FLASH_ATTENTION_ISA names: see
test_attention_isa.py, which runs this file once for each.
"""

from __future__ import annotations

import functools
import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import (
    Fail,
    InvalidArgument,
    InvalidGraph,
    NotImplemented,
    RuntimeException,
)

from tests.attention_library import library
from tests.attention_oracle import SMALLEST, attention, error_budget, to_bfloat16

Tensor = NDArray[Any]
ELEMENT_TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}
HEAD_SIZES = (32, 64, 128)
FUZZ = int(os.environ.get("POINTSMAN_FUZZ_EXAMPLES", "60"))
fuzz = settings(
    max_examples=FUZZ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def model(
    dtype: str,
    node: str,
    attributes: dict[str, Any],
    *,
    bias: bool,
    ranks: Sequence[int] = (4, 4, 4, 4),
) -> bytes:
    """A graph of one CKFlashAttention, or of the plain operators that it replaces ("unfused")."""
    names = ["query", "key", "value", *(["bias"] if bias else [])]
    kind = ELEMENT_TYPES[dtype]
    constants = []
    if node == "unfused":
        chain = [
            helper.make_node("Transpose", ["key"], ["transposed"], perm=[0, 1, 3, 2]),
            helper.make_node("MatMul", ["query", "transposed"], ["products"]),
            helper.make_node("Mul", ["products", "scale"], ["logits"]),
        ]
        if bias:
            chain.append(helper.make_node("Add", ["logits", "bias"], ["biased"]))
        chain += [
            helper.make_node("Softmax", [chain[-1].output[0]], ["weights"], axis=-1),
            helper.make_node("MatMul", ["weights", "value"], ["output"]),
        ]
        constants = [helper.make_tensor("scale", kind, [], [attributes["scale"]])]
    else:
        chain = [helper.make_node(node, names, ["output"], domain="com.ck", **attributes)]
    inputs = [
        helper.make_tensor_value_info(name, kind, [f"{name}{axis}" for axis in range(ranks[n])])
        for n, name in enumerate(names)
    ]
    output = helper.make_tensor_value_info("output", kind, None)
    graph = helper.make_graph(chain, "attention", inputs, [output], constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.ck", 1)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(made.SerializeToString())


def load(graph: bytes, *, threads: int = 1) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Every tensor a block of its own, whose ends AddressSanitizer watches.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.register_custom_ops_library(str(library()))
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


@functools.cache
def session(
    dtype: str, node: str, bias: bool, threads: int, attributes: tuple[tuple[str, Any], ...]
) -> onnxruntime.InferenceSession:
    return load(model(dtype, node, dict(attributes), bias=bias), threads=threads)


def run(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    *,
    threads: int = 1,
    node: str = "CKFlashAttention",
    **attributes: Any,
) -> Tensor:
    """Ask the op, [B,H,S,D] in and out in either layout; absent attributes stay absent."""
    tensors = {"query": query, "key": key, "value": value}
    swap = attributes.get("layout") == "BSHD"
    if swap:
        tensors = {name: np.moveaxis(tensor, 1, 2) for name, tensor in tensors.items()}
    if bias is not None:
        tensors["bias"] = bias
    made = session(
        query.dtype.name, node, bias is not None, threads, tuple(sorted(attributes.items()))
    )
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    (output,) = made.run(None, contiguous)
    return np.moveaxis(output, 2, 1) if swap else np.asarray(output)


@functools.cache
def has_bfloat16_products() -> bool:
    """Whether compute_type bfloat16 is more than a wish here: elsewhere it computes in float32."""
    named = os.environ.get("CK_FLASH_ATTENTION_ISA")
    if named:
        return named.startswith("avx512_bf16")
    return " avx512_bf16 " in Path("/proc/cpuinfo").read_text().partition("flags")[2]


def normal(seed: int, *shape: int, dtype: str = "float32") -> Tensor:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32).astype(dtype)


def qkv(
    seed: int, batch: int, heads: int, queries: int, keys: int, size: int, dtype: str = "float32"
) -> tuple[Tensor, Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    q, k, v = (
        rng.standard_normal((batch, heads, rows, size), dtype=np.float32).astype(dtype)
        for rows in (queries, keys, keys)
    )
    return q, k, v


def assert_within_budget(
    output: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None = None,
    *,
    scale: float,
    window_size_left: int = -1,
    window_size_right: int = -1,
    compute_type: str = "float32",
    rows: NDArray[np.int64] | None = None,
    **_: Any,
) -> None:
    """Compare with the oracle, on the given query rows only where some are given."""
    dtype = query.dtype.name
    assert output.dtype == query.dtype
    assert output.shape == query.shape
    if rows is not None:
        query, output = query[:, :, rows], output[:, :, rows]
        if bias is not None and bias.shape[2] > 1:
            bias = bias[:, :, rows]
    factor = np.float32(scale)  # as the attribute stores it
    if compute_type == "bfloat16" and has_bfloat16_products():
        scaled = query.astype(np.float32) * factor
        query, key, value = (to_bfloat16(x.astype(np.float32)) for x in (scaled, key, value))
        factor = np.float32(1)
    else:
        compute_type = "float32"
    answer = attention(
        query,
        key,
        value,
        bias,
        scale=float(factor),
        window_left=window_size_left,
        window_right=window_size_right,
        rows=rows,
    )
    budget = error_budget(answer, dtype, query.shape[3], compute_type=compute_type)
    known = np.isfinite(answer.output)
    np.testing.assert_array_equal(np.isfinite(output), known)
    error = np.abs(output.astype(np.float64)[known] - answer.output[known])
    excess = error / budget[known]
    assert excess.size == 0 or excess.max() <= 1, (
        f"{excess.max():.2f} times the budget, {(excess > 1).mean():.1%} of the elements over it"
    )


def check(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    bias: Tensor | None = None,
    *,
    rows: NDArray[np.int64] | None = None,
    threads: int = 1,
    **attributes: Any,
) -> Tensor:
    attributes.setdefault("scale", q.shape[3] ** -0.5)
    output = run(q, k, v, bias, threads=threads, **attributes)
    assert_within_budget(output, q, k, v, bias, rows=rows, **attributes)
    return output


# Shapes, layouts, windows


@pytest.mark.parametrize("layout", ["BHSD", "BSHD"])
@pytest.mark.parametrize("size", HEAD_SIZES)
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_lengths_around_every_tile_edge(dtype: str, size: int, layout: str) -> None:
    for length in (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 47, 64, 65, 127, 257):
        check(*qkv(length, 1, 2, length, length, size, dtype), layout=layout)


@pytest.mark.parametrize("size", HEAD_SIZES)
def test_other_numbers_of_queries_than_of_keys(size: int) -> None:
    for queries, keys in [(1, 1), (1, 300), (300, 1), (13, 64), (64, 13), (97, 129), (129, 511)]:
        for batch, heads in [(1, 1), (3, 2)]:
            check(*qkv(queries, batch, heads, queries, keys, size), layout="BSHD")


@pytest.mark.parametrize(
    ("left", "right"),
    [(0, 0), (64, 64), (3, 0), (0, 5), (-1, 0), (0, -1), (17, 130), (128, 1), (-1, 20), (9999, 2)],
)
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_windows(dtype: str, left: int, right: int) -> None:
    for queries, keys in [(1, 1), (40, 40), (200, 200), (333, 333), (50, 170), (170, 50)]:
        tensors = qkv(queries + keys, 1, 2, queries, keys, 32, dtype)
        check(*tensors, window_size_left=left, window_size_right=right)


def test_a_window_as_wide_as_the_sequence_is_no_window() -> None:
    q, k, v = qkv(1, 2, 2, 150, 150, 64)
    whole = check(q, k, v)
    wide = check(q, k, v, window_size_left=149, window_size_right=2**40)
    np.testing.assert_array_equal(wide, whole)


def test_queries_whose_window_lies_past_the_keys_get_zeros() -> None:
    q, k, v = qkv(2, 1, 2, 200, 60, 32)
    output = check(q, k, v, window_size_left=10, window_size_right=3)
    assert (output[:, :, 70:] == 0).all()
    assert (output[:, :, :70] != 0).any(axis=-1).all()


def test_without_attributes_everything_is_seen_and_the_scale_is_that_of_attention() -> None:
    q, k, v = qkv(3, 2, 2, 70, 90, 64)
    assert_within_budget(run(q, k, v), q, k, v, scale=0.125)


@pytest.mark.parametrize("scale", [0.0, -0.3, 2.0, 1e-30])
def test_any_finite_scale(scale: float) -> None:
    check(*qkv(4, 1, 2, 60, 70, 32), scale=scale)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_thirty_two_thousand_keys_or_queries(dtype: str) -> None:
    length = 32768
    check(*qkv(5, 1, 1, 24, length, 64, dtype), threads=2)
    sample = np.unique(np.r_[0, 63, 64, 65, 127, 128, np.arange(0, length, 1177), length - 1])
    q, k, v = qkv(6, 1, 2, length, length, 32, dtype)
    check(q, k, v, rows=sample, threads=2, window_size_left=64, window_size_right=64)


def test_the_whole_length_at_full_attention() -> None:
    length = 32768
    sample = np.r_[0, 1, np.arange(5, length, 1501), length - 1]
    check(*qkv(7, 1, 1, length, length, 32), rows=sample, threads=2)


# Bias


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
@pytest.mark.parametrize(
    "shape", [(b, h, q, 83) for b in (3, 1) for h in (2, 1) for q in (71, 1)], ids=str
)
def test_every_shape_of_bias(shape: tuple[int, ...], dtype: str) -> None:
    q, k, v = qkv(8, 3, 2, 71, 83, 32, dtype)
    bias = normal(9, *shape, dtype=dtype)
    windows: list[dict[str, Any]] = [{}, {"window_size_left": 20, "window_size_right": 31}]
    for window in windows:
        check(q, k, v, bias, **window)
        check(q, k, v, bias, layout="BSHD", **window)


@pytest.mark.parametrize("masked", [-np.inf, "finfo.min"])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_padding_of_every_length(dtype: str, masked: float | str) -> None:
    keys = 131
    low = float(np.finfo(dtype).min) if isinstance(masked, str) else masked
    lengths = np.arange(1, keys + 1)
    q, k, v = qkv(10, keys, 1, 6, keys, 32, dtype)
    bias = np.where(np.arange(keys) < lengths[:, None], 0, low).astype(dtype)[:, None, None]
    padded = check(q, k, v, bias)
    for item in range(0, keys, 13):
        n = lengths[item]
        one = slice(item, item + 1)
        assert_within_budget(padded[one], q[one], k[one, :, :n], v[one, :, :n], scale=32**-0.5)


def test_padding_on_the_left_and_holes() -> None:
    q, k, v = qkv(11, 5, 2, 90, 300, 64)
    bias = np.zeros((5, 1, 1, 300), np.float32)
    bias[0, ..., :299] = -np.inf
    bias[1, ..., :128] = -np.inf
    bias[2, ..., 64:256] = -np.inf
    bias[3, ..., ::2] = -np.inf
    bias[4] = np.where(np.random.default_rng(12).random(300) < 0.9, -np.inf, bias[4])
    check(q, k, v, bias)
    check(q, k, v, bias, window_size_left=40, window_size_right=90)


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_rows_that_see_nothing_are_zeros(dtype: str) -> None:
    q, k, v = qkv(13, 2, 2, 70, 70, 32, dtype)
    bias = np.zeros((2, 2, 70, 70), dtype)
    bias[0, 1, 5] = bias[1, 0, 60:] = bias[1, 1] = -np.inf
    output = check(q, k, v, bias)
    assert (output[0, 1, 5] == 0).all()
    assert (output[1, 0, 60:] == 0).all()
    assert (output[1, 1] == 0).all()
    nothing = np.full((1, 1, 1, 70), -np.inf, dtype)
    assert (run(q, k, v, nothing) == 0).all()
    assert (run(q, k, v, nothing, window_size_left=3, window_size_right=3) == 0).all()


def test_a_row_biased_by_finfo_min_is_the_mean_as_in_the_unfused_graph() -> None:
    q, k, v = qkv(14, 1, 2, 70, 150, 64)
    bias = np.full((1, 1, 1, 150), np.finfo(np.float32).min, np.float32)
    output = check(q, k, v, bias)
    mean = np.broadcast_to(v.astype(np.float64).mean(axis=2, keepdims=True), output.shape)
    np.testing.assert_allclose(output, mean, atol=1e-6)
    np.testing.assert_allclose(run(q, k, v, bias, node="unfused", scale=0.125), mean, atol=1e-6)


def test_finfo_min_twice_is_not_seen_and_with_a_key_in_sight_not_at_all() -> None:
    """What exported models do: a mask for padding added to one for the window."""
    q, k, v = qkv(15, 1, 1, 40, 80, 32)
    low = np.finfo(np.float32).min
    bias = np.zeros((1, 1, 40, 80), np.float32)
    bias[..., 50:] = low
    with np.errstate(over="ignore"):
        bias[..., 60:] += low
    output = check(q, k, v, bias)
    np.testing.assert_array_equal(
        output, check(q, k, v, np.where(bias < 0, -np.inf, 0).astype("f"))
    )


# Extreme numbers


@pytest.mark.parametrize("size", [1e4, 1e6, 1e30])
def test_large_logits_pick_the_largest(size: float) -> None:
    """Logits apart by far more than their rounding errors: the largest takes all."""
    keys, d = 200, 64
    rng = np.random.default_rng(16)
    q = np.zeros((1, 1, 50, d), np.float32)
    q[..., 0] = np.sqrt(size)
    k = np.zeros((1, 1, keys, d), np.float32)
    k[..., 0] = (rng.permutation(keys) - keys / 2) * np.float32(np.sqrt(size))
    v = normal(17, 1, 1, keys, d)
    expected = np.broadcast_to(v[:, :, k[0, 0, :, 0].argmax()][:, :, None], q.shape)
    np.testing.assert_array_equal(run(q, k, v, scale=1.0), expected)
    np.testing.assert_array_equal(run(-q, -k, v, scale=1.0), expected)
    # The same by the bias, and in the other direction along the keys.
    bias = np.linspace(-size, size, keys, dtype=np.float32)[None, None, None]
    small = normal(18, 1, 1, 50, d)
    near = np.broadcast_to(v[:, :, -1:], q.shape)
    np.testing.assert_array_equal(run(small, k * 0, v, bias, scale=1.0), near)
    far = np.broadcast_to(v[:, :, :1], q.shape)
    reverse = np.ascontiguousarray(bias[..., ::-1])
    np.testing.assert_array_equal(run(small, k * 0, v, reverse, scale=1.0), far)


@pytest.mark.parametrize("level", [-1e4, 1e4, -80.0, 80.0])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_only_differences_of_logits_matter(dtype: str, level: float) -> None:
    q, k, v = qkv(19, 1, 2, 60, 170, 32, dtype)
    bias = np.full((1, 1, 1, 170), level, dtype)
    check(q, k, v, bias)


def test_denormals_in_every_operand() -> None:
    q, k, v = qkv(20, 1, 2, 60, 170, 32)
    tiny = np.float32(1e-40)
    check(q * tiny, k, v)
    check(q, k * tiny, v)
    check(q * tiny, k * tiny, v)
    check(q, k, v * tiny)
    check(q * tiny, k, v, scale=1e38)


def test_denormals_of_float16_are_numbers() -> None:
    q, k, v = qkv(21, 1, 2, 60, 170, 32, "float16")
    tiny = np.float16(16 * SMALLEST["float16"])
    output = check(q, k, v * tiny)
    assert (output != 0).any()
    np.testing.assert_array_equal(output % np.float16(SMALLEST["float16"]), 0)
    check(q * tiny, k, v, scale=2.0**16)
    check(q, k * tiny, v, scale=2.0**16)


def test_float16_to_the_ends_of_its_range() -> None:
    q, k, v = qkv(22, 1, 1, 40, 90, 64, "float16")
    largest = np.finfo(np.float16).max
    v = np.where(v > 0, largest, -largest).astype(np.float16)
    v[..., 0] = largest
    output = check(q, k, v)
    assert (output[..., 0] == largest).all()
    # Products far beyond float16, in float32 as they must be.
    check(q * np.float16(200), k * np.float16(200), v, scale=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_garbage_in_padded_keys_and_values_is_never_seen(dtype: str, bad: float) -> None:
    for keys, real in [(40, 1), (130, 100), (300, 129), (64, 63)]:
        q, k, v = qkv(keys, 2, 2, 70, keys, 32, dtype)
        k[:, :, real:] = v[:, :, real:] = bad
        for layout in ("BHSD", "BSHD"):
            for rows in (1, 70):
                bias = np.zeros((2, 1, rows, keys), dtype)
                bias[..., real:] = -np.inf
                check(q, k, v, bias, layout=layout)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_reach_those_who_see_them_and_nobody_else(bad: float) -> None:
    windows: dict[str, Any] = {"window_size_left": 20, "window_size_right": 11}
    for where in (0, 63, 64, 130, 199):
        q, k, v = qkv(where, 2, 2, 200, 200, 32)
        v[0, 1, where, 3] = bad
        output = check(q, k, v, **windows)
        touched = ~np.isfinite(output)
        i = np.arange(200)
        sees = (where >= i - 20) & (where <= i + 11)
        np.testing.assert_array_equal(touched[0, 1, :, 3], sees)
        assert touched.sum() == sees.sum()

        q, k, v = qkv(where, 2, 2, 200, 200, 32)
        k[1, 0, where, 3] = np.nan
        output = check(q, k, v, **windows)
        assert np.isnan(output[1, 0][sees]).all()
        assert np.isnan(output).sum() == sees.sum() * 32

        q, k, v = qkv(where, 2, 2, 200, 200, 32)
        q[0, 0, where, 31] = np.nan
        output = check(q, k, v, **windows)
        assert np.isnan(output[0, 0, where]).all()
        assert np.isnan(output).sum() == 32


def test_nan_hides_no_large_neighbour_from_the_bounds_of_scores() -> None:
    q, k, v = qkv(5, 1, 1, 400, 400, 32)
    q[:] = 0.1
    k[0, 0, 200] = 100
    k[0, 0, 203, 0] = np.nan  # after the large key; queries 0 to 2 see that one only
    output = run(q, k, v, scale=1.0, window_size_right=200)
    np.testing.assert_allclose(output[0, 0, :3], np.tile(v[0, 0, 200], (3, 1)), rtol=1e-5)
    assert np.isnan(output[0, 0, 3:]).all()

    q, k, v = qkv(6, 1, 1, 400, 400, 32)
    q[0, 0] = 0.1
    q[0, 0, 0] = k[0, 0, 7] * 40
    q[0, 0, 1, 0] = np.nan  # after the large query
    output = run(q, k, v, scale=1.0)
    np.testing.assert_allclose(output[0, 0, 0], v[0, 0, 7], rtol=1e-5)
    assert np.isnan(output).sum() == 32


@pytest.mark.parametrize("bits", [0x7FC00000, 0xFFFFFFFF, 0x7F800001, 0x7FC001FF])
@pytest.mark.parametrize("where", ["q", "k", "v", "bias", "bias by row"])
def test_a_nan_of_any_bits_stays_nan(bits: int, where: str) -> None:
    q, k, v = qkv(5, 1, 1, 20, 200, 32)
    bias = np.zeros((1, 1, 20 if where == "bias by row" else 1, 200), np.float32)
    nan = np.array([bits], np.uint32).view(np.float32)[0]
    {"q": q, "k": k, "v": v}.get(where, bias)[0, 0, 0, 7] = nan
    output = run(q, k, v, bias, scale=0.2)
    assert np.isnan(output[0, 0, 0, 7])
    if where in ("k", "bias"):
        assert np.isnan(output).all()
    if where == "bias by row":
        assert not np.isnan(output[0, 0, 1:]).any()


def test_values_that_are_infinite_in_bf16_alone_stay_where_they_are_seen() -> None:
    q, k, v = qkv(6, 1, 1, 200, 200, 32)
    v[0, 0, 100] = np.finfo(np.float32).max
    windows: dict[str, Any] = {"window_size_left": 5, "window_size_right": 5}
    output = run(q, k, v, scale=0.2, compute_type="bfloat16", **windows)
    unseen = np.abs(np.arange(200) - 100) > 5
    assert np.isfinite(output[0, 0][unseen]).all()


# Accuracy


def test_as_accurate_as_the_unfused_graph() -> None:
    """Both are float32 with the products summed in another order, so neither wins each draw.

    Compared for each shape are the largest error relative to the largest result, mean over 5 draws,
    and the root mean square of all errors. Over all shapes the op's is at most 1.05 times the
    unfused graph's (geometric mean), and for no shape is its root mean square over 1.25 times.
    """
    largest, square = [], []
    for length, size in itertools.product((2, 7, 33, 128, 200, 512, 1024), HEAD_SIZES):
        scale = float(np.float32(size**-0.5))
        errors: dict[str, list[Tensor]] = {"CKFlashAttention": [], "unfused": []}
        for draw in range(5):
            q, k, v = qkv(1000 * draw + length, 1, 2, 150, length, size)
            exact = attention(q, k, v, scale=scale).output
            for node, found in errors.items():
                found.append((run(q, k, v, node=node, scale=scale) - exact) / np.abs(exact).max())
        ours, theirs = (np.array(found) for found in errors.values())
        top = [np.abs(each).max(axis=(1, 2, 3, 4)).mean() for each in (ours, theirs)]
        largest.append(top[0] / top[1])
        square.append(np.sqrt((ours**2).mean() / (theirs**2).mean()))
    assert np.exp(np.mean(np.log(largest))) <= 1.05
    assert np.exp(np.mean(np.log(square))) <= 1.05
    assert max(square) <= 1.25


@pytest.mark.parametrize("size", HEAD_SIZES)
def test_bfloat16_products_stay_within_the_budget_of_bfloat16(size: int) -> None:
    for queries, keys in [(1, 1), (33, 70), (64, 64), (200, 333), (129, 600)]:
        q, k, v = qkv(queries, 2, 2, queries, keys, size)
        bias = np.zeros((2, 1, 1, keys), np.float32)
        bias[1, ..., keys // 2 + 1 :] = -np.inf
        check(q, k, v, bias, compute_type="bfloat16")
        window: dict[str, Any] = {"window_size_left": 30, "window_size_right": 20}
        check(q, k, v, compute_type="bfloat16", layout="BSHD", **window)


def test_bfloat16_products_of_float16_tensors() -> None:
    check(*qkv(23, 1, 2, 100, 140, 64, "float16"), compute_type="bfloat16")


def test_bfloat16_products_without_the_instruction_are_float32_products() -> None:
    q, k, v = qkv(31, 1, 2, 100, 140, 64)
    asked, plain = (run(q, k, v, compute_type=kind) for kind in ("bfloat16", "float32"))
    assert (asked.tobytes() == plain.tobytes()) == (not has_bfloat16_products())


# The same bits


@pytest.mark.parametrize("compute_type", ["float32", "bfloat16"])
@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_the_number_of_threads_changes_no_bit(dtype: str, compute_type: str) -> None:
    cases: list[tuple[tuple[int, int, int, int, int], dict[str, Any]]] = [
        ((1, 1, 700, 700, 64), {}),
        ((3, 2, 130, 201, 32), {"layout": "BSHD"}),
        ((1, 2, 600, 600, 128), {"window_size_left": 64, "window_size_right": 64}),
    ]
    for shape, attributes in cases:
        q, k, v = qkv(sum(shape), *shape, dtype)
        bias = normal(24, shape[0], 1, 1, shape[3], dtype=dtype)
        bias[..., shape[3] // 2 :] = -np.inf
        for extra in (None, bias):
            one = run(q, k, v, extra, compute_type=compute_type, **attributes)
            for threads in (2, 3, 8):
                for _ in range(3):
                    many = run(
                        q, k, v, extra, threads=threads, compute_type=compute_type, **attributes
                    )
                    assert many.tobytes() == one.tobytes(), (shape, threads)


def test_neither_batch_nor_heads_nor_layout_change_a_bit() -> None:
    q, k, v = qkv(25, 3, 4, 150, 210, 32)
    bias = normal(26, 3, 1, 1, 210)
    bias[1, ..., 100:] = -np.inf
    whole = run(q, k, v, bias, scale=0.2)
    assert run(q, k, v, bias, scale=0.2, layout="BSHD").tobytes() == whole.tobytes()
    for item in range(3):
        for head in range(4):
            one, this = slice(item, item + 1), slice(head, head + 1)
            output = run(q[one, this], k[one, this], v[one, this], bias[one], scale=0.2)
            assert output.tobytes() == whole[item, head].tobytes()


@pytest.mark.parametrize("length", [100, 200])
def test_what_a_batch_is_padded_to_changes_no_bit(length: int) -> None:
    q, k, v = qkv(27, 1, 2, length, length, 64)
    alone = run(q, k, v, np.zeros((1, 1, 1, length), np.float32), scale=0.125)
    for padded_to in (length + 1, length + 28, length + 100, 512, 1024):
        width = ((0, 0), (0, 0), (0, padded_to - length), (0, 0))
        bias = np.zeros((1, 1, 1, padded_to), np.float32)
        bias[..., length:] = -np.inf
        long_q, long_k, long_v = (np.pad(x, width) for x in (q, k, v))
        padded = run(long_q, long_k, long_v, bias, scale=0.125)
        assert padded[:, :, :length].tobytes() == alone.tobytes(), padded_to


def test_inputs_are_left_as_they_are() -> None:
    q, k, v = qkv(28, 2, 2, 100, 130, 64)
    tensors = [q, k, v, normal(29, 2, 1, 1, 130)]
    before = [tensor.copy() for tensor in tensors]
    run(q, k, v, tensors[3])
    for tensor, copy in zip(tensors, before, strict=True):
        np.testing.assert_array_equal(tensor, copy)


# Anything


@dataclass(frozen=True)
class Problem:
    """A well-formed problem in few words, so that a failure can be read."""

    seed: int
    dtype: str
    batch: int
    heads: int
    queries: int
    keys: int
    size: int
    magnitudes: tuple[float, float, float]
    bias: tuple[bool, bool, bool] | None  # which of B, H and Sq are not 1
    bias_magnitude: float
    masked: float
    masked_share: float
    tail: int
    attributes: dict[str, Any]

    def tensors(self) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        rng = np.random.default_rng(self.seed)
        q, k, v = (
            rng.standard_normal((self.batch, self.heads, rows, self.size)) * magnitude
            for rows, magnitude in zip(
                (self.queries, self.keys, self.keys), self.magnitudes, strict=True
            )
        )
        bias = None
        if self.bias is not None:
            whole = (self.batch, self.heads, self.queries)
            shape = [n if full else 1 for n, full in zip(whole, self.bias, strict=True)]
            bias = rng.standard_normal((*shape, self.keys)) * self.bias_magnitude
            bias[rng.random(bias.shape) < self.masked_share] = self.masked
            bias[..., self.keys - self.tail :] = self.masked
            bias = bias.astype(self.dtype)
        return q.astype(self.dtype), k.astype(self.dtype), v.astype(self.dtype), bias


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    dtype = draw(st.sampled_from(sorted(ELEMENT_TYPES)))
    size = draw(st.sampled_from(HEAD_SIZES))
    length = st.one_of(st.integers(1, 70), st.integers(1, 400))
    keys = draw(length)
    magnitude = st.sampled_from([1.0, 1e-4, 0.1, 6.0])
    window = st.sampled_from([-1, 0, 1, 2, 16, 31, 64, 65, 128, 1000])
    lowest = float(np.finfo(dtype).min)
    return Problem(
        seed=draw(st.integers(0, 2**32 - 1)),
        dtype=dtype,
        batch=draw(st.integers(1, 3)),
        heads=draw(st.integers(1, 3)),
        queries=draw(length),
        keys=keys,
        size=size,
        magnitudes=draw(st.tuples(magnitude, magnitude, magnitude)),
        bias=draw(st.one_of(st.none(), st.tuples(st.booleans(), st.booleans(), st.booleans()))),
        bias_magnitude=draw(st.sampled_from([0, 1, 30])),
        masked=draw(st.sampled_from([-np.inf, -np.inf, -1e4, lowest])),
        masked_share=draw(st.sampled_from([0, 0.3, 0.95, 1])),
        tail=draw(st.integers(0, keys)),
        attributes={
            "scale": draw(st.sampled_from([size**-0.5, 0.0, 1.0, -0.1])),
            "window_size_left": draw(window),
            "window_size_right": draw(window),
            "layout": draw(st.sampled_from(["BHSD", "BSHD"])),
            "compute_type": draw(st.sampled_from(["float32", "bfloat16"])),
        },
    )


@fuzz
@given(problems(), st.sampled_from([1, 2]))
def test_fuzz_well_formed_problems(problem: Problem, threads: int) -> None:
    check(*problem.tensors(), threads=threads, **problem.attributes)


dimensions = st.one_of(
    st.integers(0, 5), st.integers(1, 140), st.sampled_from([32, 64, 128, 32, 64, 128])
)
shapes = st.lists(dimensions, min_size=0, max_size=5).map(tuple)


@st.composite
def nearly(draw: st.DrawFn) -> tuple[list[tuple[int, ...]], dict[str, Any]]:
    """Shapes and attributes of which most are wrong in some way, and many by little."""
    base = [draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 70))]
    base.append(draw(st.sampled_from([32, 64, 128])))
    given_shapes = [list(base) for _ in range(3)]
    given_shapes.append([base[0], 1, draw(st.sampled_from([1, base[2]])), base[2]])
    for _ in range(draw(st.integers(0, 2))):
        wrong = draw(st.sampled_from(given_shapes))
        change = draw(st.sampled_from(["dimension", "drop", "add", "all"]))
        at = draw(st.integers(0, 3))
        if change == "all":
            wrong[:] = draw(shapes)
        elif change == "add":
            wrong.insert(at, draw(st.sampled_from([1, 2])))
        elif change == "drop" and at < len(wrong):
            del wrong[at]
        elif at < len(wrong):
            wrong[at] = draw(dimensions)
    tensor_shapes = [tuple(each) for each in given_shapes[: draw(st.sampled_from([3, 3, 4, 4, 2]))]]
    assume(all(math.prod(shape) < 2_000_000 for shape in tensor_shapes))
    attributes = {
        "window_size_left": draw(st.sampled_from([-1, -1, 0, 8, -2, 2**62, -(2**63)])),
        "window_size_right": draw(st.sampled_from([-1, -1, 0, 8, -2, 2**62, 2**63 - 1])),
        "layout": draw(st.sampled_from(["BHSD", "BHSD", "BSHD", "", "bshd"])),
        "compute_type": draw(st.sampled_from(["float32", "float32", "bfloat16", "int8"])),
    }
    return tensor_shapes, attributes


def is_defined(tensor_shapes: list[tuple[int, ...]], attributes: dict[str, Any]) -> bool:
    """Whether the contract gives these inputs an answer."""
    if len(tensor_shapes) < 3 or any(len(shape) != 4 for shape in tensor_shapes):
        return False
    q, k, v, *bias = tensor_shapes
    length = {"BHSD": 2, "BSHD": 1}.get(attributes["layout"])
    if length is None or attributes["compute_type"] not in ("float32", "bfloat16"):
        return False
    if min(attributes["window_size_left"], attributes["window_size_right"]) < -1:
        return False
    others = [axis for axis in range(4) if axis != length]
    if any(q[axis] != k[axis] for axis in others) or k != v or q[3] not in HEAD_SIZES:
        return False
    wanted = (q[0], q[3 - length], q[length], k[length])
    return all(
        b[3] == wanted[3] and all(x in (1, y) for x, y in zip(b, wanted, strict=True)) for b in bias
    )


def answer_or_error(tensors: list[Tensor], attributes: dict[str, Any]) -> Tensor | str:
    """Make a session for just these inputs and run it; return what ONNX Runtime raised as text."""
    ranks = [tensor.ndim for tensor in tensors]
    ranks += [4] * (3 - len(ranks))  # ONNX Runtime itself notices that an input is missing
    graph = model("float32", "CKFlashAttention", attributes, bias=len(ranks) == 4, ranks=ranks)
    names = ["query", "key", "value", "bias"]
    try:
        output = load(graph).run(None, dict(zip(names, tensors, strict=False)))[0]
    except (Fail, InvalidArgument, InvalidGraph, NotImplemented, RuntimeException) as error:
        return str(error)
    except ValueError as error:
        return str(error)
    return np.asarray(output)


@fuzz
@given(nearly())
def test_fuzz_malformed_problems(problem: tuple[list[tuple[int, ...]], dict[str, Any]]) -> None:
    """Right, or an error that says what is wrong; never a crash."""
    tensor_shapes, attributes = problem
    tensors = [normal(40 + n, *shape) for n, shape in enumerate(tensor_shapes)]
    output = answer_or_error(tensors, {**attributes, "scale": 0.2})
    defined = is_defined(tensor_shapes, attributes)
    if isinstance(output, str):
        assert not defined, output
        assert len(tensors) < 3 or "CKFlashAttention" in output, output
        return
    assert defined
    if attributes["layout"] == "BSHD":
        tensors[:3] = [np.moveaxis(tensor, 1, 2) for tensor in tensors[:3]]
        output = np.moveaxis(output, 1, 2)
    assert_within_budget(output, *tensors, scale=0.2, **attributes)
