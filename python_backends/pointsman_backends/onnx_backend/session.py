"""Makes an ONNX Runtime session as configured, or says in one line why it cannot be made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import onnxruntime

from pointsman_backends.onnx_backend.errors import ConfigError, LoadError, one_line
from pointsman_backends.onnx_backend.settings import ORT_TYPES, Settings, TensorSpec

_CPU = "CPUExecutionProvider"
_GPU = "ROCMExecutionProvider"
_DEFAULT_MAX_BATCH_SIZE = 4  # the official backend's


class ModelTensor(NamedTuple):
    """One input or output as the ONNX model declares it.

    Attributes:
        name: Tensor name.
        type: ONNX Runtime's type, for example ``"tensor(float)"``.
        shape: All dimensions, batch included; None is any size.
    """

    name: str
    type: str
    shape: tuple[int | None, ...]


def create_session(settings: Settings) -> onnxruntime.InferenceSession:
    """Load the op libraries and the model, and check both against the configuration.

    Raises:
        LoadError: A library or the model is missing, broken, or needs what is not there.
        ConfigError: The declared tensors are not the model's, or a GPU is asked for that this
            ONNX Runtime cannot use.
    """
    providers = execution_providers(settings.gpu, onnxruntime.get_available_providers())
    session = _open(settings, providers)
    check_providers(providers, session.get_providers())
    check_tensors(settings, _described(session.get_inputs()), _described(session.get_outputs()))
    return session


def execution_providers(
    gpu: int | None, available: Sequence[str]
) -> list[tuple[str, dict[str, str]]]:
    """Execution providers for an instance, with their options.

    Args:
        gpu: Device of a GPU instance, None for a CPU instance.
        available: Providers this ONNX Runtime was built with.

    Raises:
        ConfigError: A GPU instance, and no ROCm provider.
    """
    cpu: tuple[str, dict[str, str]] = (_CPU, {})
    if gpu is None:
        return [cpu]
    if _GPU not in available:
        raise ConfigError(
            f"instance_group asks for KIND_GPU, but ONNX Runtime {onnxruntime.__version__} has no "
            f"{_GPU} (it has {', '.join(available)}); install onnxruntime-rocm or use KIND_CPU"
        )
    return [(_GPU, {"device_id": str(gpu)}), cpu]  # shape operators stay on the CPU


def check_providers(asked: Sequence[tuple[str, Mapping[str, str]]], active: Sequence[str]) -> None:
    """Refuse a session that fell back to the CPU.

    Args:
        asked: Providers the session was asked to use.
        active: Providers the session reports.

    Raises:
        LoadError: A provider that was asked for is not active.
    """
    missing = [name for name, _ in asked if name not in active]
    if missing:
        raise LoadError(
            f"{', '.join(missing)} did not start and ONNX Runtime fell back to "
            f"{', '.join(active)}; check the GPU driver and the device number, or use KIND_CPU"
        )


def _open(
    settings: Settings, providers: list[tuple[str, dict[str, str]]]
) -> onnxruntime.InferenceSession:
    if not settings.model.is_file():
        raise LoadError(
            f"no model file {settings.model}; put it there or set default_model_filename"
        )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(
        onnxruntime.GraphOptimizationLevel, settings.graph_level
    )
    if settings.parallel:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = settings.inter_op_threads
    if settings.memory_arena is not None:
        options.enable_cpu_mem_arena = settings.memory_arena
    if settings.memory_pattern is not None:
        options.enable_mem_pattern = settings.memory_pattern
    try:
        for key, value in settings.session_entries.items():
            options.add_session_config_entry(key, value)
    except Exception as error:
        raise ConfigError(f"config.pbtxt: parameter {key}: {one_line(error)}") from error
    for library in settings.op_libraries:
        _register(options, library, settings.model.parent)
    try:
        return onnxruntime.InferenceSession(
            str(settings.model), options, providers=providers, enable_fallback=0
        )
    except Exception as error:
        raise LoadError(_load_message(settings, one_line(error))) from error


def _register(options: onnxruntime.SessionOptions, library: str, version_folder: Path) -> None:
    try:
        options.register_custom_ops_library(library)
    except Exception as error:
        reason = one_line(error)
        if "RegisterCustomOps" in reason:
            hint = "it is not an ONNX Runtime op library: it exports no RegisterCustomOps"
        elif "No such file" in reason:
            hint = f"looked in {version_folder}, {version_folder.parent}" + (
                "" if "/" in library else " and the folders of LD_LIBRARY_PATH"
            )
        else:
            hint = _reason(reason)
        raise LoadError(f'op_library_filename "{library}" cannot be loaded: {hint}') from error


_UNKNOWN_OP = re.compile(r"(\S+?)\(-?[0-9]+\) is not a registered function/op")


def _load_message(settings: Settings, reason: str) -> str:
    unknown = _UNKNOWN_OP.search(reason)
    if unknown is None:
        return f"ONNX Runtime cannot load {settings.model}: {_reason(reason)}"
    if settings.op_libraries:
        registered = f"the op libraries registered it neither: {', '.join(settings.op_libraries)}"
    else:
        registered = "config.pbtxt names no op library (model_operations.op_library_filename)"
    return (
        f"{settings.model} needs the operator {unknown[1]}, which ONNX Runtime "
        f"{onnxruntime.__version__} does not have, and {registered}"
    )


_ORT_PREFIX = re.compile(
    r"^\[ONNXRuntimeError\] : [0-9]+ : \w+ : |^Load model from .*? failed: ?(?:Fatal error: )?"
)


def _reason(message: str) -> str:
    """ONNX Runtime's message without its error class and without the path, which we name."""
    return _ORT_PREFIX.sub("", _ORT_PREFIX.sub("", message))


