"""The onnxruntime backend: settings, sessions, batches, and all of it in a real Triton."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tritonclient.grpc as triton
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import TensorProto, helper
from tritonclient.utils import InferenceServerException

from pointsman.embedded import EmbeddedTriton
from pointsman.errors import ModelLoadError
from pointsman_backends.onnx_backend.batching import Request, Tensors, infer
from pointsman_backends.onnx_backend.errors import (
    BackendError,
    ConfigError,
    InferenceError,
    LoadError,
)
from pointsman_backends.onnx_backend.session import (
    check_providers,
    complete,
    create_session,
    execution_providers,
)
from pointsman_backends.onnx_backend.settings import Settings, read_settings

ROOT = Path(__file__).parents[1]
HEADS = ("safety_classifier", "domain_classifier", "pii_classifier")
Shape = list[int | str | None]


def save_model(path: Path, op: str, shape: Shape, *, domain: str = "", kind: int = 1) -> Path:
    """Write a model ``y = op(x)``."""
    graph = helper.make_graph(
        [helper.make_node(op, ["x"], ["y"], domain=domain)],
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
    )
    opsets = [helper.make_opsetid("", 17)]
    if domain:
        opsets.append(helper.make_opsetid(domain, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), str(path))
    return path


def build_library(path: Path, domain: str) -> Path:
    include = ROOT / "build" / "onnxruntime" / "include"
    subprocess.run([str(ROOT / "scripts" / "fetch_ort_headers")], check=True)
    command = ["g++", "-std=c++17", "-O0", "-shared", "-fPIC", f'-DDOMAIN_NAME="{domain}"']
    command += [f"-I{include}", str(ROOT / "tests" / "add_one_op.cc"), "-o", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture(scope="module")
def add_one_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An op library with test.pointsman::AddOne."""
    return build_library(tmp_path_factory.mktemp("op") / "libadd_one.so", "test.pointsman")


def config(**overrides: Any) -> dict[str, Any]:
    """A configuration in the JSON form that Triton hands to backends."""
    return {
        "name": "m",
        "max_batch_size": 4,
        "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": ["-1"]}],
        "output": [{"name": "y", "data_type": "TYPE_FP32", "dims": ["-1"]}],
        "optimization": {},
        "parameters": {},
        **overrides,
    }


def parameters(**values: str) -> dict[str, Any]:
    return {
        "parameters": {key.replace("__", "."): {"string_value": v} for key, v in values.items()}
    }


