"""CKFlashAttention as ONNX Runtime sees it: what it takes, what it refuses and with which words.

Numbers are test_attention_op.py's business; here a float64 one-liner is enough.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper

from tests.attention_library import library

ROOT = Path(__file__).parents[1]
FLOAT, FLOAT16, BFLOAT16, DOUBLE = (
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.BFLOAT16,
    TensorProto.DOUBLE,
)
Tensor = NDArray[Any]
Shape = Sequence[int | str | None]
Q, K = (2, 3, 5, 32), (2, 3, 7, 32)


def attention_node(
    inputs: Sequence[str] = ("Q", "K", "V"),
    output: str = "O",
    *,
    name: str = "layer.3",
    **attributes: Any,
) -> NodeProto:
    return helper.make_node(
        "CKFlashAttention", inputs, [output], name=name, domain="com.ck", **attributes
    )


def model(
    shapes: Mapping[str, Shape | None],
    nodes: Sequence[NodeProto] = (),
    *,
    kinds: Mapping[str, int] | None = None,
    kind: int = FLOAT,
    outputs: Sequence[str] = ("O",),
    **attributes: Any,
) -> bytes:
    """A model with these inputs; without nodes, one CKFlashAttention of all of them."""
    kinds = dict.fromkeys(shapes, kind) | dict(kinds or {})
    graph = helper.make_graph(
        list(nodes) or [attention_node(list(shapes), **attributes)],
        "g",
        [helper.make_tensor_value_info(name, kinds[name], shapes[name]) for name in shapes],
        [helper.make_tensor_value_info(name, kinds.get("Q", kind), None) for name in outputs],
    )
    return serialized(graph)


def serialized(graph: Any) -> bytes:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.ck", 1)]
    made: ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    return bytes(made.SerializeToString())


def load(graph: bytes, *, threads: int = 1) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.register_custom_ops_library(str(library()))
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def random(shapes: Mapping[str, Sequence[int]], dtype: Any = np.float32) -> dict[str, Tensor]:
    generator = np.random.default_rng(7)
    return {name: generator.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


def run(session: Any, feed: Mapping[str, Tensor]) -> Tensor:
    # Quiet: refusals are what these tests ask for.
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    output: Tensor = session.run(None, dict(feed), options)[0]
    return output


def expected(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | float = 0.0) -> Tensor:
    """Full attention with the default scale, [B,H,S,D]."""
    scores = np.einsum("bhid,bhjd->bhij", q, k, dtype=np.float64) / np.sqrt(q.shape[-1]) + bias
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    output: Tensor = np.einsum("bhij,bhjd->bhid", weights / weights.sum(-1, keepdims=True), v)
    return output


class TestRefusedWhenTheSessionIsMade:
    @pytest.mark.parametrize(
        ("shapes", "message"),
        [
            ({"Q": Q, "K": K[1:], "V": K}, "K has 3 dimensions, but must have 4"),
            ({"Q": Q, "K": (2, 1, 7, 32), "V": K}, "K has 1 heads and Q has 3: grouped-query"),
            ({"Q": Q, "K": K, "V": (2, 4, 7, 32)}, "V has 4 heads and Q has 3"),
            ({"Q": Q, "K": (3, 3, 7, 32), "V": K}, "K has a batch size of 3, but Q has"),
            ({"Q": Q, "K": K, "V": (2, 3, 6, 32)}, "V has a length of 6, but K has a length of 7"),
            ({"Q": Q, "K": K, "V": (2, 3, 7, 64)}, "V has a head size of 64, but Q has"),
            ({"Q": (2, 3, 5, 48)}, "Q has a head size of 48, but 32, 64 and 128 are supported"),
            ({"Q": Q, "K": K, "V": K, "bias": (2, 3, 5, 6)}, "dimension 3 of bias is 6, but must"),
            ({"Q": Q, "K": K, "V": K, "bias": (2, 3, 5, 1)}, "be 7, the length of K"),
            ({"Q": Q, "K": K, "V": K, "bias": (2, 3, 4, 7)}, "be 5 or 1, the length of Q"),
            ({"Q": Q, "K": K, "V": K, "bias": (2, 2, 5, 7)}, "be 3 or 1, the number of heads"),
            ({"Q": Q, "K": K, "V": K, "bias": (3, 3, 5, 7)}, "be 2 or 1, the batch size"),
            ({"Q": Q, "K": K, "V": K, "bias": (5, 7)}, "bias has 2 dimensions, but must have 4"),
        ],
    )
    def test_shapes_that_do_not_fit(self, shapes: dict[str, tuple[int, ...]], message: str) -> None:
        shapes = {name: shapes.get(name, shapes["Q"]) for name in ("Q", "K", "V")} | shapes
        with pytest.raises(Exception, match=r"CKFlashAttention node 'layer\.3': ") as caught:
            load(model(shapes))
        text = str(caught.value)
        assert message in text
        for name, shape in shapes.items():
            assert f"{name} float32 [{','.join(map(str, shape))}]" in text

    def test_open_dimensions_are_told_from_wrong_ones(self) -> None:
        with pytest.raises(Exception, match="K has a head size of 64") as caught:
            load(model({"Q": ("b", 3, None, 32), "K": ("b", 3, None, 64), "V": None}))
        assert "Q float32 [?,3,?,32], K float32 [?,3,?,64]" in str(caught.value)
        assert "V float32 of unknown rank, bias absent; layout BHSD" in str(caught.value)

    def test_layout_bshd_has_its_heads_third(self) -> None:
        with pytest.raises(Exception, match=r"K has 7 heads and Q has 5.*layout BSHD"):
            load(model({"Q": Q, "K": (2, 3, 7, 32), "V": Q}, layout="BSHD"))

    @pytest.mark.parametrize(
        ("kinds", "message"),
        [
            ({"Q": DOUBLE}, "Q is float64, but the CPU takes float32 and float16"),
            ({"Q": BFLOAT16, "K": BFLOAT16, "V": BFLOAT16}, "Q is bfloat16, but the CPU takes"),
            ({"K": FLOAT16}, "K is float16, but Q is float32"),
            ({"V": DOUBLE}, "V is float64, but Q is float32"),
            ({"bias": FLOAT16}, "bias is float16, but Q is float32"),
        ],
    )
    def test_types(self, kinds: dict[str, int], message: str) -> None:
        shapes = {"Q": Q, "K": K, "V": K, "bias": (1, 1, 1, 7)}
        graph = model(shapes, kinds=kinds)
        with pytest.raises(Exception, match=f"node 'layer\\.3': {message}"):
            load(graph)

    @pytest.mark.parametrize(
        ("attributes", "message"),
        [
            ({"scale": float("nan")}, "attribute scale is -?nan, but must be finite"),
            ({"scale": float("-inf")}, "attribute scale is -inf, but must be finite"),
            ({"scale": 1}, "attribute scale must be a float"),
            ({"scale": "0.1"}, "attribute scale must be a float"),
            ({"scale": [0.1, 0.2]}, "attribute scale must be a float"),
            ({"scale": ["a", "b"]}, "attribute scale must be a float"),
            ({"window_size_left": -2}, "attribute window_size_left is -2, but must be -1"),
            (
                {"window_size_right": -(2**63)},
                "attribute window_size_right is -9223372036854775808",
            ),
            ({"window_size_left": 1.0}, "attribute window_size_left must be an integer"),
            ({"layout": "BHDS"}, 'attribute layout is "BHDS", but must be "BHSD" or "BSHD"'),
            ({"layout": ""}, 'attribute layout is "", but must be'),
            ({"layout": 3}, "attribute layout must be a string"),
            ({"compute_type": "float16"}, '"float16", but must be "float32" or "bfloat16"'),
        ],
    )
    def test_attributes(self, attributes: dict[str, Any], message: str) -> None:
        with pytest.raises(Exception, match=f"CKFlashAttention node 'layer\\.3': .*{message}"):
            load(model({"Q": Q, "K": K, "V": K}, **attributes))

    @pytest.mark.parametrize("inputs", [("Q", "K"), ("Q", "K", ""), ("", "K", "V")])
    def test_missing_inputs(self, inputs: tuple[str, ...]) -> None:
        with pytest.raises(Exception, match=r"layer\.3.*CKFlashAttention.*input"):
            load(model({"Q": Q, "K": K, "V": K}, [attention_node(inputs)]))

    @pytest.mark.parametrize("value", ["avx1024", "portable "])
    def test_an_instruction_set_that_there_is_not(self, value: str, tmp_path: Path) -> None:
        # A process of its own: the library looks once.
        (tmp_path / "m.onnx").write_bytes(model({"Q": Q, "K": K, "V": K}))
        code = (
            "import sys, onnxruntime as o\n"
            "s = o.SessionOptions()\n"
            "s.register_custom_ops_library(sys.argv[1])\n"
            "o.InferenceSession(sys.argv[2], s, providers=['CPUExecutionProvider'])\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", code, str(library()), str(tmp_path / "m.onnx")],
            env=os.environ | {"CK_FLASH_ATTENTION_ISA": value},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 1, result.stderr
        last = result.stderr.strip().splitlines()[-1]
        assert "CKFlashAttention node 'layer.3': CK_FLASH_ATTENTION_ISA must be" in last


class TestRefusedWhenItRuns:
    @pytest.fixture
    def session(self) -> Any:
        return load(model({"Q": None, "K": None, "V": None}))

    @pytest.mark.parametrize(
        ("shapes", "message"),
        [
            ({"Q": (), "K": K, "V": K}, "Q has 0 dimensions"),
            ({"Q": Q[1:], "K": K, "V": K}, "Q has 3 dimensions"),
            ({"Q": Q, "K": K, "V": (1, *K)}, "V has 5 dimensions"),
            ({"Q": (1, 1, 2, 8), "K": (1, 1, 2, 8), "V": (1, 1, 2, 8)}, "a head size of 8"),
            ({"Q": (1, 1, 2, 0), "K": (1, 1, 2, 0), "V": (1, 1, 2, 0)}, "a head size of 0"),
            ({"Q": Q, "K": (2, 3, 0, 32), "V": K}, "V has a length of 7, but K has a length of 0"),
        ],
    )
    def test_shapes_that_do_not_fit(
        self, session: Any, shapes: dict[str, tuple[int, ...]], message: str
    ) -> None:
        with pytest.raises(Exception, match=r"CKFlashAttention node 'layer\.3': ") as caught:
            run(session, random(shapes))
        assert message in str(caught.value)
        for name, shape in shapes.items():
            assert f"{name} float32 [{','.join(map(str, shape))}]" in str(caught.value)

    def test_and_goes_on_working(self, session: Any) -> None:
        with pytest.raises(Exception, match="V has 2 dimensions"):
            run(session, random({"Q": Q, "K": K, "V": (3, 4)}))
        feed = random({"Q": Q, "K": K, "V": K})
        np.testing.assert_allclose(run(session, feed), expected(*feed.values()), atol=1e-5)


class TestShapes:
    @pytest.mark.parametrize("layout", ["BHSD", "BSHD"])
    def test_the_output_has_the_shape_of_q(self, layout: str) -> None:
        graph = model({"Q": ("b", 3, "s", 64), "K": ("b", 3, "s", 64), "V": None}, layout=layout)
        if layout == "BSHD":
            graph = model({"Q": ("b", "s", 3, 64), "K": None, "V": None}, layout=layout)
        wanted = ["b", 3, "s", 64] if layout == "BHSD" else ["b", "s", 3, 64]
        assert load(graph).get_outputs()[0].shape == wanted

    def test_a_dimension_without_a_name_stays_open_and_equals_no_other(self) -> None:
        shape = load(model({"Q": (None, 3, None, 64), "K": None, "V": None})).get_outputs()[0].shape
        assert shape[1::2] == [3, 64]
        assert shape[0] != shape[2]
        assert not {type(shape[0]), type(shape[2])} & {int}

    def test_nothing_is_made_up_where_not_even_the_rank_is_known(self) -> None:
        session = load(model({"Q": None, "K": None, "V": None}))
        assert session.get_outputs()[0].shape in ([], None)
        feed = random({"Q": Q, "K": K, "V": K})
        assert run(session, feed).shape == Q

    def test_later_nodes_know_the_shape(self) -> None:
        # Only so does ONNX Runtime know that Flatten gives 3 * 5 * 32 columns.
        nodes = [attention_node(), helper.make_node("Flatten", ["O"], ["F"], axis=1)]
        session = load(model({"Q": ("b", *Q[1:]), "K": None, "V": None}, nodes, outputs=["F"]))
        assert session.get_outputs()[0].shape == ["b", 480]

    def test_an_empty_dimension_is_not_an_error(self) -> None:
        session = load(model({"Q": None, "K": None, "V": None, "bias": None}))
        cases: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = [
            ((0, 3, 5, 32), (0, 3, 7, 32), (1, 1, 1, 7)),
            ((2, 0, 5, 32), (2, 0, 7, 32), (2, 0, 5, 7)),
            ((2, 3, 0, 32), (2, 3, 7, 32), (2, 1, 0, 7)),
            ((0, 2**27, 2**27, 32), (0, 2**27, 2**27, 32), (0, 1, 1, 2**27)),
            ((0, 2**52, 1, 128), (0, 2**52, 0, 128), (0, 1, 1, 0)),
        ]
        for q, k, bias in cases:
            output = run(session, random({"Q": q, "K": k, "V": k, "bias": bias}))
            assert output.shape == q

    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    def test_without_keys_all_is_zero(self, dtype: Any) -> None:
        kind = FLOAT if dtype == np.float32 else FLOAT16
        session = load(model({"Q": None, "K": None, "V": None}, kind=kind))
        for _ in range(3):
            # Fills the allocator's memory with something else than zeros.
            run(session, random({"Q": Q, "K": K, "V": K}, dtype))
            output = run(session, random({"Q": Q, "K": (2, 3, 0, 32), "V": (2, 3, 0, 32)}, dtype))
            assert output.dtype == dtype
            assert output.shape == Q
            assert not output.any()


class TestRuns:
    def test_both_layouts_agree(self) -> None:
        feed = random({"Q": (2, 3, 33, 64), "K": (2, 3, 65, 64), "V": (2, 3, 65, 64)})
        shapes = {name: array.shape for name, array in feed.items()}
        bhsd = run(load(model(shapes, window_size_left=20)), feed)
        swapped = {name: np.ascontiguousarray(x.swapaxes(1, 2)) for name, x in feed.items()}
        graph = model({n: x.shape for n, x in swapped.items()}, layout="BSHD", window_size_left=20)
        np.testing.assert_array_equal(run(load(graph), swapped).swapaxes(1, 2), bhsd)

    def test_a_bias_that_is_left_out_by_an_empty_name(self) -> None:
        feed = random({"Q": Q, "K": K, "V": K})
        shapes = {name: array.shape for name, array in feed.items()}
        plain = run(load(model(shapes)), feed)
        empty = run(load(model(shapes, [attention_node(("Q", "K", "V", ""))])), feed)
        np.testing.assert_array_equal(plain, empty)
        np.testing.assert_allclose(plain, expected(*feed.values()), atol=1e-5)

    @pytest.mark.parametrize("batch", [1, 2])
    @pytest.mark.parametrize("heads", [1, 3])
    @pytest.mark.parametrize("rows", [1, 5])
    def test_a_bias_is_broadcast(self, batch: int, heads: int, rows: int) -> None:
        feed = random({"Q": Q, "K": K, "V": K, "bias": (batch, heads, rows, 7)})
        session = load(model(dict.fromkeys(feed)))
        np.testing.assert_allclose(run(session, feed), expected(*feed.values()), atol=1e-5)

    @pytest.mark.parametrize("window", [2**63 - 1, 2**62, 7])
    def test_a_window_wider_than_the_sequence_is_none(self, window: int) -> None:
        feed = random({"Q": Q, "K": K, "V": K})
        wide = model(dict.fromkeys(feed), window_size_left=window, window_size_right=window)
        np.testing.assert_array_equal(
            run(load(wide), feed), run(load(model(dict.fromkeys(feed))), feed)
        )

    def test_scale_defaults_to_one_over_the_root_of_the_head_size(self) -> None:
        feed = random({"Q": (1, 1, 4, 64), "K": (1, 1, 9, 64), "V": (1, 1, 9, 64)})
        default = run(load(model(dict.fromkeys(feed))), feed)
        np.testing.assert_array_equal(
            run(load(model(dict.fromkeys(feed), scale=0.125)), feed), default
        )
        assert (run(load(model(dict.fromkeys(feed), scale=0.25)), feed) != default).any()

    def test_float16_between_nodes_that_have_none(self) -> None:
        # Softplus has no float16 kernel on the CPU: ONNX Runtime puts casts around it.
        nodes = [
            helper.make_node("Softplus", ["Q"], ["P"]),
            attention_node(("P", "K", "V")),
            helper.make_node("Softplus", ["O"], ["R"]),
        ]
        feed = random({"Q": Q, "K": K, "V": K}, np.float16)
        session = load(model(dict.fromkeys(feed), nodes, kind=FLOAT16, outputs=["R"]))
        q, k, v = (array.astype(np.float64) for array in feed.values())
        wanted = np.log1p(np.exp(expected(np.log1p(np.exp(q)), k, v)))
        output = run(session, feed)
        assert output.dtype == np.float16
        np.testing.assert_allclose(output, wanted, atol=4e-3)

    def test_a_padding_bias_as_published_float16_graphs_make_it(self) -> None:
        axes = helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2])
        one, lowest = (helper.make_tensor("c", FLOAT16, [], [x]) for x in (1.0, -65504.0))
        nodes = [
            helper.make_node("Constant", [], ["one"], value=one),
            helper.make_node("Constant", [], ["lowest"], value=lowest),
            helper.make_node("Constant", [], ["axes"], value=axes),
            helper.make_node("Cast", ["mask"], ["kept"], to=FLOAT16),
            helper.make_node("Sub", ["one", "kept"], ["padding"]),
            helper.make_node("Mul", ["padding", "lowest"], ["row"]),
            helper.make_node("Unsqueeze", ["row", "axes"], ["bias"]),
            attention_node(
                ("Q", "K", "V", "bias"), scale=0.125, window_size_left=-1, window_size_right=-1
            ),
        ]
        feed = random(dict.fromkeys("QKV", (2, 3, 9, 64)), np.float16)
        feed["mask"] = (np.arange(9) < np.array([[9], [4]])).astype(np.int64)
        shapes: dict[str, Shape] = dict.fromkeys("QKV", ("b", 3, "s", 64))
        shapes["mask"] = ("b", "s")
        graph = model(shapes, nodes, kinds={"mask": TensorProto.INT64}, kind=FLOAT16)
        output = run(load(graph), feed)
        for row, length in enumerate((9, 4)):
            q, k, v = (feed[name][row : row + 1].astype(np.float64) for name in "QKV")
            wanted = expected(q, k[:, :, :length], v[:, :, :length])
            np.testing.assert_allclose(output[row : row + 1], wanted, atol=4e-3)

    def test_twice_in_a_graph_with_other_attributes(self) -> None:
        nodes = [
            attention_node(output="first", name="layer.2"),
            attention_node(("first", "K", "V"), scale=0.5, window_size_left=0, window_size_right=0),
        ]
        feed = random({"Q": Q, "K": Q, "V": Q})
        # The second one sees the key at its own place alone.
        output = run(load(model(dict.fromkeys(feed), nodes, outputs=["O"])), feed)
        np.testing.assert_allclose(output, feed["V"], atol=1e-6)

    def test_in_the_branches_of_an_if(self) -> None:
        def branch(name: str, **attributes: Any) -> Any:
            output = helper.make_tensor_value_info(name, FLOAT, None)
            return helper.make_graph(
                [attention_node(output=name, **attributes)], name, [], [output]
            )

        node = helper.make_node(
            "If",
            ["condition"],
            ["O"],
            then_branch=branch("full"),
            else_branch=branch("own", window_size_left=0, window_size_right=0),
        )
        shapes: dict[str, Shape] = {"Q": Q, "K": Q, "V": Q, "condition": ()}
        session = load(model(shapes, [node], kinds={"condition": TensorProto.BOOL}))
        feed = random({"Q": Q, "K": Q, "V": Q})
        full = run(session, feed | {"condition": np.array(True)})
        np.testing.assert_allclose(full, expected(*feed.values()), atol=1e-5)
        own = run(session, feed | {"condition": np.array(False)})
        np.testing.assert_allclose(own, feed["V"], atol=1e-6)

    def test_of_constants(self) -> None:
        # ONNX Runtime may compute such a node while it loads the model, without its threads.
        feed = random({"Q": Q, "K": K, "V": K})
        constants = [
            helper.make_node("Constant", [], [n], value=helper.make_tensor(n, FLOAT, x.shape, x))
            for n, x in feed.items()
        ]
        output = run(load(model({}, [*constants, attention_node()])), {})
        np.testing.assert_allclose(output, expected(*feed.values()), atol=1e-5)

    def test_an_output_that_is_left_out_is_not_computed(self) -> None:
        nodes = [attention_node(output=""), helper.make_node("Identity", ["Q"], ["I"])]
        feed = random({"Q": Q, "K": K, "V": K})
        output = run(load(model(dict.fromkeys(feed), nodes, outputs=["I"])), feed)
        np.testing.assert_array_equal(output, feed["Q"])

    def test_one_session_from_many_threads(self) -> None:
        session = load(model({"Q": None, "K": None, "V": None}), threads=2)
        lengths = [1, 3, 64, 130, 257] * 8
        feeds = [
            random({"Q": (1, 4, n, 32), "K": (1, 4, n + 5, 32), "V": (1, 4, n + 5, 32)})
            for n in lengths
        ]
        alone = [run(session, feed) for feed in feeds]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda feed: run(session, feed), feeds))
        for one, other in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_as_many_threads_as_wanted(self) -> None:
        feed = random({"Q": (2, 5, 70, 64), "K": (2, 5, 90, 64), "V": (2, 5, 90, 64)})
        graph = model(dict.fromkeys(feed))
        one = run(load(graph, threads=1), feed)
        np.testing.assert_array_equal(run(load(graph, threads=4), feed), one)

    def test_sessions_of_one_process_share_the_library(self) -> None:
        feed = random({"Q": Q, "K": K, "V": K})
        graph = model(dict.fromkeys(feed))
        sessions = [load(graph) for _ in range(3)]
        outputs = [run(session, feed) for session in sessions]
        del sessions[1]
        outputs.append(run(load(graph), feed))
        outputs.append(run(sessions[0], feed))
        for output in outputs[1:]:
            np.testing.assert_array_equal(output, outputs[0])


# ---- The library itself --------------------------------------------------------------------------

CreateStatus = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
GetApi = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint32)
GetVersionString = ctypes.CFUNCTYPE(ctypes.c_void_p)


class OrtApiBase(ctypes.Structure):
    """ONNX Runtime's own structure of that name."""

    _fields_ = [("get_api", GetApi), ("get_version_string", GetVersionString)]


