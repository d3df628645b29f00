"""The graph rewriter on encoders written by hand: masks, refusals, the proof, the files."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pointsman import paths
from pointsman.errors import ProofError, RewriteError, UnsupportedModelError
from pointsman.rewrite import masks, proof, rewrite
from pointsman.rewrite.fusion import Fused
from pointsman.rewrite.masks import MaskTerm, Meaning, UnexplainedMaskError, explain, visible
from pointsman.rewrite.runs import Inputs
from tests.encoder_graphs import (
    VOCABULARY,
    Builder,
    add_band,
    choose_band,
    encoder,
    hide_padding,
)

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("pointsman")
LOWEST = float(np.finfo(np.float32).min)
Bools = NDArray[np.bool_]


@pytest.fixture(scope="module")
def library() -> Path:
    subprocess.run([str(ROOT / "scripts" / "build_kernels")], check=True)
    return paths.kernels() / paths.ATTENTION_LIBRARY


@pytest.fixture
def save(tmp_path: Path) -> Callable[[onnx.ModelProto], Path]:
    def write(graph: onnx.ModelProto) -> Path:
        path = tmp_path / "model.onnx"
        onnx.save(graph, str(path))
        return path

    return write


Save = Callable[[onnx.ModelProto], Path]


def run(
    path: Path, feeds: dict[str, Any], library: Path | None = None, output: str = "logits"
) -> NDArray[Any]:
    options = onnxruntime.SessionOptions()
    if library is not None:
        options.register_custom_ops_library(str(library))
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run([output], feeds)[0])


def band(tokens: int, left: int, right: int) -> Bools:
    distance = np.arange(tokens)[None, :] - np.arange(tokens)[:, None]
    seen = np.ones((tokens, tokens), bool)
    if left >= 0:
        seen &= distance >= -left
    if right >= 0:
        seen &= distance <= right
    return seen


# ---- What a mask means --------------------------------------------------------------------------


@st.composite
def observations(draw: st.DrawFn) -> tuple[Meaning, list[tuple[masks.Ints, Bools]]]:
    """A meaning, and what a graph that computes it lets tokens see at growing lengths."""
    width = st.one_of(st.just(-1), st.integers(0, 30))
    left, right = draw(width), draw(width)
    # A token that sees itself alone sees no padding.
    meaning = Meaning(left, right, draw(st.booleans()) and (left, right) != (0, 0))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seen = []
    for tokens in (1, 4, 9, draw(st.integers(33, 70)), 90):
        mask = masks.paddings(rng, 5, tokens)
        real = mask.astype(bool)
        view = np.broadcast_to(band(tokens, meaning.left, meaning.right), (5, tokens, tokens))
        if meaning.padding:
            view = view & real[:, None, :]
        # What tokens that are padding see is nobody's business.
        view = np.where(real[:, :, None], view, rng.integers(0, 2, view.shape).astype(bool))
        seen.append((mask, view))
    return meaning, seen


@given(observations())
def test_bands_and_paddings_are_recovered(
    case: tuple[Meaning, list[tuple[masks.Ints, Bools]]],
) -> None:
    meaning, seen = case
    assert explain(seen) == meaning


@given(observations(), st.data())
def test_one_key_more_or_less_is_not_explained(
    case: tuple[Meaning, list[tuple[masks.Ints, Bools]]], data: st.DataObject
) -> None:
    """Changed in a place that is looked at: before a band is certain."""
    _, seen = case
    mask, view = seen[2]
    row, query = data.draw(st.sampled_from(np.argwhere(mask == 1).tolist()))
    key = data.draw(st.integers(0, mask.shape[1] - 1))
    view = view.copy()
    view[row, query, key] ^= True
    changed = [*seen[:2], (mask, view), *seen[3:]]
    with pytest.raises(UnexplainedMaskError):
        explain(changed)


def test_a_window_is_looked_for_until_the_length_exceeds_it() -> None:
    def look(tokens: int) -> tuple[masks.Ints, Bools]:
        return np.ones((1, tokens), np.int64), band(tokens, 1000, 1000)[None]

    assert explain(map(look, (1, 16, 260))) == Meaning(-1, -1, False)
    assert explain(map(look, (1, 16, 260, 1100))) == Meaning(1000, 1000, False)


@pytest.mark.parametrize(
    ("kind", "array", "factor"),
    [
        ("add", [0.0, -np.inf, -1e4, LOWEST], 1.0),
        ("add", np.array([0.0, -np.inf, -65504, -10000], np.float16), 1.0),
        ("add", [0.0, -np.inf, -1e5, LOWEST], 0.125),
        ("keep", [True, False, False, False], 1.0),
        ("keep", [1, 0, 0, 0], 1.0),
        ("drop", [False, True, True, True], 1.0),
    ],
)
def test_forms_of_a_mask(kind: str, array: Any, factor: float) -> None:
    seen = visible(MaskTerm("m", kind, factor), np.array(array), 2, 4)
    assert seen.shape == (2, 4, 4)
    assert (seen == [True, False, False, False]).all()


@pytest.mark.parametrize("number", [-1.0, 1.0, -9000.0, np.inf, np.nan])
def test_numbers_that_only_lower_a_score(number: float) -> None:
    with pytest.raises(UnexplainedMaskError, match="neither keeps nor hides"):
        visible(MaskTerm("m", "add"), np.array([0.0, number]), 1, 2)


def test_heads_that_see_different_keys() -> None:
    array = np.stack([np.ones((4, 4), bool), np.eye(4, dtype=bool)])
    with pytest.raises(UnexplainedMaskError, match="every head"):
        visible(MaskTerm("m", "keep"), array, 1, 4)


# ---- Whole graphs -------------------------------------------------------------------------------

GRAPHS = {
    "no mask": (None, Meaning(-1, -1, False)),
    "padding": (hide_padding, Meaning(-1, -1, True)),
    "added window": (add_band(6, 6), Meaning(6, 6, True)),
    "window of -10000": (add_band(5, 40, -1e4), Meaning(5, 40, True)),
    "chosen window": (choose_band(0, 7), Meaning(0, 7, True)),
    "causal": (choose_band(10**6, 0), Meaning(-1, 0, True)),
    "wide window": (choose_band(300, 300), Meaning(300, 300, True)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_keeps_its_logits(name: str, save: Save, tmp_path: Path, library: Path) -> None:
    mask, meaning = GRAPHS[name]
    source, target = save(encoder(mask)), tmp_path / "out.onnx"
    summary = rewrite(source, target, library=library)
    (layer,) = summary.layers
    assert Meaning(layer.window_left, layer.window_right, layer.padding) == meaning
    assert layer.layout == "BSHD"
    kinds = [node.op_type for node in onnx.load(str(target)).graph.node]
    assert kinds.count("CKFlashAttention") == 1
    assert not {"Softmax", "Transpose", "Range", "And"} & {*kinds}
    rng = np.random.default_rng(1)
    lengths = np.array([23, 640, 1])
    attention_mask = (np.arange(640) < lengths[:, None]).astype(np.int64)
    feeds = {"input_ids": rng.integers(0, VOCABULARY, (3, 640)), "attention_mask": attention_mask}
    wanted, found = run(source, feeds), run(target, feeds, library)
    assert np.isfinite(found).all()
    wanted, found = wanted[attention_mask == 1], found[attention_mask == 1]
    assert np.abs(wanted - found).max() <= 1e-5 * np.ptp(wanted)


def test_what_else_the_model_holds_is_kept(save: Save, tmp_path: Path, library: Path) -> None:
    before = encoder(hide_padding)
    rewrite(save(before), tmp_path / "out.onnx", library=library)
    after = onnx.load(str(tmp_path / "out.onnx"))
    assert list(after.metadata_props) == list(before.metadata_props)
    assert list(after.graph.input) == list(before.graph.input)
    assert list(after.graph.output) == list(before.graph.output)
    assert {entry.domain: entry.version for entry in after.opset_import} == {"": 17, "com.ck": 1}
    used = {name for node in after.graph.node for name in node.input}
    assert {tensor.name for tensor in after.graph.initializer} <= used


def test_inputs_of_a_fixed_shape(save: Save, tmp_path: Path, library: Path) -> None:
    graph = encoder(add_band(3, 2), pooled=True)
    for value in graph.graph.input:
        for dimension, size in zip(value.type.tensor_type.shape.dim, (1, 24), strict=True):
            dimension.dim_value = size
    summary = rewrite(save(graph), tmp_path / "out.onnx", library=library)
    (layer,) = summary.layers
    assert (layer.window_left, layer.window_right, layer.padding) == (3, 2, True)
    assert {*summary.difference.runs} == {(1, 24)}


def test_a_product_that_is_read_twice_gets_its_transpose_back(
    save: Save, tmp_path: Path, library: Path
) -> None:
    """An output [B, H, S, D] beside the Transpose of it."""
    graph = encoder(hide_padding)
    product = next(node for node in graph.graph.node if "softmax" in node.input)
    graph.graph.output.append(
        helper.make_tensor_value_info(product.output[0], TensorProto.FLOAT, ["b", 2, "s", 32])
    )
    rewrite(save(graph), tmp_path / "out.onnx", library=library)
    names = [value.name for value in onnx.load(str(tmp_path / "out.onnx")).graph.output]
    assert names == ["logits", product.output[0]]


def test_the_shape_of_a_product_does_not_keep_it(save: Save, tmp_path: Path, library: Path) -> None:
    """Exporters compute the next Reshape from it, whole or in part."""
    graph = encoder(hide_padding)
    product = next(node for node in graph.graph.node if "softmax" in node.input).output[0]
    outputs = {"whole": {}, "part": {"start": 1, "end": -1}, "last": {"start": -1}}
    for name, attributes in outputs.items():
        graph.graph.node.append(helper.make_node("Shape", [product], [name], **attributes))
        graph.graph.output.append(helper.make_tensor_value_info(name, TensorProto.INT64, [None]))
    target = tmp_path / "out.onnx"
    rewrite(save(graph), target, library=library)
    assert not {"Softmax", "Transpose"} & {
        node.op_type for node in onnx.load(str(target)).graph.node
    }
    ids = np.ones((3, 7), np.int64)
    feeds = {"input_ids": ids, "attention_mask": ids}
    assert run(target, feeds, library, "whole").tolist() == [3, 2, 7, 32]
    assert run(target, feeds, library, "part").tolist() == [2, 7]
    assert run(target, feeds, library, "last").tolist() == [32]


def test_external_data_is_taken_in(save: Save, tmp_path: Path, library: Path) -> None:
    graph = encoder(hide_padding)
    source = tmp_path / "model.onnx"
    onnx.save(graph, str(source), save_as_external_data=True, location="weights", size_threshold=16)
    target = tmp_path / "elsewhere" / "out.onnx"
    target.parent.mkdir()
    rewrite(source, target, library=library)
    onnx.load(str(target))
    assert [path.name for path in target.parent.iterdir()] == ["out.onnx"]


# ---- Refusals -----------------------------------------------------------------------------------


def alibi(build: Builder, scores: str) -> str:
    query, key = build.positions()
    distance = build("Cast", build("Abs", build("Sub", key, query)), to=TensorProto.FLOAT)
    slopes = build("Mul", distance, build.constant(-0.5), name="slopes")
    return build("Add", scores, slopes)


def soft_cap(build: Builder, scores: str) -> str:
    return hide_padding(build, build("Tanh", scores, name="cap"))


def blocks(build: Builder, scores: str) -> str:
    query, key = build.positions()
    size = build.constant(8, np.int64)
    same = build("Equal", build("Div", query, size), build("Div", key, size), name="blocks")
    return build("Where", same, scores, build.constant(-np.inf))


def half_of_the_length(build: Builder, scores: str) -> str:
    query, key = build.positions()
    tokens = build("Gather", build("Shape", "input_ids"), build.constant(1, np.int64), axis=0)
    half = build("Div", tokens, build.constant(2, np.int64))
    near = build("LessOrEqual", build("Abs", build("Sub", key, query)), half, name="near")
    return build("Where", near, scores, build.constant(-np.inf))


def hide_token_7(build: Builder, scores: str) -> str:
    hidden = build("Equal", "input_ids", build.constant(7, np.int64))
    hidden = build("Unsqueeze", hidden, build.constant([1, 2], np.int64), name="token_7")
    return build("Where", hidden, build.constant(-np.inf), scores)


def scaled_by_token(build: Builder, scores: str) -> str:
    weights = build("Cast", "attention_mask", to=TensorProto.FLOAT)
    weights = build("Unsqueeze", weights, build.constant([1, 2], np.int64))
    return build("Mul", scores, weights, name="by_token")


def head_mask(build: Builder, weights: str) -> str:
    return build("Mul", weights, build.constant(np.ones((1, 2, 1, 1))), name="head_mask")


def renamed(old: str, new: str) -> onnx.ModelProto:
    graph = encoder(hide_padding)
    for value in graph.graph.input:
        value.name = new if value.name == old else value.name
    for node in graph.graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new
    return graph


def with_domain(domain: str, kind: str) -> onnx.ModelProto:
    graph = encoder(hide_padding)
    node = next(node for node in graph.graph.node if node.op_type == "Softmax")
    node.op_type, node.domain = kind, domain
    graph.opset_import.append(helper.make_opsetid(domain, 1))
    return graph


REFUSALS: dict[str, tuple[Callable[[], onnx.ModelProto], list[str]]] = {
    "distance bias": (lambda: encoder(alibi), ["Mul node 'slopes'", "neither keeps nor hides"]),
    "soft cap": (lambda: encoder(soft_cap), ["Tanh node 'cap'", "not known"]),
    "blocks": (lambda: encoder(blocks), ["Equal node 'blocks'", "not a band"]),
    "relative": (lambda: encoder(half_of_the_length), ["LessOrEqual node 'near'", "sees"]),
    "by content": (lambda: encoder(hide_token_7), ["Unsqueeze node 'token_7'"]),
    "by token": (lambda: encoder(scaled_by_token), ["Mul node 'by_token'", "one constant number"]),
    "head mask": (lambda: encoder(after=head_mask), ["Mul node 'head_mask'", "weights"]),
    "weights out": (
        lambda: encoder(outputs=("logits", "softmax")),
        ["Softmax node 'softmax'", "output of the model"],
    ),
    "head size": (lambda: encoder(head_size=48), ["Softmax node 'softmax'", "size 48", "128"]),
    "wrong axis": (lambda: encoder(axis=2), ["Softmax node 'softmax'", "axis"]),
    "negative scale": (lambda: encoder(scale=-1.0), ["Softmax node 'softmax'", "scaled by"]),
    "no ids": (lambda: renamed("input_ids", "tokens"), ["'tokens'", "input_ids"]),
    "odd input": (lambda: renamed("attention_mask", "weights"), ["'weights'", "attention_mask"]),
    "rewritten": (
        lambda: with_domain("com.ck", "CKFlashAttention"),
        ["com.ck::CKFlashAttention node 'softmax'", "already"],
    ),
    "fused": (
        lambda: with_domain("com.microsoft", "MultiHeadAttention"),
        ["com.microsoft::MultiHeadAttention node 'softmax'", "as it was exported"],
    ),
    "unknown op": (lambda: with_domain("org.nowhere", "Softmax"), ["ONNX Runtime refuses it"]),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_not_known_is_named(name: str, save: Save, tmp_path: Path, library: Path) -> None:
    make, words = REFUSALS[name]
    with pytest.raises(UnsupportedModelError) as error:
        rewrite(save(make()), tmp_path / "out.onnx", library=library)
    for word in words:
        assert word in str(error.value)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_a_model_without_attention(save: Save, tmp_path: Path, library: Path) -> None:
    graph = encoder(hide_padding)
    for node in graph.graph.node:
        if node.op_type == "Softmax":
            node.op_type = "Sigmoid"
            del node.attribute[:]
    with pytest.raises(UnsupportedModelError, match="no attention found"):
        rewrite(save(graph), tmp_path / "out.onnx", library=library)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x08"])
def test_a_file_that_is_no_model(content: bytes, tmp_path: Path, library: Path) -> None:
    source = tmp_path / "model.onnx"
    source.write_bytes(content)
    with pytest.raises(UnsupportedModelError, match="not an ONNX model"):
        rewrite(source, tmp_path / "out.onnx", library=library)


def test_a_file_that_is_not_there(tmp_path: Path, library: Path) -> None:
    with pytest.raises(UnsupportedModelError, match=r"cannot read .*absent\.onnx"):
        rewrite(tmp_path / "absent.onnx", tmp_path / "out.onnx", library=library)


def test_weights_beyond_what_one_file_holds(save: Save, tmp_path: Path, library: Path) -> None:
    graph = encoder(hide_padding)
    weights = graph.graph.initializer.add()
    weights.CopyFrom(numpy_helper.from_array(np.zeros(1, np.float32), "huge"))
    weights.ClearField("raw_data")
    weights.dims[:] = [2**16, 2**14]
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="huge.bin")
    source = tmp_path / "model.onnx"
    source.write_bytes(graph.SerializeToString())
    with pytest.raises(UnsupportedModelError, match=r"4\.0 GiB of external data"):
        rewrite(source, tmp_path / "out.onnx", library=library)


# ---- The proof ----------------------------------------------------------------------------------


def tampered(change: Callable[[Meaning], Meaning]) -> Callable[..., list[Meaning]]:
    right = masks.meanings

    def wrong(*arguments: Any) -> list[Meaning]:
        return [change(meaning) for meaning in right(*arguments)]

    return wrong


@pytest.mark.parametrize(
    "change",
    [
        lambda known: Meaning(known.left + 1, known.right, known.padding),
        lambda known: Meaning(known.left, known.right - 1, known.padding),
        lambda known: Meaning(-1, -1, known.padding),
        lambda known: Meaning(known.left, known.right, False),
    ],
    ids=["wider", "narrower", "unlimited", "padding seen"],
)
def test_a_wrong_window_is_not_written(
    change: Callable[[Meaning], Meaning],
    save: Save,
    tmp_path: Path,
    library: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = save(encoder(add_band(6, 6)))
    monkeypatch.setattr(masks, "meanings", tampered(change))
    with pytest.raises(ProofError, match=r"Softmax node 'softmax'.* differs by \d.* allowed"):
        rewrite(source, tmp_path / "out.onnx", library=library)
    # Without the comparison of each attention, that of the outputs tells.
    monkeypatch.setattr(proof, "layer_difference", lambda *_, **__: 0.0)
    with pytest.raises(ProofError, match=r"outputs differ by .*allowed"):
        rewrite(source, tmp_path / "out.onnx", library=library)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_an_attention_that_gives_nan_once_is_not_written(
    save: Save, tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = save(encoder(add_band(6, 6)))
    once = itertools.chain([np.nan], itertools.repeat(0.0))
    monkeypatch.setattr(proof, "layer_difference", lambda *_, **__: next(once))
    with pytest.raises(ProofError, match=r"Softmax node 'softmax'.* differs by nan"):
        rewrite(source, tmp_path / "out.onnx", library=library)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_nan_in_an_attention_is_a_difference() -> None:
    values = np.ones((1, 2, 3, 4), np.float32)
    broken = values.copy()
    broken[0, 1, 2, 3] = np.nan
    assert np.isnan(proof.layer_difference(np.ones((1, 3), np.int64), values, broken, bshd=False))


def test_differences_of_padding_are_not_counted() -> None:
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    wanted = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    found = wanted.copy()
    found[mask == 0] = 100
    assert proof.output_difference([(mask, [wanted], [found])]) == (0, 0)
    found[0, 1, 0] += 2
    relative, absolute = proof.output_difference([(mask, [wanted], [found])])
    assert absolute == 2
    assert relative == pytest.approx(2 / 7)


def test_outputs_that_are_not_finite() -> None:
    mask = np.ones((1, 2), np.int64)
    wanted = np.zeros((1, 2, 3), np.float32)
    with pytest.raises(ProofError, match="not finite"):
        proof.output_difference([(mask, [wanted], [np.full_like(wanted, np.nan)])])


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_the_proof_looks_past_the_window_and_at_one_token(batch: int | None) -> None:
    inputs = Inputs(
        {"input_ids": np.dtype(np.int64), "attention_mask": np.dtype(np.int64)}, 9, batch, None
    )
    layer = Fused(onnx.NodeProto(), "op", "BSHD", "o", Meaning(64, 64, True), False)
    seen = list(proof.cases(np.random.default_rng(0), inputs, [layer]))
    lengths = {mask.shape[1] for mask in seen}
    assert 1 in lengths
    assert any(tokens > 2 * 64 for tokens in lengths if tokens < 500)
    assert any((mask == 0).any() for mask in seen)
    assert any((mask == 1).all(axis=1).any() for mask in seen if mask.shape[1] > 2 * 64)
    assert all((mask[:, 0] == 1).all() for mask in seen)
    if batch is not None:
        assert {len(mask) for mask in seen} == {batch}


# ---- The command and its files ------------------------------------------------------------------


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [COMMAND, "rewrite", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )
    assert "Traceback" not in done.stderr
    return done


def test_the_command_tells_what_it_did(save: Save, tmp_path: Path, library: Path) -> None:
    done = command(save(encoder(add_band(6, 4))), tmp_path / "out.onnx", "--library", library)
    assert done.returncode == 0, done.stderr
    for word in ("softmax", "6 back, 4 ahead", "key padding", "BSHD", "nodes", "bytes", "allowed"):
        assert word in done.stdout
    assert re.search(r"differ\s.*\de-\d\d", done.stdout)
    assert onnx.load(str(tmp_path / "out.onnx")).graph.node


def test_a_model_replaced_in_place(save: Save, tmp_path: Path, library: Path) -> None:
    source = save(encoder(hide_padding))
    done = command(source, source, "--compute-type", "bfloat16")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    again = command(source, source)
    assert again.returncode == 6
    assert "already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["absent.onnx", "out.onnx"], 6, "cannot read absent.onnx"),
        (["MODEL", "absent/out.onnx"], 6, "cannot write absent/out.onnx"),
        (["MODEL", "out.onnx", "--library", "absent.so"], 5, "no op library absent.so"),
        (["MODEL", "out.onnx", "--library", "MODEL"], 5, "is not an op library"),
        (["MODEL", "out.onnx", "--compute-type", "int8"], 2, "float32"),
        (["MODEL"], 2, "Missing argument"),
    ],
)
def test_a_complaint_is_one_line_and_an_exit_code(
    arguments: list[str],
    code: int,
    word: str,
    save: Save,
    tmp_path: Path,
    library: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = save(encoder(hide_padding))
    monkeypatch.chdir(tmp_path)
    done = command(*[str(source) if item == "MODEL" else item for item in arguments])
    assert done.returncode == code
    assert word in done.stderr
    if code != 2:
        assert len(done.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_the_extra(package: str, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv[1:] = ['rewrite', 'a', 'b']; "
        "from pointsman.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 5
    assert f"no Python package {package}: pip install 'pointsman[rewrite]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_failed_write_leaves_the_old_file(
    save: Save, tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = save(encoder(hide_padding)), tmp_path / "out.onnx"
    target.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RewriteError, match="No space left"):
        rewrite(source, target, library=library)
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "out.onnx"}