class TestSettings:
    def test_reads_what_the_official_backend_reads(self, tmp_path: Path) -> None:
        settings = read_settings(
            config(
                default_model_filename="m.onnx",
                optimization={"graph": {"level": 1}},
                model_operations={"op_library_filename": ["liba.so", "/opt/b.so"]},
                **parameters(
                    intra_op_thread_count="3",
                    inter_op_thread_count="2",
                    execution_mode="1",
                    enable_mem_arena="0",
                    enable_mem_pattern="true",
                    session__intra_op__allow_spinning="0",
                    memory__enable_memory_arena_shrinkage="cpu:0",
                    intra_op_threads="4",
                ),
            ),
            tmp_path,
            kind="GPU",
            device=2,
        )
        assert settings.model == tmp_path / "m.onnx"
        assert settings.op_libraries == ("liba.so", "/opt/b.so")
        assert (settings.intra_op_threads, settings.inter_op_threads, settings.parallel) == (
            3,
            2,
            True,
        )
        assert (settings.memory_arena, settings.memory_pattern) == (False, True)
        assert settings.session_entries == {"session.intra_op.allow_spinning": "0"}
        assert settings.run_entries == {"memory.enable_memory_arena_shrinkage": "cpu:0"}
        assert settings.graph_level == "ORT_ENABLE_EXTENDED"
        assert settings.gpu == 2
        assert settings.unknown_parameters == ("intra_op_threads",)

    def test_defaults(self, tmp_path: Path) -> None:
        settings = read_settings(config(), tmp_path)
        assert settings.model == tmp_path / "model.onnx"
        assert settings.gpu is None
        assert not settings.parallel
        assert settings.memory_arena is None
        assert settings.graph_level == "ORT_ENABLE_ALL"

    def test_a_library_beside_the_model_comes_before_the_search_path(self, tmp_path: Path) -> None:
        version = tmp_path / "m" / "1"
        version.mkdir(parents=True)
        (version / "near.so").touch()
        (version.parent / "lib.so").touch()
        wanted = {"op_library_filename": ["near.so", "lib.so", "elsewhere.so"]}
        settings = read_settings(config(model_operations=wanted), version)
        assert settings.op_libraries == (
            str(version / "near.so"),
            str(version.parent / "lib.so"),
            "elsewhere.so",
        )

    @pytest.mark.parametrize(
        ("overrides", "says"),
        [
            (parameters(intra_op_thread_count="two"), 'intra_op_thread_count is "two"'),
            (parameters(inter_op_thread_count="-1"), 'inter_op_thread_count is "-1"'),
            (parameters(execution_mode="2"), 'execution_mode is "2"'),
            (parameters(enable_mem_arena="maybe"), 'enable_mem_arena is "maybe"'),
            ({"optimization": {"graph": {"level": 3}}}, "level is 3"),
            ({"max_batch_size": -1}, "max_batch_size is -1"),
            ({"sequence_batching": {"direct": {}}}, "sequence_batching is not supported"),
            (
                {"optimization": {"execution_accelerators": {"gpu_execution_accelerator": [{}]}}},
                "execution_accelerators is not supported",
            ),
            (
                {"input": [{"name": "x", "data_type": "TYPE_BF16", "dims": [1]}]},
                'input "x" has data_type TYPE_BF16',
            ),
        ],
    )
    def test_refuses(self, overrides: dict[str, Any], says: str, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            read_settings(config(**overrides), tmp_path)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)


