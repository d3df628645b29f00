"""The rewriter on what the exporters really write, against what PyTorch computes."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from pointsman import paths
from pointsman.errors import UnsupportedModelError
from pointsman.rewrite import Summary, rewrite
from tests.export.exporting import VOCABULARY, Export, export, logits

ROOT = Path(__file__).parents[2]
HALF = torch.float16
GLOBAL, LOCAL = (-1, -1), (12, 12)
# Largest difference from PyTorch's logits, relative to their spread.
TOLERANCE = {torch.float32: 2e-5, HALF: 1e-2}

TORCHSCRIPT = [
    Export("bert", False, "eager"),
    Export("bert", False, "eager", HALF, head_size=64),
    Export("bert", False, "sdpa", task="TokenClassification"),
    Export("distilbert", False, "sdpa"),
    Export("roberta", False, "eager", head_size=64),
    Export("electra", False, "eager"),
    Export("nomic", False, "sdpa"),
    Export("modernbert", False, "eager", head_size=64),
    Export("modernbert", False, "eager", HALF),
    Export("modernbert", False, "sdpa", task="TokenClassification"),
]
DYNAMO = [
    Export("bert", True, "sdpa"),
    Export("modernbert", True, "eager", task="TokenClassification"),
    Export("modernbert", True, "sdpa", HALF),
]


@pytest.fixture(scope="session")
def library() -> Path:
    subprocess.run([str(ROOT / "scripts" / "build_kernels")], check=True)
    return paths.kernels() / paths.ATTENTION_LIBRARY


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "rewritten.onnx"


def run(path: Path, library: Path, ids: Any, mask: Any) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(str(library))
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (found,) = session.run(["logits"], {"input_ids": ids, "attention_mask": mask})
    return np.asarray(found, np.float32)


def assert_computes(path: Path, library: Path, model: torch.nn.Module, tolerance: float) -> None:
    """The file's logits are PyTorch's, on padded batches longer than the window."""
    rng = np.random.default_rng(3)
    for lengths in ([1], [70, 43, 2], [33, 90]):
        ids = rng.integers(3, VOCABULARY, (len(lengths), max(lengths)))
        mask = (np.arange(max(lengths)) < np.array(lengths)[:, None]).astype(np.int64)
        wanted, found = logits(model, ids, mask), run(path, library, ids, mask)
        assert wanted.shape == found.shape
        if wanted.ndim == 3:
            wanted, found = wanted[mask == 1], found[mask == 1]
        assert np.abs(wanted - found).max() <= tolerance * np.ptp(wanted)


def windows(how: Export) -> list[tuple[int, int]]:
    """What the layers of the model see."""
    every = [GLOBAL, LOCAL, LOCAL] if how.family == "modernbert" else [GLOBAL, GLOBAL, GLOBAL]
    return every[: how.layers]


def assert_fused(path: Path, summary: Summary, expected: list[tuple[int, int]]) -> None:
    """Every layer is one op with its window, in place of the Transposes and of the mask."""
    assert [(layer.window_left, layer.window_right) for layer in summary.layers] == expected
    assert all(layer.padding and layer.layout == "BSHD" for layer in summary.layers)
    nodes = onnx.load(str(path)).graph.node
    kinds = Counter(node.op_type for node in nodes)
    assert kinds["CKFlashAttention"] == len(expected)
    for gone in ("Softmax", "IsNaN", "GatherND", "Attention"):
        assert kinds[gone] == 0
    made = {name: node for node in nodes for name in node.output}
    for node in nodes:
        if node.op_type == "CKFlashAttention":
            for name in node.input[:3]:
                assert made[name].op_type != "Transpose"


@pytest.mark.parametrize("how", [*TORCHSCRIPT, *DYNAMO], ids=str)
def test_an_export_keeps_its_logits(
    how: Export, tmp_path: Path, library: Path, target: Path
) -> None:
    source = tmp_path / "model.onnx"
    model = export(how, source)
    summary = rewrite(source, target, library=library)
    assert_fused(target, summary, windows(how))
    assert_computes(target, library, model, TOLERANCE[how.dtype])


def test_the_attention_operator_of_opset_23(tmp_path: Path, library: Path, target: Path) -> None:
    source = tmp_path / "model.onnx"
    how = Export("bert", True, "sdpa")
    model = export(how, source, opset=23)
    assert any(node.op_type == "Attention" for node in onnx.load(str(source)).graph.node)
    summary = rewrite(source, target, library=library)
    assert_fused(target, summary, windows(how))
    assert_computes(target, library, model, 2e-5)


def test_an_export_from_an_unpadded_example(tmp_path: Path, library: Path, target: Path) -> None:
    how = Export("modernbert", False, "sdpa")
    model = export(how, tmp_path / "model.onnx", padded=False)
    summary = rewrite(tmp_path / "model.onnx", target, library=library)
    assert_fused(target, summary, windows(how))
    assert_computes(target, library, model, 2e-5)


@pytest.mark.parametrize("quantised_attention", [False, True])
def test_a_dynamically_quantised_model(
    quantised_attention: bool, tmp_path: Path, library: Path, target: Path
) -> None:
    """Integer products of weights stay; those inside the attention become the op."""
    how = Export("modernbert", False, "eager")
    model = export(how, tmp_path / "fp32.onnx")
    quantize_dynamic(
        str(tmp_path / "fp32.onnx"),
        str(tmp_path / "int8.onnx"),
        op_types_to_quantize=["MatMul", "Gather"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": not quantised_attention},
    )
    integer = [
        node.name
        for node in onnx.load(str(tmp_path / "int8.onnx")).graph.node
        if node.op_type == "MatMulInteger"
    ]
    summary = rewrite(tmp_path / "int8.onnx", target, library=library)
    assert_fused(target, summary, windows(how))
    left = [node for node in onnx.load(str(target)).graph.node if node.op_type == "MatMulInteger"]
    assert len(left) == len(integer) - (2 * 3 if quantised_attention else 0)
    assert_computes(target, library, model, 0.15)


def test_bfloat16_products(tmp_path: Path, library: Path, target: Path) -> None:
    model = export(Export("bert", False, "eager"), tmp_path / "model.onnx")
    rewrite(tmp_path / "model.onnx", target, library=library, compute_type="bfloat16")
    for node in onnx.load(str(target)).graph.node:
        if node.op_type == "CKFlashAttention":
            attributes = {item.name: item for item in node.attribute}
            assert attributes["compute_type"].s == b"bfloat16"
    assert_computes(target, library, model, 5e-2)


@pytest.mark.parametrize(
    "how",
    [
        Export("mpnet", False, "eager", task="TokenClassification"),
        Export("t5", False, "eager", task="Encoder"),
    ],
    ids=str,
)
def test_a_bias_of_relative_positions_is_refused(
    how: Export, tmp_path: Path, library: Path, target: Path
) -> None:
    export(how, tmp_path / "model.onnx")
    with pytest.raises(UnsupportedModelError, match=r"node '/model/.*neither keeps nor hides"):
        rewrite(tmp_path / "model.onnx", target, library=library)
    assert not target.exists()


def test_a_file_that_onnx_runtime_refuses(tmp_path: Path, library: Path, target: Path) -> None:
    """The TorchScript exporter's float16 SDPA mixes types: not the rewriter's to mend."""
    export(Export("bert", False, "sdpa", HALF), tmp_path / "model.onnx")
    with pytest.raises(UnsupportedModelError, match="ONNX Runtime refuses it"):
        rewrite(tmp_path / "model.onnx", target, library=library)
    assert not target.exists()
