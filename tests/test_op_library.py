"""The attention op's library: found by its bare name, by the embedded server and by doctor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tritonclient.grpc as triton
from onnx import TensorProto, helper

from pointsman import paths
from pointsman.doctor import diagnose
from pointsman.embedded import EmbeddedTriton
from pointsman.errors import ModelLoadError, SetupError

ROOT = Path(__file__).parents[1]
CONFIG = f"""
backend: "onnxruntime"
max_batch_size: 2
input [
  {{ name: "Q" data_type: TYPE_FP32 dims: [ 3, -1, 32 ] }},
  {{ name: "K" data_type: TYPE_FP32 dims: [ 3, -1, 32 ] }},
  {{ name: "V" data_type: TYPE_FP32 dims: [ 3, -1, 32 ] }}
]
output [ {{ name: "O" data_type: TYPE_FP32 dims: [ 3, -1, 32 ] }} ]
instance_group [ {{ kind: KIND_CPU count: 1 }} ]
model_operations {{ op_library_filename: "{paths.ATTENTION_LIBRARY}" }}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one model: a CKFlashAttention in which each query sees its own key."""
    shape: list[str | int | None] = ["b", 3, "s", 32]
    node = helper.make_node(
        "CKFlashAttention",
        ["Q", "K", "V"],
        ["O"],
        domain="com.ck",
        window_size_left=0,
        window_size_right=0,
    )
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "QKV"],
        [helper.make_tensor_value_info("O", TensorProto.FLOAT, shape)],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.ck", 1)]
    model = tmp_path / "repository" / "attention"
    (model / "1").mkdir(parents=True)
    (model / "config.pbtxt").write_text(CONFIG)
    onnx.save(
        helper.make_model(graph, opset_imports=opsets, ir_version=9),
        str(model / "1" / "model.onnx"),
    )
    return model.parent


@pytest.fixture
def not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which the library has not been built."""
    (tmp_path / "checkout" / "kernels").mkdir(parents=True)
    monkeypatch.setattr(paths, "_CHECKOUT", tmp_path / "checkout")
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    return tmp_path / "checkout" / "build" / "kernels"


@pytest.fixture(scope="module")
def built() -> Path:
    subprocess.run([str(ROOT / "scripts" / "build_kernels")], check=True)
    return paths.kernels() / paths.ATTENTION_LIBRARY


@pytest.mark.server
def test_the_embedded_server_finds_it_by_its_bare_name(built: Path, repository: Path) -> None:
    with EmbeddedTriton(repository) as server, triton.InferenceServerClient(server.grpc_url) as ask:
        tensors = []
        for name in "QKV":
            tensor = triton.InferInput(name, [2, 3, 7, 32], "FP32")
            tensor.set_data_from_numpy(np.random.default_rng(1).random((2, 3, 7, 32), np.float32))
            tensors.append(tensor)
        answer = ask.infer("attention", tensors).as_numpy("O")
    value = np.random.default_rng(1).random((2, 3, 7, 32), np.float32)
    np.testing.assert_allclose(answer, value, rtol=1e-6)


def test_a_server_that_would_miss_it_does_not_start(not_built: Path, repository: Path) -> None:
    with pytest.raises(ModelLoadError) as caught, EmbeddedTriton(repository):
        pass
    assert caught.value.model == "attention"
    assert "libck_flash_attention.so" in str(caught.value)
    assert "scripts/build_kernels" in str(caught.value)


def test_where_it_is_looked_for(not_built: Path, tmp_path: Path) -> None:
    model, version, elsewhere = tmp_path / "m", tmp_path / "m" / "1", tmp_path / "elsewhere"
    search = os.pathsep.join(["", str(tmp_path / "nowhere"), str(elsewhere)])
    with pytest.raises(SetupError, match="scripts/build_kernels"):
        paths.op_library(paths.ATTENTION_LIBRARY, model, search)
    # From the last place to the first.
    for folder in (not_built, elsewhere, model, version):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / paths.ATTENTION_LIBRARY).touch()
        found = paths.op_library(paths.ATTENTION_LIBRARY, model, search)
        assert found == folder / paths.ATTENTION_LIBRARY


def test_other_libraries_may_be_the_systems(not_built: Path, tmp_path: Path) -> None:
    assert paths.op_library("libother.so", tmp_path, "") is None
    library = tmp_path / "libother.so"
    assert paths.op_library(str(library), tmp_path / "m", str(tmp_path)) is None
    library.touch()
    assert paths.op_library(str(library), tmp_path / "m", "") == library


def test_an_installed_package_has_it_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(paths, "_INSTALLED", tmp_path / "pointsman" / "_server")
    assert paths.kernels() == tmp_path / "pointsman" / "_server" / "kernels"


def doctor(**environment: str) -> tuple[int, str]:
    result = subprocess.run(
        [Path(sys.executable).with_name("pointsman"), "doctor"],
        env=os.environ | {"COLUMNS": "400"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["portable", ""])
def test_doctor_tells_the_instruction_set(built: Path, name: str) -> None:
    code, text = doctor(CK_FLASH_ATTENTION_ISA=name)
    assert code == 0, text
    assert f"{built}, instruction set {name}" in text


def test_doctor_tells_of_an_instruction_set_that_there_is_not(built: Path) -> None:
    code, text = doctor(CK_FLASH_ATTENTION_ISA="mmx")
    assert code == 1
    assert "CK_FLASH_ATTENTION_ISA must be" in text


def checks_of(repository: Path) -> dict[str, Any]:
    return {check.name: check for check in diagnose(model_repository=repository)}


def test_doctor_tells_of_a_library_that_a_model_needs(not_built: Path, repository: Path) -> None:
    checks = checks_of(repository)
    assert checks["attention op"].ok
    assert "not built" in checks["attention op"].detail
    assert not checks["attention op library"].ok
    assert "scripts/build_kernels" in checks["attention op library"].detail


def test_doctor_tells_of_a_library_that_cannot_be_loaded(not_built: Path, repository: Path) -> None:
    not_built.mkdir(parents=True)
    (not_built / paths.ATTENTION_LIBRARY).write_bytes(b"not a library")
    check = checks_of(repository)["attention op"]
    assert not check.ok
    assert "scripts/build_kernels" in check.mend


def test_doctor_tells_of_the_compressors_library(not_built: Path, repository: Path) -> None:
    check = checks_of(repository)["compressor library"]
    assert check.ok
    assert "not built" in check.detail
    not_built.mkdir(parents=True)
    (not_built / paths.COMPRESSOR_LIBRARY).write_bytes(b"not a library")
    check = checks_of(repository)["compressor library"]
    assert not check.ok
    assert "scripts/build_kernels" in check.mend


def test_doctor_names_the_compressors_library(built: Path, repository: Path) -> None:
    check = checks_of(repository)["compressor library"]
    assert check.ok
    assert check.detail == str(built.with_name(paths.COMPRESSOR_LIBRARY))