def register_with(version: bytes | None, served: set[int]) -> tuple[Any, list[Any], list[int]]:
    """Register with an ONNX Runtime that serves these versions of its API.

    Its API is one function long: it makes statuses, as every version's first function does.

    Returns:
        The status; code and text of those that were made; the versions that were asked for.
    """
    made: list[Any] = []
    asked: list[int] = []

    def create_status(code: int, text: bytes) -> int:
        made.append((code, text.decode()))
        return 0xABC

    def get_api(number: int) -> int | None:
        asked.append(number)
        return ctypes.addressof(api) if number in served else None

    function = CreateStatus(create_status)
    api = (ctypes.c_void_p * 1)(ctypes.cast(function, ctypes.c_void_p))
    text = ctypes.c_char_p(version)
    address = ctypes.cast(text, ctypes.c_void_p).value
    base = OrtApiBase(GetApi(get_api), GetVersionString(lambda: address))
    register = ctypes.CDLL(str(library())).RegisterCustomOps
    register.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    register.restype = ctypes.c_void_p
    return register(None, ctypes.byref(base)), made, asked


@pytest.mark.parametrize(
    ("version", "served"),
    [
        (b"1.16.3", set(range(1, 17))),  # too old
        (b"1.3.0", {1, 2, 3}),
        (b"1.99.0", set(range(50, 100))),  # of a future that has dropped what we need
        (b"nightly", set(range(1, 10))),
        (None, {1}),
    ],
)
def test_an_onnxruntime_without_our_api_fails_the_registration(
    version: bytes | None, served: set[int]
) -> None:
    status, made, asked = register_with(version, served)
    assert status == 0xABC
    ((code, text),) = made
    assert code != 0
    assert "does not serve version 17 of its API" in text
    assert "use ONNX Runtime 1.17 or later" in text
    assert (version or b"of unknown version").decode() in text
    assert asked[0] == 17
    assert asked[-1] == max(served)


def test_an_onnxruntime_that_serves_nothing_is_told_of_on_stderr(
    capfd: pytest.CaptureFixture[str],
) -> None:
    _, made, _ = register_with(b"1.0.0", set())
    assert made == []
    assert "ONNX Runtime 1.0.0 does not serve version 17" in capfd.readouterr().err


def test_only_the_entry_points_are_exported() -> None:
    listing = subprocess.run(
        ["nm", "--dynamic", "--defined-only", str(library())],
        check=True,
        capture_output=True,
        text=True,
    )
    names = {line.split()[-1] for line in listing.stdout.splitlines()}
    assert names == {"RegisterCustomOps", "CKFlashAttentionInstructionSet"}


def test_it_needs_neither_a_certain_onnxruntime_nor_rocm_nor_its_build_folder() -> None:
    listing = subprocess.run(
        ["readelf", "--dynamic", str(library())], check=True, capture_output=True, text=True
    )
    needed = {
        line.split("[")[1].rstrip("]") for line in listing.stdout.splitlines() if "NEEDED" in line
    }
    assert not {name for name in needed if name.startswith(("libonnxruntime", "libamdhip"))}
    assert str(ROOT) not in listing.stdout