class TestSession:
    def load(self, folder: Path, **overrides: Any) -> onnxruntime.InferenceSession:
        return create_session(read_settings(config(**overrides), folder))

    def test_runs_a_custom_operator(self, tmp_path: Path, add_one_library: Path) -> None:
        save_model(tmp_path / "model.onnx", "AddOne", ["b", "n"], domain="test.pointsman")
        operations = {"op_library_filename": [str(add_one_library)]}
        session = self.load(tmp_path, model_operations=operations)
        x = np.array([[0.0, np.inf, np.nan]], dtype=np.float32)
        np.testing.assert_array_equal(session.run(["y"], {"x": x})[0], x + 1)

    def test_options_reach_the_session(self, tmp_path: Path) -> None:
        save_model(tmp_path / "model.onnx", "Identity", ["b", "n"])
        session = self.load(
            tmp_path,
            optimization={"graph": {"level": 2}},
            **parameters(
                intra_op_thread_count="1",
                execution_mode="1",
                inter_op_thread_count="2",
                enable_mem_arena="0",
                enable_mem_pattern="0",
                session__intra_op__allow_spinning="0",
            ),
        )
        options = session.get_session_options()
        assert options.intra_op_num_threads == 1
        assert options.inter_op_num_threads == 2
        assert options.execution_mode == onnxruntime.ExecutionMode.ORT_PARALLEL
        assert options.graph_optimization_level == (
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        )
        assert not options.enable_cpu_mem_arena
        assert not options.enable_mem_pattern
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
        assert session.get_providers() == ["CPUExecutionProvider"]

    def test_a_session_entry_that_is_no_entry(self, tmp_path: Path) -> None:
        save_model(tmp_path / "model.onnx", "Identity", ["b", "n"])
        with pytest.raises(ConfigError, match=r"parameter session\.xxx"):
            self.load(tmp_path, **parameters(**{"session__" + "x" * 2000: "1"}))

    @pytest.mark.parametrize(
        ("overrides", "says"),
        [
            ({"input": []}, 'model.onnx needs the input "x", which config.pbtxt does not declare'),
            ({"output": []}, "declares no output"),
            (
                {"input": [{"name": "z", "data_type": "TYPE_FP32", "dims": [-1]}]},
                'declares input "z", but model.onnx has only "x"',
            ),
            (
                {"output": [{"name": "z", "data_type": "TYPE_FP32", "dims": [-1]}]},
                'declares output "z", but model.onnx has only "y"',
            ),
            (
                {"input": [{"name": "x", "data_type": "TYPE_INT64", "dims": [-1]}]},
                'input "x" is TYPE_INT64, but the model\'s is tensor(float)',
            ),
            (
                {"output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [-1, -1]}]},
                'output "y" has rank 3 with the batch dimension, but the model\'s has rank 2',
            ),
            ({"max_batch_size": 0}, "has rank 1, but the model's has rank 2"),
            (
                {"output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [6]}]},
                'output "y" has dims [6], but the model\'s shape is [-1, 5]',
            ),
        ],
    )
    def test_refuses_tensors_that_are_not_the_models(
        self, overrides: dict[str, Any], says: str, tmp_path: Path
    ) -> None:
        save_model(tmp_path / "model.onnx", "Identity", ["b", 5])
        with pytest.raises(ConfigError) as caught:
            self.load(tmp_path, **overrides)
        assert says in str(caught.value)

    def test_a_fixed_first_dimension_cannot_batch(self, tmp_path: Path) -> None:
        save_model(tmp_path / "model.onnx", "Identity", [1, 5])
        with pytest.raises(ConfigError, match="fixed at 1; set max_batch_size to 0"):
            self.load(tmp_path)
        dims = [{"name": "x", "data_type": "TYPE_FP32", "dims": [1, 5]}]
        out = [{"name": "y", "data_type": "TYPE_FP32", "dims": [5], "reshape": {"shape": [1, 5]}}]
        assert self.load(tmp_path, input=dims, output=out, max_batch_size=0)

    def test_no_model_file(self, tmp_path: Path) -> None:
        with pytest.raises(LoadError, match=r"no model file .*model\.onnx"):
            self.load(tmp_path)

    def test_a_corrupt_model_file(self, tmp_path: Path) -> None:
        good = save_model(tmp_path / "model.onnx", "Identity", ["b", "n"]).read_bytes()
        for content in (b"", b"not a model", good[: len(good) // 2]):
            (tmp_path / "model.onnx").write_bytes(content)
            with pytest.raises(LoadError, match=r"cannot load .*model\.onnx: .") as caught:
                self.load(tmp_path)
            assert "\n" not in str(caught.value)

    def test_a_library_that_is_none(self, tmp_path: Path) -> None:
        save_model(tmp_path / "model.onnx", "Identity", ["b", "n"])
        (tmp_path / "text.so").write_text("no library")
        for name, says in (
            ("libm.so.6", "it exports no RegisterCustomOps"),
            ("text.so", "cannot be loaded: "),
            ("missing.so", "LD_LIBRARY_PATH"),
            ("/nowhere/missing.so", "looked in"),
        ):
            with pytest.raises(LoadError) as caught:
                self.load(tmp_path, model_operations={"op_library_filename": [name]})
            assert says in str(caught.value)
            assert 'op_library_filename "' in str(caught.value)
            assert "\n" not in str(caught.value)

    def test_a_library_for_another_domain(self, tmp_path: Path) -> None:
        library = build_library(tmp_path / "libother.so", "test.other")
        save_model(tmp_path / "model.onnx", "AddOne", ["b", "n"], domain="test.pointsman")
        with pytest.raises(LoadError) as caught:
            self.load(tmp_path, model_operations={"op_library_filename": ["libother.so"]})
        assert "needs the operator test.pointsman:AddOne" in str(caught.value)
        assert str(library) in str(caught.value)

    def test_a_gpu_instance_never_runs_on_the_cpu(self, tmp_path: Path) -> None:
        save_model(tmp_path / "model.onnx", "Identity", ["b", "n"])
        settings = read_settings(config(), tmp_path, kind="KIND_GPU", device=1)
        assert "ROCMExecutionProvider" not in onnxruntime.get_available_providers()
        with pytest.raises(ConfigError, match="has no ROCMExecutionProvider"):
            create_session(settings)

    def test_the_gpu_provider_gets_the_device(self) -> None:
        available = ["ROCMExecutionProvider", "CPUExecutionProvider"]
        asked = execution_providers(3, available)
        assert asked == [
            ("ROCMExecutionProvider", {"device_id": "3"}),
            ("CPUExecutionProvider", {}),
        ]
        check_providers(asked, available)
        with pytest.raises(LoadError, match="ROCMExecutionProvider did not start"):
            check_providers(asked, ["CPUExecutionProvider"])


class TestCompletion:
    @pytest.mark.parametrize(
        ("shape", "given", "batch", "dims"),
        [
            (["b", "n"], 0, 4, [-1]),
            (["b", "n"], 16, 16, [-1]),
            (["b", 7], 0, 4, [7]),
            (["b"], 0, 4, [1]),
            ([2, "n"], 0, 0, [2, -1]),
        ],
    )
    def test_takes_tensors_from_the_model(
        self, shape: Shape, given: int, batch: int, dims: list[int], tmp_path: Path
    ) -> None:
        model = save_model(tmp_path / "model.onnx", "Identity", shape, kind=TensorProto.INT64)
        found = complete(Settings(model=model, max_batch_size=given))
        assert found.max_batch_size == batch
        assert found.inputs == [{"name": "x", "data_type": "TYPE_INT64", "dims": dims}]
        assert found.outputs == [{"name": "y", "data_type": "TYPE_INT64", "dims": dims}]


def double_and_sum(names: Sequence[str], inputs: Tensors) -> list[NDArray[Any]]:
    """A model with two outputs: 2x, and the sum of each row."""
    x = np.asarray(inputs["x"], dtype=np.float32)
    if (x < 0).any():
        raise ValueError("negative\nnumber")
    outputs = {"double": 2 * x, "sum": x.sum(axis=1)}
    return [outputs[name] for name in names]


class TestBatching:
    @given(
        st.lists(
            st.tuples(
                st.integers(1, 3),
                st.integers(0, 3),
                st.sets(st.sampled_from(["double", "sum"])),
                st.booleans(),
            ),
            min_size=1,
            max_size=8,
        )
    )
    def test_answers_are_those_of_requests_run_alone(
        self, shapes: list[tuple[int, int, set[str], bool]]
    ) -> None:
        rng = np.random.default_rng(0)
        requests = [
            Request({"x": rng.random((rows, columns), dtype=np.float32)}, sorted(wanted))
            for rows, columns, wanted, _ in shapes
        ]
        for answer, request in zip(
            infer(double_and_sum, requests, batched=True), requests, strict=True
        ):
            assert isinstance(answer, dict)
            assert list(answer) == list(request.outputs)
            alone = double_and_sum(request.outputs, request.inputs)
            for got, want in zip(answer.values(), alone, strict=True):
                np.testing.assert_array_equal(got, want)

    def test_equal_shapes_make_one_run(self) -> None:
        runs: list[tuple[int, ...]] = []

        def run(names: Sequence[str], inputs: Tensors) -> list[NDArray[Any]]:
            runs.append(inputs["x"].shape)
            return double_and_sum(names, inputs)

        requests = [Request({"x": np.ones((1, n), np.float32)}, ["sum"]) for n in (4, 2, 4, 4, 2)]
        infer(run, requests, batched=True)
        assert sorted(runs) == [(2, 2), (3, 4)]
        runs.clear()
        infer(run, requests, batched=False)
        assert runs == [(1, 4), (1, 2), (1, 4), (1, 4), (1, 2)]

    def test_a_failing_run_fails_its_own_requests_alone(self) -> None:
        def request(columns: int, value: float) -> Request:
            return Request({"x": np.full((1, columns), value, np.float32)}, ["sum"])

        answers = infer(
            double_and_sum,
            [request(2, 1), request(3, -1), request(2, 1), request(3, 1)],
            batched=True,
        )
        assert isinstance(answers[0], dict)
        assert isinstance(answers[2], dict)
        for index in (1, 3):
            assert isinstance(answers[index], InferenceError)
            assert str(answers[index]) == "ONNX Runtime failed: negative number"

    @pytest.mark.parametrize("shape", [(), (3,), (1, 2)])
    def test_an_output_without_the_batch_is_an_error(self, shape: tuple[int, ...]) -> None:
        requests = [Request({"x": np.ones((1, 2), np.float32)}, ["y"])] * 2
        answers = infer(lambda names, inputs: [np.zeros(shape)], requests, batched=True)
        assert all(isinstance(answer, InferenceError) for answer in answers)
        assert "must be the batch size 2" in str(answers[0])

    def test_inputs_of_different_batch_size(self) -> None:
        inputs = {"x": np.ones((1, 2), np.float32), "mask": np.ones((2, 2), np.float32)}
        (answer,) = infer(double_and_sum, [Request(inputs, ["sum"])], batched=True)
        assert "differ in batch size: [1, 2]" in str(answer)


def test_strings_are_decoded_and_bad_ones_spare_the_others() -> None:
    def echo(names: Sequence[str], inputs: Tensors) -> list[NDArray[Any]]:
        return [inputs["x"]]

    texts = [b"a", "é".encode(), b"\xff"]
    requests = [Request({"x": np.array([[text]], np.object_)}, ["y"]) for text in texts]
    first, second, bad = infer(echo, requests, batched=True)
    assert isinstance(first, dict)
    assert first["y"].tolist() == [["a"]]
    assert isinstance(second, dict)
    assert second["y"].tolist() == [["é"]]
    assert "not UTF-8" in str(bad)


CONFIG = """
backend: "onnxruntime"
max_batch_size: 4
input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ -1 ] } ]
instance_group [ { kind: KIND_CPU count: 1 } ]
dynamic_batching { max_queue_delay_microseconds: 100000 }
"""
OPERATIONS = 'model_operations { op_library_filename: "libadd_one.so" }\n'


def write_model(repository: Path, name: str, text: str, **model: Any) -> Path:
    folder = repository / name
    save_model(folder / "1" / "model.onnx", **model)
    (folder / "config.pbtxt").write_text(text)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, add_one_library: Path) -> Any:
    """A Triton with three models; the op library is found through LD_LIBRARY_PATH."""
    repository = tmp_path_factory.mktemp("repository")
    custom: dict[str, Any] = {"op": "AddOne", "shape": ["b", "n"], "domain": "test.pointsman"}
    write_model(repository, "add_one", CONFIG + OPERATIONS, **custom)
    write_model(repository, "completed", 'backend: "onnxruntime"\n' + OPERATIONS, **custom)
    write_model(
        repository, "text", 'backend: "onnxruntime"\n', op="Identity", shape=["b", "n"], kind=8
    )
    path = {"LD_LIBRARY_PATH": str(add_one_library.parent)}
    with EmbeddedTriton(repository, env=path) as running:
        yield running


@pytest.fixture
def client(server: EmbeddedTriton) -> Any:
    with triton.InferenceServerClient(server.grpc_url) as connected:
        yield connected


def call(client: Any, model: str, x: NDArray[Any], timeout: float = 20) -> NDArray[Any]:
    kind = "BYTES" if x.dtype == np.object_ else "FP32"
    tensor = triton.InferInput("x", list(x.shape), kind)
    tensor.set_data_from_numpy(x)
    result: NDArray[Any] = client.infer(model, [tensor], client_timeout=timeout).as_numpy("y")
    return result


@pytest.mark.server
class TestServer:
    @pytest.mark.parametrize("model", ["add_one", "completed"])
    def test_runs_a_custom_operator(self, client: Any, model: str) -> None:
        x = np.arange(6, dtype=np.float32).reshape(2, 3)
        np.testing.assert_array_equal(call(client, model, x), x + 1)

    def test_completes_the_configuration(self, client: Any) -> None:
        found = client.get_model_config("completed").config
        assert found.max_batch_size == 4
        assert found.HasField("dynamic_batching")
        assert [(t.name, list(t.dims)) for t in found.input] == [("x", [-1])]

    def test_strings_pass(self, client: Any) -> None:
        x = np.array([[b"a", "é".encode()]], dtype=np.object_)
        np.testing.assert_array_equal(call(client, "text", x), x)

    def test_batches_together_and_a_bad_request_spares_the_others(
        self, client: Any, server: EmbeddedTriton
    ) -> None:
        def ask(index: int) -> NDArray[Any] | InferenceServerException:
            # The bad one has a length of its own, so no other request shares its run.
            bad = index == 5
            x = np.full((1, 7 if bad else 3), -1 if bad else index, np.float32)
            try:
                return call(client, "add_one", x)
            except InferenceServerException as error:
                return error

        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(ask, range(12)))
        for index, answer in enumerate(answers):
            if index == 5:
                assert isinstance(answer, InferenceServerException)
                assert "[pointsman:internal] ONNX Runtime failed" in str(answer)
                assert "AddOne takes no negative number" in str(answer)
            else:
                np.testing.assert_array_equal(answer, np.full((1, 3), index + 1, np.float32))
        statistics = client.get_inference_statistics("add_one").model_stats[0]
        assert statistics.execution_count < statistics.inference_count

    def test_a_wrong_type_is_an_error(self, client: Any) -> None:
        tensor = triton.InferInput("x", [1, 2], "INT64")
        tensor.set_data_from_numpy(np.zeros((1, 2), np.int64))
        with pytest.raises(InferenceServerException, match="data-type is 'INT64'"):
            client.infer("add_one", [tensor])

    @pytest.mark.parametrize(
        ("text", "content", "says"),
        [
            (CONFIG, None, "needs the operator test.pointsman:AddOne"),
            (CONFIG + OPERATIONS, None, 'op_library_filename "libadd_one.so" cannot be loaded'),
            ('backend: "onnxruntime"', b"broken", "ONNX Runtime cannot load"),
        ],
    )
    def test_refuses_to_start(
        self, text: str, content: bytes | None, says: str, tmp_path: Path
    ) -> None:
        folder = write_model(
            tmp_path, "m", text, op="AddOne", shape=["b", "n"], domain="test.pointsman"
        )
        if content is not None:
            (folder / "1" / "model.onnx").write_bytes(content)
        with pytest.raises(ModelLoadError) as caught, EmbeddedTriton(tmp_path):
            pass
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["encoder", *HEADS])
def test_every_setting_of_the_shipped_configurations_is_read(name: str) -> None:
    text = (ROOT / "model_repository" / name / "config.pbtxt").read_text()
    from google.protobuf import json_format, text_format
    from tritonclient.grpc import model_config_pb2

    parsed = text_format.Parse(text, model_config_pb2.ModelConfig())
    document = json_format.MessageToDict(parsed, preserving_proto_field_name=True)
    settings = read_settings(document, ROOT / "model_repository" / name / "1")
    assert settings.unknown_parameters == ()
    assert settings.max_batch_size == 8
    reads, gives = ("hidden_states", "logits") if name in HEADS else ("input_ids", "hidden_states")
    assert [spec.name for spec in settings.inputs] == [reads, "attention_mask"]
    assert [spec.name for spec in settings.outputs] == [gives]


def test_the_backend_folder_hides_no_package() -> None:
    assert not (ROOT / "python_backends" / "onnxruntime" / "__init__.py").exists()


def test_errors_share_a_base() -> None:
    raised: list[Callable[..., Exception]] = [ConfigError, LoadError, InferenceError]
    assert all(isinstance(error("x"), BackendError) for error in raised)