def _described(nodes: Sequence[Any]) -> list[ModelTensor]:
    return [
        ModelTensor(
            node.name,
            node.type,
            tuple(dim if isinstance(dim, int) and dim >= 0 else None for dim in node.shape),
        )
        for node in nodes
    ]


def check_tensors(
    settings: Settings, inputs: Sequence[ModelTensor], outputs: Sequence[ModelTensor]
) -> None:
    """Compare the declared tensors with the model's.

    Raises:
        ConfigError: A name, a type, a rank or a fixed dimension differs; an input that the model
            needs is not declared; or the model has no batch dimension.
    """
    for role, declared, actual in (
        ("input", settings.inputs, inputs),
        ("output", settings.outputs, outputs),
    ):
        by_name = {tensor.name: tensor for tensor in actual}
        for spec in declared:
            if spec.name not in by_name:
                raise ConfigError(
                    f'config.pbtxt declares {role} "{spec.name}", but {settings.model.name} has '
                    f"only {_names(by_name)}"
                )
            _check_tensor(settings, role, spec, by_name[spec.name])
    if undeclared := [t.name for t in inputs if t.name not in {s.name for s in settings.inputs}]:
        raise ConfigError(
            f"{settings.model.name} needs the input {_names(undeclared)}, which config.pbtxt "
            "does not declare"
        )
    if not settings.outputs:
        raise ConfigError("config.pbtxt declares no output")


def _names(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(f'"{name}"' for name in names) or "none"


def _check_tensor(settings: Settings, role: str, spec: TensorSpec, actual: ModelTensor) -> None:
    where = f'config.pbtxt: {role} "{spec.name}"'
    if ORT_TYPES[spec.type] != actual.type:
        raise ConfigError(f"{where} is {spec.type}, but the model's is {actual.type}")
    batched = settings.max_batch_size > 0
    dims = (-1, *spec.dims) if batched else spec.dims
    if len(dims) != len(actual.shape):
        raise ConfigError(
            f"{where} has rank {len(dims)}{' with the batch dimension' if batched else ''}, "
            f"but the model's has rank {len(actual.shape)}"
        )
    if batched and actual.shape[0] is not None:
        raise ConfigError(
            f"{where}: max_batch_size is {settings.max_batch_size}, but the model's first "
            f"dimension is fixed at {actual.shape[0]}; set max_batch_size to 0"
        )
    for dim, size in zip(dims, actual.shape, strict=True):
        if dim >= 0 and size is not None and dim != size:
            raise ConfigError(
                f"{where} has dims {list(spec.dims)}, but the model's shape is "
                f"{[-1 if size is None else size for size in actual.shape]}"
            )


class Completion(NamedTuple):
    """What an ONNX model says about its own configuration.

    Attributes:
        inputs: Inputs in the form of config.pbtxt: name, data_type, dims.
        outputs: Outputs, likewise.
        max_batch_size: 0 where tensors have no batch dimension.
    """

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    max_batch_size: int


def complete(settings: Settings) -> Completion:
    """Derive tensors and batch size from the model, as the official backend does.

    A model batches when the first dimension of every tensor is of any size; the batch size is
    then 4 unless the configuration says more.

    Raises:
        LoadError: As `create_session`.
        ConfigError: A tensor's type has no Triton equivalent.
    """
    session = _open(settings, [(_CPU, {})])
    inputs, outputs = _described(session.get_inputs()), _described(session.get_outputs())
    batches = all(t.shape and t.shape[0] is None for t in (*inputs, *outputs))
    size = (settings.max_batch_size or _DEFAULT_MAX_BATCH_SIZE) if batches else 0
    return Completion(
        [_declared(tensor, batches) for tensor in inputs],
        [_declared(tensor, batches) for tensor in outputs],
        size,
    )


def _declared(tensor: ModelTensor, batched: bool) -> dict[str, Any]:
    kinds = [triton for triton, ort in ORT_TYPES.items() if ort == tensor.type]
    if not kinds:
        raise ConfigError(f'the model\'s tensor "{tensor.name}" is {tensor.type}: no Triton type')
    shape = tensor.shape[1:] if batched else tensor.shape
    return {
        "name": tensor.name,
        "data_type": kinds[0],
        "dims": [-1 if size is None else size for size in shape] or [1],
    }
